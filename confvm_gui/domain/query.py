"""Questions to a guest that works on records, and its answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class QueryVerb(Enum):
    """What the records guest can be asked."""

    COUNT = "count"
    """Rows whose `column` equals `value`."""
    FIND = "find"
    """The rows themselves (the first 16)."""
    PREFIX = "prefix"
    """Rows whose `column` starts with `value`."""
    RANGE = "range"
    """Rows whose numeric `column` lies between `value` and `upper`, both included."""
    PREDICT = "predict"
    """The model's probability for the row number `value` (from 0)."""
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class Query:
    verb: QueryVerb
    column: str = ""
    value: str = ""
    upper: str = ""


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """What came back, decrypted and checked by the console."""

    count: int
    columns: tuple[str, ...]
    """Names of the records' columns; `rows` are rows of them but for STATUS, whose rows are names with values."""
    rows: tuple[tuple[str, ...], ...]
    note: str
    """Free text of the guest: which index was used, the probability …"""
    seconds: float
    """From posting to reading the answer."""
