"""The house is in order, and what the README and the help say of it is true."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import confvm_gui
from tests.support import house

_ROOT = Path(__file__).resolve().parents[2]
_README = (_ROOT / "README.md").read_text()
_HELP = _ROOT / "resources" / "help"
_PYPROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("check", [house.stray_packages, house.long_files, house.drawers, house.shortcuts])
def test_house_is_in_order(check: Callable[[Path], list[str]]) -> None:
    assert check(_ROOT) == []


@pytest.fixture
def other_house(tmp_path: Path) -> Path:
    """A small project with this one's rules."""
    (tmp_path / "pyproject.toml").write_bytes((_ROOT / "pyproject.toml").read_bytes())
    for folder in ("confvm_gui/sev", "tests", "packaging", "resources", ".ci"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "confvm_gui/__init__.py").touch()
    (tmp_path / "confvm_gui/sev/__init__.py").touch()
    return tmp_path


def test_other_house_is_in_order(other_house: Path) -> None:
    for check in (house.stray_packages, house.long_files, house.drawers, house.shortcuts):
        assert check(other_house) == []


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("confvm_gui/gadgets/__init__.py", "confvm_gui/gadgets stands in no layer"),
        ("confvm_gui/loose.py", "confvm_gui/loose.py stands in no layer"),
        ("confvm_gui/sev/deep/module.py", "confvm_gui/sev/deep has no __init__.py, so that no contract sees it"),
        ("packaging/__init__.py", "packaging/__init__.py makes a package outside confvm_gui and tests"),
    ],
)
def test_stray_package_is_found(other_house: Path, path: str, complaint: str) -> None:
    (other_house / path).parent.mkdir(exist_ok=True)
    (other_house / path).touch()
    assert house.stray_packages(other_house) == [complaint]


def test_long_file_is_found_unless_it_says_why(other_house: Path) -> None:
    path = other_house / "confvm_gui/sev/table.py"
    path.write_text('"""A table."""\n' + "X = 1\n" * 500)
    assert house.long_files(other_house) == [
        "confvm_gui/sev/table.py has 501 lines, and its docstring does not say why"
    ]
    path.write_text('"""A table: 500 lines of data that belong together."""\n' + "X = 1\n" * 500)
    assert house.long_files(other_house) == []


@pytest.mark.parametrize("name", ["utils.py", "page_helpers.py", "misc/__init__.py", "window_manager.py"])
def test_drawer_is_found(other_house: Path, name: str) -> None:
    (other_house / "confvm_gui/sev" / name).parent.mkdir(exist_ok=True)
    (other_house / "confvm_gui/sev" / name).touch()
    assert len(house.drawers(other_house)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "import os  # " + "noqa",
        "x: int = ''  # " + "type: ignore[assignment]",
        "x = 1  # " + "TODO later",
        "dialog.exec()",
        "from PySide6.QtCore import QSortFilterProxyModel",
        "model = QtCore.QSortFilterProxyModel()",
        "try:\n    x = 1\nexcept Exception:\n    x = 2",
    ],
)
def test_shortcut_is_found(other_house: Path, line: str) -> None:
    (other_house / "confvm_gui/sev/module.py").write_text(line + "\n")
    assert len(house.shortcuts(other_house)) == 1


@pytest.mark.parametrize("handler", ["  # a guest may raise anything\n    x = 2", "\n    x = 2\n    raise"])
def test_broad_except_with_a_reason_or_that_passes_on_is_allowed(other_house: Path, handler: str) -> None:
    (other_house / "confvm_gui/sev/module.py").write_text(f"try:\n    x = 1\nexcept Exception:{handler}\n")
    assert house.shortcuts(other_house) == []


def test_drawer_among_classes_is_found(other_house: Path) -> None:
    (other_house / "confvm_gui/sev/module.py").write_text("class SessionManager:\n    pass\n")
    assert len(house.drawers(other_house)) == 1


# --- What is written is true -----------------------------------------------------------------------------------------


def test_links_of_all_pages_lead_somewhere() -> None:
    pages = [_ROOT / "README.md", *sorted((_ROOT / "resources").rglob("*.md"))]
    assert [dead for page in pages for dead in house.dead_links(page)] == []


