"""`packaging/build`: everything that is released, from one source, into one folder.

    packaging/build                       wheel, sdist, bundle, Debian package, SBOM, NOTICE and hashes into dist/
    packaging/build --only wheel          some of it: wheel, bundle, deb, appimage (each makes what it stands on)
    packaging/build --check               all, and then proves it: see below. Exit 1 if something does not hold
    packaging/build --compare DIR DIR     are two folders of artefacts the same? 1 if not, with where they differ

What --check proves: the same again from a second build; the bundle below 250 MiB; its self-test; its window on a
screen in under 2 s; the wheel in an environment where nothing can be compiled; desktop entry, metainfo and package by
their validators; the package in a Debian that has nothing else, by self-test and tour there.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from installers import comparison
from installers.archives import tree_size, write_hashes, write_tar_gz
from installers.source import Source, take_source
from installers.wheel import build_wheel, install_wheel

T = TypeVar("T")

CHECKOUT: Final = Path(__file__).resolve().parents[2]
KINDS: Final = ("wheel", "bundle", "deb", "appimage")
MOST_MIB: Final = 250
MOST_SECONDS: Final = 2.0
STARTS: Final = 5
_MIB: Final = 2**20


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="packaging/build", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=CHECKOUT / "dist", metavar="DIR", help="default: dist")
    parser.add_argument("--work", type=Path, default=CHECKOUT / "build", metavar="DIR", help="default: build")
    parser.add_argument("--only", choices=KINDS, action="append", help="can be repeated; default: all but appimage")
    parser.add_argument("--check", action="store_true", help="prove that what was built works")
    parser.add_argument("--compare", type=Path, nargs=2, metavar="DIR", help="compare two folders of artefacts")
    options = parser.parse_args(arguments)
    if options.compare:
        return _told(comparison.differences(*options.compare))
    source = take_source(CHECKOUT, options.work / "source")
    kinds = options.only or ["wheel", "bundle", "deb"]
    bundle = build(source, kinds, options.work, options.out)
    if not options.check:
        return 0
    if bundle is None or "deb" not in kinds:
        parser.error("--check needs the bundle and the deb")
    return check(source, bundle, options.work, options.out)


def build(source: Source, kinds: Sequence[str], work: Path, out: Path) -> Path | None:
    """The artefacts `kinds` in `out`, which is made anew; returns the bundle's folder, if there is one."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    wheel = _timed("wheel and sdist", lambda: build_wheel(source, out))
    bundle: Path | None = None
    if set(kinds) & {"bundle", "deb"}:
        install_wheel(wheel)
        bundle = _timed("bundle", lambda: _bundle(source, work / "bundle"))
        for paper in ("NOTICE", "sbom.cdx.json"):
            shutil.copy(bundle / paper, out)
    if "bundle" in kinds and bundle is not None:
        folder, name = bundle, f"{bundle.name}-{source.version}-{_platform()}.tar.gz"
        _timed("bundle, packed", lambda: write_tar_gz(folder, out / name, source.epoch))
    if "deb" in kinds and bundle is not None:
        from installers.deb import build_deb

        folder = bundle
        _timed("Debian package", lambda: build_deb(folder, source, work / "deb", out))
    if "appimage" in kinds:
        install_wheel(wheel)
        script = CHECKOUT / "packaging" / "appimage" / "build"
        _timed("AppImage", lambda: subprocess.run([str(script), str(source.root), str(work), str(out)], check=True))
    write_hashes(out)
    for path in sorted(out.iterdir()):
        _say(f"  {path.stat().st_size / _MIB:8.1f} MiB  {path.name}")
    return bundle


def check(source: Source, bundle: Path, work: Path, out: Path) -> int:
    """Prove what `build` made; returns 0 or 1."""
    from installers import clean_root, deb
    from installers.wheel import try_in_clean_environment

    from confvm_gui.app.bench.drawn_window import measure_starts

    complaints: list[str] = []
    size = tree_size(bundle) / _MIB
    _say(f"bundle, unpacked: {size:.0f} MiB (at most {MOST_MIB})")
    if size > MOST_MIB:
        complaints.append(f"the bundle has {size:.0f} MiB, more than {MOST_MIB}")
    complaints += deb.validate(work / "deb" / "root")
    seconds = _timed("first window", lambda: measure_starts([str(bundle / "confvm-gui")], STARTS))
    _say(f"window drawn after {', '.join(f'{each:.2f}' for each in seconds)} s (at most {MOST_SECONDS:g})")
    if max(seconds) > MOST_SECONDS:
        complaints.append(f"the window took {max(seconds):.2f} s to appear")
    (wheel,), (package,) = out.glob("*.whl"), out.glob("*.deb")
    proofs: tuple[tuple[str, Callable[[], object]], ...] = (
        ("the wheel in a clean environment", lambda: try_in_clean_environment(wheel, work / "clean-environment")),
        ("the package in a clean Debian", lambda: clean_root.try_in_clean_root(package, work / "tour")),
    )
    for what, proof in proofs:
        try:
            _timed(what, proof)
        except subprocess.CalledProcessError as error:
            complaints.append(f"{what}: {error}")
    complaints += _timed("a second build", lambda: _second_build(source, bundle, work / "again", out))
    if not complaints:
        _say("All of it holds.")
    return _told(complaints)


def _second_build(source: Source, bundle: Path, work: Path, out: Path) -> list[str]:
    """The same again in another folder, and where it is not. Packing it has tests of its own."""
    again = work / "out"
    shutil.rmtree(work, ignore_errors=True)
    again.mkdir(parents=True)
    install_wheel(build_wheel(source, again))
    second = _bundle(source, work / "bundle")
    found = comparison.tree_differences(bundle, second)
    shutil.copy(second / "sbom.cdx.json", again)
    shutil.copy(second / "NOTICE", again)
    found += [text for text in comparison.differences(out, again) if "only one of them" not in text]
    return [f"not the same in a second build: {text}" for text in found]


def _bundle(source: Source, work: Path) -> Path:
    from installers.bundle import build_bundle
    from installers.icons import write_icns, write_ico

    icon: Path | None = None
    svg = source.resources / "icons" / "confvm.svg"
    work.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        icon = work.parent / "confvm.ico"
        write_ico(svg, icon)
    elif sys.platform == "darwin":
        icon = work.parent / "confvm.icns"
        write_icns(svg, icon)
    return build_bundle(source, work, icon=icon)


def _platform() -> str:
    import platform

    return f"{platform.system().lower()}-{platform.machine().lower()}"


def _timed(what: str, work: Callable[[], T]) -> T:
    began = time.monotonic()
    done = work()
    _say(f"{time.monotonic() - began:6.1f} s  {what}")
    return done


def _told(complaints: Sequence[str]) -> int:
    for complaint in complaints:
        sys.stderr.write(f"build: {complaint}\n")
    return 1 if complaints else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
