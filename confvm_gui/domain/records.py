"""The administrator's records: from the bytes of a CSV file to a checked table.

Pure: no file is opened here (see `records_file`). What a guest will do with a column is decided here, by rules that
can be told in one sentence:

- a column is **numeric** if every field of it that is not empty is a decimal number, and one is not empty;
- the **key**, by which the guest looks rows up, is the first column whose fields all differ and none is empty, of
  text or whole numbers; where there is none it is the first column;
- the **label**, which the guest learns to predict, is the last column beside the key that has exactly two values,
  else the last numeric one, cut at its median;
- it learns from the **features**: the numeric columns beside label and key, the first 16 of them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from confvm_gui.domain.errors import BugError, InvalidInput

MAXIMUM_BYTES: Final = 16 << 20
"""Of a CSV file."""
MAXIMUM_ROWS: Final = 200_000
MAXIMUM_COLUMNS: Final = 64
MAXIMUM_NAME: Final = 80
"""Characters of a column's name."""
MAXIMUM_FEATURES: Final = 16
MAXIMUM_NUMBER: Final = 64
"""Characters of a number."""

_DELIMITERS: Final = ",;\t|"
_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SNIFFED_RECORDS: Final = 5
_ROWS_AT_ONCE: Final = 2048
_PIECE: Final = 1 << 20
"""Bytes looked at in one call, during which other threads wait."""
_SHOWN: Final = 40
"""Characters of a value or name that a message repeats."""


class LabelKind(IntEnum):
    """What makes a row's label 1. The numbers are those of the records disk."""

    NONE = 0
    TWO_VALUES = 1
    """The value sorted last (`yes` of no/yes, 1 of 0/1)."""
    ABOVE_MEDIAN = 2


