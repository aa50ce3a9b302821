"""The SBOM lists what the console imports; every part has its licence; the list is the same each time."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest
from installers.papers import notice, sbom, write_papers
from installers.parts import Part, parts_of
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.conftest import ROOT

_EPOCH = 1_700_000_000


def _imported() -> set[str]:
    """Other people's modules that the console names in an import."""
    found: set[str] = set()
    for path in (ROOT / "confvm_gui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    ours = {*sys.stdlib_module_names, "confvm_gui"}
    return {name for name in found if name.partition(".")[0] not in ours}


def _file(module: str) -> str | None:
    """None for what is no module (a class, say) or a namespace."""
    try:
        spec = find_spec(module)
    except (ModuleNotFoundError, ValueError):  # the latter where a package put something else in a module's place
        return None
    return spec.origin if spec is not None else None


@pytest.fixture(scope="module")
def parts() -> list[Part]:
    """As if the bundle held one file of each imported package, and of Python."""
    files = [file for file in map(_file, sorted(_imported())) if file is not None]
    return parts_of([*files, json.__file__])


def test_what_is_imported_is_listed(parts: list[Part]) -> None:
    listed = json.loads(sbom(parts, version="1.2.3", epoch=_EPOCH))
    names = {canonicalize_name(component["name"]) for component in listed["components"]}
    owners = metadata.packages_distributions()
    for module in {name.partition(".")[0] for name in _imported()}:
        assert names & {canonicalize_name(owner) for owner in owners[module]}, module
    assert {"pyside6-essentials", "shiboken6", "unicorn", "cryptography", "cel-expr-python"} <= names
    assert {"cpython", "pyinstaller"} <= names
    assert "confvm-console" not in names
    assert listed["metadata"]["component"]["version"] == "1.2.3"
    assert listed["metadata"]["timestamp"].startswith("2023-11-14")


def test_it_is_the_same_for_the_same_parts(parts: list[Part]) -> None:
    text = sbom(parts, version="1", epoch=_EPOCH)
    assert sbom(parts[::-1], version="1", epoch=_EPOCH) == text
    other = sbom([part for part in parts if part.name != "unicorn"], version="1", epoch=_EPOCH)
    assert json.loads(other)["serialNumber"] != json.loads(text)["serialNumber"]


def test_copyleft_comes_first_and_is_told_as_it_is(parts: list[Part]) -> None:
    text = notice(parts, version="1.2.3")
    asking, _, others = text.partition("ask for their notice to be kept")
    assert re.search(r"unicorn \S+: GPL-2.0-only", asking)
    assert re.search(r"PySide6_Essentials \S+: LGPL-3.0-only OR", asking)
    assert "with Qt: LGPL-3.0-only" in asking
    assert re.search(r"pyte \S+: LGPL-3.0", asking)
    assert re.search(r"qasync \S+: BSD-2-Clause", others)


def test_each_part_comes_with_its_licence(parts: list[Part], tmp_path: Path) -> None:
    write_papers(parts, ROOT / "LICENSE", tmp_path, version="1", epoch=_EPOCH)
    for part in parts:
        texts = list((tmp_path / "licences" / f"{part.name}-{part.version}").iterdir())
        assert sum(text.stat().st_size for text in texts) > 200
        assert part.licence
    (unicorn,) = (tmp_path / "licences").glob("unicorn-*/*")
    assert "GNU GENERAL PUBLIC LICENSE" in unicorn.read_text()


def test_nothing_is_passed_on_without_a_licence(tmp_path: Path) -> None:
    bare = Part("bare", "1", "", "pkg:pypi/bare@1", "", ())
    with pytest.raises(ValueError, match="bare 1 is bundled and no text"):
        write_papers([bare], ROOT / "LICENSE", tmp_path, version="1", epoch=_EPOCH)


def test_libraries_of_the_system_are_their_packages() -> None:
    (library,) = Path("/usr/lib").glob("*-linux-gnu/libfontconfig.so.1")
    (part,) = (part for part in parts_of([str(library)]) if part.name != "pyinstaller")
    assert part.name == "libfontconfig1"
    assert part.purl == f"pkg:deb/debian/libfontconfig1@{part.version}"
    assert [text.name for text in part.texts] == ["copyright"]


def test_nothing_is_bundled_whose_owner_is_unknown(tmp_path: Path) -> None:
    stray = tmp_path / "stray.so"
    stray.write_bytes(b"")
    with pytest.raises(ValueError, match="no package is known to own it"):
        parts_of([str(stray)])


def test_the_versions_of_all_that_is_wanted_are_fixed() -> None:
    """packaging/build installs these, so that two builds of one commit have the same in them."""
    lines = (ROOT / "packaging" / "installers" / "versions.txt").read_text().split()
    fixed = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = {name: wanted for name, wanted in project["optional-dependencies"].items() if name != "dev"}
    for text in [*project["dependencies"], *(text for wanted in extras.values() for text in wanted)]:
        requirement = Requirement(text)
        version = fixed.get(canonicalize_name(requirement.name))
        assert version is not None, f"{text} is not in versions.txt"
        assert requirement.specifier.contains(version), text
