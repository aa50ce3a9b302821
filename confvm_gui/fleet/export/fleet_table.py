"""The whole fleet as a table for spreadsheets (RFC 4180)."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final, TextIO

from confvm_gui.domain.instance import Instance

COLUMNS: Final = (*Instance.__slots__, "confidential")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for the start of a formula (OWASP, "CSV Injection"): names and tags are others' words."""


def write_fleet(instances: Iterable[Instance], out: TextIO) -> None:
    """A line of names, and one for each instance. Labels are one cell of JSON."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for instance in instances:
        writer.writerow([_cell(getattr(instance, name)) for name in COLUMNS])


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Enum():
            return defused(str(value.value))
        case int() | float():
            return str(value)
        case Mapping():
            return json.dumps(dict(value), ensure_ascii=False, sort_keys=True)
    return defused(str(value))


def defused(text: str) -> str:
    """A text that a spreadsheet shows and does not carry out."""
    return f"'{text}" if text.startswith(_FORMULA) else text
