"""Looking at a records file from the console."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.fleet.records import SAMPLE_RECORDS, inspect_records


def refusal(path: Path) -> str:
    with pytest.raises(InvalidInput) as caught:
        asyncio.run(inspect_records(path))
    assert caught.value.field == "records"
    return caught.value.message


def test_the_sample_is_a_good_one() -> None:
    summary = asyncio.run(inspect_records(SAMPLE_RECORDS))
    assert summary.rows == 240
    assert (summary.index_column, summary.label_column) == ("visit", "readmitted")
    assert summary.label_rule == "readmitted is yes (the other value is no)"
    assert len(summary.features) == 6
    assert len(summary.preview) == 8
    text = summary.preview[0][-1]
    assert len(text) > 60
    assert SAMPLE_RECORDS.read_text(encoding="utf-8").count(text) == 1
    assert text not in repr(summary)
    assert summary.bytes == SAMPLE_RECORDS.stat().st_size


def test_columns_can_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("a,b,c,d\nx,1,4,5\ny,2,5,7\nz,3,6,7\n")
    summary = asyncio.run(inspect_records(path, index_column="b", label_column="c"))
    assert (summary.index_column, summary.index_rule) == ("b", "chosen")
    assert (summary.label_column, summary.label_rule) == ("c", "c is above its median")
    assert summary.features == ("d",)


def test_a_gibibyte_is_refused_by_its_size_without_being_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 1 << 30)

    def must_not_open(*args: object, **kwargs: object) -> None:
        raise AssertionError("the file was opened")

    monkeypatch.setattr(Path, "open", must_not_open)
    assert refusal(path) == "The records file has 1,024.0 MiB; at most 16 MiB can be taken"


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    assert "There is no file" in refusal(tmp_path / "missing.csv")
    assert "is a folder" in refusal(tmp_path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "not a regular file" in refusal(pipe)
    assert "cannot be read" in refusal(tmp_path / "file\0name")
    assert "cannot be read" in refusal(tmp_path / ("x" * 300))
    empty = tmp_path / "empty.csv"
    empty.touch()
    assert "is empty" in refusal(empty)


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.csv"
    path.write_text("a\n1\n")

    def forbidden(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    assert "may not be read by this user" in refusal(path)


def test_reading_is_done_off_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def note_thread(path: Path) -> bytes:
        threads.append(threading.current_thread())
        return b"a\n1\n"

    monkeypatch.setattr("confvm_gui.fleet.records.read_records_file", note_thread)
    asyncio.run(inspect_records(tmp_path))
    assert threads
    assert threads[0] is not threading.main_thread()
