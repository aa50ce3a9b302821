"""Looking at the administrator's records before they are launched with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from confvm_gui.domain.records import let_go, parse_records
from confvm_gui.domain.records_file import read_records_file
from confvm_gui.resource_files import resources_dir

SAMPLE_RECORDS: Final[Path] = resources_dir() / "samples" / "clinic-visits.csv"
"""Invented patients of an invented clinic, shipped with the console."""

_PREVIEW_ROWS: Final = 8


@dataclass(frozen=True, slots=True)
class RecordsSummary:
    """What a records file holds and what a guest would do with it. It does not print the records."""

    path: Path
    columns: tuple[str, ...]
    numeric: tuple[bool, ...]
    """One for each column."""
    rows: int
    bytes: int
    """Of the file."""
    index_column: str
    """By which the guest looks rows up; `index_rule` says why."""
    label_column: str
    """What the guest learns to predict, or ""."""
    label_rule: str
    """What a label of 1 means, or why there is none, in words."""
    preview: tuple[tuple[str, ...], ...] = field(repr=False)
    """The first eight rows."""
    index_rule: str = ""
    features: tuple[str, ...] = ()
    """What the guest learns from."""


async def inspect_records(
    path: Path, *, index_column: str | None = None, label_column: str | None = None
) -> RecordsSummary:
    """Read and check the file, off the event loop.

    Raises InvalidInput("records") with one sentence. A file over 16 MiB is refused by its size, without reading it.
    """
    return await asyncio.to_thread(_inspect, path, index_column, label_column)


def _inspect(path: Path, index_column: str | None, label_column: str | None) -> RecordsSummary:
    table = parse_records(read_records_file(path), index_column=index_column, label_column=label_column)
    summary = RecordsSummary(
        path=path,
        columns=table.columns,
        numeric=table.numeric,
        rows=len(table.rows),
        bytes=table.size,
        index_column=table.index_column,
        label_column=table.label_column,
        label_rule=table.label_rule,
        preview=table.rows[:_PREVIEW_ROWS],
        index_rule=table.index_rule,
        features=table.features,
    )
    rows = list(table.rows)
    del table
    let_go(rows)
    return summary