@dataclass(frozen=True, slots=True)
class RecordsTable:
    """A checked table. It does not print its rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = field(repr=False)
    numeric: tuple[bool, ...]
    """One for each column."""
    index_column: str
    index_rule: str
    """Why it is the key, in words."""
    label_column: str
    """"" where there is nothing to learn."""
    label_kind: LabelKind
    label_rule: str
    """What a label of 1 means, or why there is none, in words."""
    features: tuple[str, ...]
    """Columns to learn from; empty exactly where there is no label."""
    size: int
    """Bytes of the CSV."""


def parse_number(text: str) -> float | None:
    """The decimal number that the field holds, blanks around it allowed; None if it holds none.

    A number has at most 64 characters and is 0 or between 1e-300 and 1e300 in magnitude; `inf` and `nan` are text.
    """
    text = text.strip(" \t")
    if len(text) > MAXIMUM_NUMBER:
        return None
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    value = float(text)
    if value == 0:
        return 0.0 if not match[1].strip("0.") else None
    return value if 1e-300 <= abs(value) <= 1e300 else None


def parse_records(data: bytes, *, index_column: str | None = None, label_column: str | None = None) -> RecordsTable:
    """Check the bytes of a CSV file: UTF-8, a header line, then records separated by comma, semicolon, tab or `|`.

    `index_column` and `label_column` replace the choice by the rules above. Raises InvalidInput("records") with one
    sentence that names the line where there is one.
    """
    _check_text(data)
    columns, rows = _read(data)
    numeric = tuple(_is_numeric(rows, at) for at in range(len(columns)))
    key, index_rule, is_key = _choose_index(columns, rows, numeric, index_column)
    label, kind, label_rule = _choose_label(columns, rows, numeric, key if is_key else None, label_column)
    candidates = (at for at in range(len(columns)) if numeric[at] and at != label and not (is_key and at == key))
    features = tuple(candidates)[:MAXIMUM_FEATURES]
    if label is not None and not features:
        label, kind, label_rule = None, LabelKind.NONE, "nothing is learned: there is no numeric column to learn from"
    return RecordsTable(
        columns=columns,
        rows=rows,
        numeric=numeric,
        index_column=columns[key],
        index_rule=index_rule,
        label_column="" if label is None else columns[label],
        label_kind=kind,
        label_rule=label_rule,
        features=() if label is None else tuple(columns[at] for at in features),
        size=len(data),
    )


def let_go(rows: list[tuple[str, ...]]) -> None:
    """Free the rows of a table piece by piece, leaving `rows` empty.

    Freed in one call, as when the last reference to a big table goes, they keep other threads waiting (40 ms for two
    million fields). The caller holds no other reference: `rows = list(table.rows)`, `del table`, `let_go(rows)`.
    """
    while rows:
        del rows[-_ROWS_AT_ONCE:]


def _wrong(message: str) -> InvalidInput:
    return InvalidInput("records", message)


def check_size(size: int) -> None:
    """Raise InvalidInput("records") where a file of `size` bytes is too big, or empty."""
    if size == 0:
        raise _wrong("The records file is empty; give a CSV file with a header line and at least one record")
    if size > MAXIMUM_BYTES:
        raise _wrong(
            f"The records file has {size / (1 << 20):,.1f} MiB; at most {MAXIMUM_BYTES >> 20} MiB can be taken"
        )


def _check_text(data: bytes) -> None:
    """Refuse what is no text file, in the words of what it is."""
    check_size(len(data))
    if data.startswith(b"PK\x03\x04"):
        raise _wrong("The records file is a ZIP archive or a spreadsheet; export the sheet as CSV and give that")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or any(data[:200:2]) + any(data[1:200:2]) == (len(data) > 1):
        raise _wrong("The records file is UTF-16 text; save it as UTF-8")
    for start in range(0, len(data), _PIECE):
        control = _CONTROL.search(data, start, start + _PIECE)
        if control is not None:
            at, byte = control.start(), control[0][0]
            raise _wrong(f"The records file is not a text file: byte {at:,} is 0x{byte:02X}; give a CSV file")


def _read(data: bytes) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Column names and rows, all of the same width."""
    records = _records(data, _delimiter(data))
    header = next(records, None)
    if header is None:
        raise _wrong("The records file has no text in it; give a CSV file with a header line and at least one record")
    columns = _column_names(header[1])
    rows: list[tuple[str, ...]] = []
    for line, fields in records:
        if len(fields) != len(columns):
            raise _wrong(
                f"Line {line:,} has {_count(len(fields), 'field')} where the header line has {len(columns)}; "
                "give every record as many"
            )
        if len(rows) == MAXIMUM_ROWS:
            raise _wrong(f"The records file has more than {MAXIMUM_ROWS:,} records; give fewer")
        rows.append(tuple(fields))
    if not rows:
        raise _wrong("The records file has a header line but no records below it")
    return columns, tuple(rows)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _delimiter(data: bytes) -> str:
    """The first of `,;\\t|` that cuts the header and the next records into equally many fields, at least two.

    Where none does, the one that the header line has most of, so that a ragged file is told by its own separator.
    """
    counts: dict[str, int] = {}
    for delimiter in _DELIMITERS:
        widths = []
        try:
            for _, fields in _records(data, delimiter):
                widths.append(len(fields))
                if len(widths) == _SNIFFED_RECORDS:
                    break
        except InvalidInput:
            widths = widths[:1]
        if widths and widths[0] > 1:
            if len(widths) > 1 and len(set(widths)) == 1:
                return delimiter
            counts[delimiter] = widths[0]
    return max(counts, key=lambda delimiter: counts[delimiter], default=",")


