"""What a bundle is made of: the distributions, libraries and the Python whose files went into it."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

LICENCES: Final = Path(__file__).resolve().parent.parent / "licences"
"""Texts that packages name and do not bring."""

_LICENCE_FILE: Final = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS)", re.IGNORECASE)

_CLASSIFIERS: Final[Mapping[str, str]] = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Public Domain": "LicenseRef-public-domain",
    "Python Software Foundation License": "PSF-2.0",
}
_KNOWN: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    # Metadata that are silent or say less than is true, and the texts that the package does not bring.
    "PySide6_Essentials": ("LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0-only", ("LGPL-3.0.txt", "GPL-3.0.txt")),
    "shiboken6": ("LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0-only", ("LGPL-3.0.txt", "GPL-3.0.txt")),
    # Its metadata say BSD, which is the binding's; the emulator is QEMU's, and GPL.
    "unicorn": ("GPL-2.0-only", ("GPL-2.0.txt",)),
    "pyinstaller": ("GPL-2.0-or-later WITH Bootloader-exception", ()),
    "libvirt-python": ("LGPL-2.1-or-later", ()),
    "protobuf": ("BSD-3-Clause", ()),
    "pyasn1_modules": ("BSD-2-Clause", ()),
    "isodate": ("BSD-3-Clause", ()),
    "sqlite-fts4": ("Apache-2.0", ()),
    "python-dateutil": ("Apache-2.0 OR BSD-3-Clause", ()),
}
_WITHIN: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    # Other people's libraries inside a package, which its metadata do not list.
    "PySide6_Essentials": (("Qt", "LGPL-3.0-only"), ("ICU", "Unicode-3.0")),
    "numpy": (("OpenBLAS", "BSD-3-Clause"), ("libgfortran", "GPL-3.0-or-later WITH GCC-exception-3.1")),
    "cryptography": (("OpenSSL", "Apache-2.0"),),
    "grpcio": (("BoringSSL", "Apache-2.0"), ("Abseil", "Apache-2.0"), ("c-ares", "MIT")),
    "cel-expr-python": (("cel-cpp", "Apache-2.0"), ("Abseil", "Apache-2.0"), ("Protocol Buffers", "BSD-3-Clause")),
    "unicorn": (("QEMU (parts of)", "GPL-2.0-only"),),
}


@dataclass(frozen=True, slots=True)
class Part:
    """Something of other people that the bundle carries."""

    name: str
    version: str
    licence: str
    """An SPDX expression, or what its makers wrote."""
    purl: str
    home: str
    texts: tuple[Path, ...]
    """Files with its licence."""
    needs: tuple[str, ...] = ()
    """Names of other parts."""
    within: tuple[tuple[str, str], ...] = ()
    """Name and licence of what it carries itself."""


def parts_of(sources: Iterable[str]) -> list[Part]:
    """The parts that the files `sources` were taken from, by name.

    Must run in the environment that was frozen. Raises ValueError for a file of which nobody is known to be the owner.
    """
    distributions = {each.name: each for each in metadata.distributions()}
    owner = {
        os.path.realpath(str(file.locate())): name for name, each in distributions.items() for file in each.files or ()
    }
    standard = tuple(
        os.path.realpath(folder)
        for folder in {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), sys.base_prefix + "/lib"}
    )
    names: set[str] = {"pyinstaller"}  # its bootloader starts the bundle
    foreign: set[str] = set()
    python = False
    for source in sorted(set(sources)):
        real = os.path.realpath(source)
        if real in owner:
            names.add(owner[real])
        elif "site-packages" not in real and real.startswith(standard):
            python = True
        else:
            foreign.add(real)
    found = [_of_distribution(distributions[name], names) for name in names if name != "confvm-console"]
    if python:
        found.append(_python())
    found += _of_system(sorted(foreign))
    return sorted(found, key=lambda part: part.name.lower())


def read_sources(contents: Path) -> list[str]:
    """What confvm.spec noted: the files that it put into the bundle."""
    return [str(entry) for entry in json.loads(contents.read_text())]


def licence_of(distribution: metadata.Distribution) -> str:
    """SPDX where it can be told, else what the package says."""
    if distribution.name in _KNOWN:
        return _KNOWN[distribution.name][0]
    about = distribution.metadata
    if "License-Expression" in about:
        return about["License-Expression"]
    kinds = [kind.rpartition(" :: ")[2] for kind in about.get_all("Classifier") or () if kind.startswith("License ::")]
    known = [_CLASSIFIERS[kind] for kind in kinds if kind in _CLASSIFIERS]
    if known:
        return " OR ".join(sorted(set(known)))
    return about["License"].strip().partition("\n")[0] if "License" in about else ""


def _of_distribution(distribution: metadata.Distribution, bundled: set[str]) -> Part:
    about = distribution.metadata
    texts = [Path(str(file.locate())) for file in distribution.files or () if _is_licence(Path(str(file)))]
    texts += [LICENCES / name for name in _KNOWN.get(distribution.name, ("", ()))[1]]
    return Part(
        distribution.name,
        distribution.version,
        licence_of(distribution),
        f"pkg:pypi/{_plain(distribution.name)}@{distribution.version}",
        _home(about.get_all("Home-page") or (), about.get_all("Project-URL") or ()),
        tuple(sorted(set(texts))),
        _needs(distribution.requires or (), bundled),
        _WITHIN.get(distribution.name, ()),
    )


def _needs(requirements: Sequence[str], bundled: set[str]) -> tuple[str, ...]:
    wanted = {_plain(re.split(r"[^\w.-]", requirement, maxsplit=1)[0]) for requirement in requirements}
    return tuple(sorted(name for name in bundled if _plain(name) in wanted))


def _is_licence(path: Path) -> bool:
    return ".dist-info" in str(path) and _LICENCE_FILE.search(path.name) is not None


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _home(homes: Sequence[str], links: Sequence[str]) -> str:
    named = {label.strip().lower(): url.strip() for label, _, url in (link.partition(",") for link in links)}
    return next(iter(homes), "") or named.get("homepage") or named.get("source") or next(iter(named.values()), "")


def _python() -> Part:
    version = platform.python_version()
    text = Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"
    texts = (text,) if text.exists() else tuple(Path("/usr/share/doc").glob("python3.*-minimal/copyright"))[:1]
    return Part("CPython", version, "PSF-2.0", f"pkg:generic/cpython@{version}", "https://www.python.org/", texts)


def _of_system(files: Sequence[str]) -> list[Part]:
    """Debian's packages that own libraries of the system."""
    found: dict[str, Part] = {}
    for file in files:
        path = Path(file)
        # By its end: the package may have it in /lib, which is a link to /usr/lib by now.
        pattern = f"*/{path.parent.name}/{path.name}"
        told = subprocess.run(["dpkg-query", "--search", pattern], capture_output=True, text=True, check=False)
        if told.returncode != 0:
            raise ValueError(f"{file} is in the bundle, and no package is known to own it")
        package = told.stdout.partition(":")[0]
        version = subprocess.run(
            ["dpkg-query", "--show", "--showformat=${Version}\n", package], capture_output=True, text=True, check=True
        ).stdout.split("\n")[0]
        copyright_file = Path("/usr/share/doc") / package / "copyright"
        found[package] = Part(
            package,
            version,
            "see its copyright file",
            f"pkg:deb/debian/{package}@{version}",
            f"https://packages.debian.org/{package}",
            (copyright_file,) if copyright_file.exists() else (),
        )
    return list(found.values())
