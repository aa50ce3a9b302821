"""What is built: all of the project and nothing beside it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from installers.source import read_source, take_source


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project, with what work on it leaves."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    folder = tmp_path / "checkout"
    for name, text in {
        "confvm_gui/__init__.py": '__version__ = "3.2.1"\n',
        "pyproject.toml": "[project]\n",
        ".gitignore": ".venv/\ndist/\n",
        ".venv/lib": "",
        "dist/old.whl": "",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    os.utime(folder / "pyproject.toml", (1_600_000_000, 1_600_000_000))
    return folder


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_an_unpacked_archive_is_taken_without_what_work_leaves(checkout: Path, tmp_path: Path) -> None:
    source = take_source(checkout, tmp_path / "copy")
    assert _files(source.root) == {"confvm_gui/__init__.py", "pyproject.toml", ".gitignore"}
    assert (source.version, source.epoch) == ("3.2.1", 1_600_000_000)
    assert read_source(source.root) == source


def test_of_a_repository_what_git_tracks_or_would_track(checkout: Path, tmp_path: Path) -> None:
    def git(*words: str) -> None:
        date = {"GIT_AUTHOR_DATE": "1650000000 +0000", "GIT_COMMITTER_DATE": "1650000000 +0000"}
        command = ["git", "-c", "user.name=N", "-c", "user.email=n@localhost", *words]
        subprocess.run(command, cwd=checkout, check=True, capture_output=True, env={**os.environ, **date})

    (checkout / "gone").write_text("")
    git("init")
    git("add", ".")
    git("commit", "--message", "All")
    (checkout / "gone").unlink()
    (checkout / "new").write_text("")
    source = take_source(checkout, tmp_path / "copy")
    assert _files(source.root) == {"confvm_gui/__init__.py", "pyproject.toml", ".gitignore", "new"}
    assert source.epoch == 1_650_000_000
    assert read_source(source.root) == source


def test_the_environment_may_say_the_time(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1234567890")
    assert take_source(checkout, tmp_path / "copy").epoch == 1_234_567_890


def test_a_source_without_a_version_is_refused(checkout: Path, tmp_path: Path) -> None:
    (checkout / "confvm_gui" / "__init__.py").write_text("")
    with pytest.raises(ValueError, match="names no version"):
        take_source(checkout, tmp_path / "copy")