def _records(data: bytes, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Records with the number of the line that each begins in; blank lines are passed over.

    Decoded piece by piece, never in one long call that would keep other threads waiting.
    """
    reader = csv.reader(
        io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline=""), delimiter=delimiter, strict=True
    )
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except UnicodeDecodeError:
            raise _not_utf8(data) from None
        except csv.Error as error:
            raise _quoting(line, str(error)) from None
        if fields:
            yield line, fields


def _not_utf8(data: bytes) -> InvalidInput:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return _wrong(f"The records file is not UTF-8 text (line {line:,}); save it as UTF-8")
    raise BugError("A piece of the records file was not UTF-8 while the whole is; please report this")


def _quoting(line: int, reason: str) -> InvalidInput:
    if "unexpected end of data" in reason:
        return _wrong(f"A quoted field in the record of line {line:,} is never closed; add the closing quote")
    if "field larger" in reason:
        return _wrong(f"A field in the record of line {line:,} is longer than 131,072 characters; shorten it")
    return _wrong(f"The quotes in line {line:,} do not fit; double a quote that is part of a quoted field")


def _column_names(fields: Sequence[str]) -> tuple[str, ...]:
    if len(fields) > MAXIMUM_COLUMNS:
        raise _wrong(f"The header line has {len(fields):,} columns; at most {MAXIMUM_COLUMNS} can be taken")
    columns = tuple(" ".join(name.split()) for name in fields)
    for number, name in enumerate(columns, start=1):
        if not name:
            raise _wrong(f"Column {number} has no name in the header line; name it or remove it")
        if len(name) > MAXIMUM_NAME:
            raise _wrong(f"The name of column {number} is longer than {MAXIMUM_NAME} characters; shorten it")
        if columns.index(name) != number - 1:
            raise _wrong(f"Two columns have the name {_short(name)!r}; give each its own")
    return columns


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _is_numeric(rows: Sequence[Sequence[str]], column: int) -> bool:
    seen = False
    for row in rows:
        text = row[column]
        if not text.strip(" \t"):
            continue
        if parse_number(text) is None:
            return False
        seen = True
    return seen


def _place(columns: Sequence[str], name: str) -> int:
    if name not in columns:
        raise _wrong(f"The records have no column {_short(name)!r}; they have {_short(', '.join(columns))}")
    return columns.index(name)


def _is_key(rows: Sequence[Sequence[str]], numeric: bool, column: int) -> bool:
    """Whether all fields differ and none is empty, and they are text or whole numbers."""
    seen: set[str | float] = set()
    for row in rows:
        text = row[column]
        value: str | float | None = parse_number(text) if numeric else text
        if value is None or value == "" or value in seen or (isinstance(value, float) and not value.is_integer()):
            return False
        seen.add(value)
    return True


def _choose_index(
    columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool], wanted: str | None
) -> tuple[int, str, bool]:
    """Place of the index column, the rule, and whether it tells every row from all others."""
    if wanted is not None:
        at = _place(columns, wanted)
        return at, "chosen", _is_key(rows, numeric[at], at)
    for at in range(len(columns)):
        if _is_key(rows, numeric[at], at):
            return at, "the first column whose values all differ", True
    return 0, "the first column (none has values that all differ)", False


def _two_values(rows: Sequence[Sequence[str]], numeric: bool, column: int) -> list[str]:
    """Up to three different values, as text, smallest first; of numbers those of different value. Empty ones not."""
    found: dict[str | float, str] = {}
    for row in rows:
        text = row[column]
        key: str | float | None = parse_number(text) if numeric else text
        if key is None or key == "":
            continue
        found.setdefault(key, text.strip())
        if len(found) == 3:
            break
    if numeric:
        return [text for _, text in sorted(found.items(), key=lambda item: float(item[0]))]
    return [text for _, text in sorted(found.items(), key=lambda item: str(item[0]).encode())]


def _choose_label(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    numeric: Sequence[bool],
    key: int | None,
    wanted: str | None,
) -> tuple[int | None, LabelKind, str]:
    """Place of the label column, its kind, the rule. `key` is left out unless it is wanted."""
    if wanted is not None:
        at = _place(columns, wanted)
        values = _two_values(rows, numeric[at], at)
        if len(values) < 2:
            raise _wrong(f"The column {_short(wanted)!r} has only one value; a label has two, or is numeric")
        if len(values) > 2 and not numeric[at]:
            raise _wrong(f"The column {_short(wanted)!r} is text with more than two values; a label has two")
        return _label(columns, at, values)
    others = [at for at in reversed(range(len(columns))) if at != key]
    values_of = {at: _two_values(rows, numeric[at], at) for at in others}
    for at in others:
        if len(values_of[at]) == 2:
            return _label(columns, at, values_of[at])
    for at in others:
        if numeric[at] and len(values_of[at]) > 2:
            return _label(columns, at, values_of[at])
    return None, LabelKind.NONE, "nothing is learned: no column has two values, and none is numeric with several"


def _label(columns: Sequence[str], at: int, values: Sequence[str]) -> tuple[int, LabelKind, str]:
    if len(values) == 2:
        low, high = map(_short, values)
        return at, LabelKind.TWO_VALUES, f"{columns[at]} is {high} (the other value is {low})"
    return at, LabelKind.ABOVE_MEDIAN, f"{columns[at]} is above its median"