def test_paths_in_the_readme_exist() -> None:
    named = set(re.findall(r"(?<![\w/])(?:confvm_gui|resources|packaging|tests|\.ci)/[\w./-]*\w", _README))
    assert {"packaging/run", "packaging/test", ".ci/run"} <= named
    assert [path for path in sorted(named) if not (_ROOT / path).exists()] == []


def test_map_in_the_readme_has_every_room() -> None:
    named = set(re.findall(r"^\| `confvm_gui/(\w+)` \|", _README, re.MULTILINE))
    rooms = {path.parent.name for path in (_ROOT / "confvm_gui").glob("*/__init__.py")}
    assert named == rooms


def test_map_in_the_readme_has_every_adapter() -> None:
    for room in ("providers", "keys"):
        row = re.search(rf"^\| `confvm_gui/{room}` \| (.*) \|$", _README, re.MULTILINE)
        assert row is not None
        adapters = {path.parent.name for path in (_ROOT / "confvm_gui" / room).glob("*/__init__.py")}
        assert set(re.findall(r"`(\w+)`", row[1])) == adapters


def test_commands_in_the_readme_and_help_exist() -> None:
    pages = _README + "".join(page.read_text() for page in _HELP.rglob("*.md"))
    named = {command.split()[0] for command in re.findall(r"\bconfvm ([a-z][a-z-]*(?: [a-z]+)?)", pages)}
    script = "import sys; from confvm_gui.app.cli import main; sys.exit(main())"
    shown = subprocess.run([sys.executable, "-c", script, "--help"], capture_output=True, text=True, check=True).stdout
    assert {"catalog", "run", "list", "show", "audit", "bench"} <= named
    assert [command for command in sorted(named) if not re.search(rf"\b{command}\b", shown)] == []


def test_scripts_of_the_project_can_be_loaded() -> None:
    project = _PYPROJECT["project"]
    targets = [*project["scripts"].values(), *project["gui-scripts"].values()]
    for target in targets:
        module, _, function = target.partition(":")
        subprocess.run([sys.executable, "-c", f"from {module} import {function}"], check=True)


def test_commands_can_be_run() -> None:
    for script in ("packaging/setup", "packaging/run", "packaging/test", ".ci/run"):
        path = _ROOT / script
        assert path.stat().st_mode & 0o111, f"{script} is not executable"
        shell = path.read_text().splitlines()[0].removeprefix("#!").split()
        subprocess.run([*shell, "-n", str(path)], check=True)


def test_setup_refuses_what_it_does_not_know() -> None:
    done = subprocess.run([_ROOT / "packaging/setup", "fly"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "usage: packaging/setup [run|test]\n"


def test_licence_is_the_one_that_is_declared() -> None:
    text = (_ROOT / "LICENSE").read_text()
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert _PYPROJECT["project"]["license"] == "Apache-2.0"


def test_changelog_begins_with_this_version() -> None:
    first = re.search(r"^## (\S+?),? ", (_ROOT / "resources/changelog.md").read_text(), re.MULTILINE)
    assert first is not None
    assert first[1] == confvm_gui.__version__


def test_decision_records_are_numbered_without_gaps_and_have_their_parts() -> None:
    records = sorted((_ROOT / "resources/adr").glob("*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        text = path.read_text()
        assert text.startswith(f"# {int(path.name[:4])}. "), path.name
        for part in ("Status: ", "## Context", "## Decision", "## Consequences"):
            assert f"\n{part}" in text, f"{path.name} lacks {part!r}"


def test_every_help_page_is_there_in_both_languages() -> None:
    english = {page.name for page in _HELP.glob("*.md")}
    french = {page.name for page in (_HELP / "fr").glob("*.md")}
    assert english == french
    for name in english:
        assert house.headings(_HELP / name) == house.headings(_HELP / "fr" / name), name
        assert house.links_of(_HELP / name) == house.links_of(_HELP / "fr" / name), name


def test_every_help_page_can_be_reached_from_the_first() -> None:
    reached = {"getting-started.md"}
    while new := {link for name in reached for link in house.links_of(_HELP / name) if "/" not in link} - reached:
        reached |= new
    assert reached == {page.name for page in _HELP.glob("*.md")}
