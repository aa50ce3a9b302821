"""TOML files as checked tables: limits, types, and errors that name the file and the entry.

Everything that can be wrong with a file becomes InvalidInput("catalog", one sentence); nothing else escapes.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from confvm_gui.domain.catalogue import Source, Technology
from confvm_gui.domain.errors import InvalidInput

MAX_FILE_BYTES = 256 * 1024
"""Of one file. The largest that is shipped has 7 KiB."""

MAX_ENTRIES = 2000
"""Of one kind in one cloud, after the sizes of machine series are written out."""

MAX_ITEMS = 256
"""Of one list in an entry."""

MAX_TEXT = 400
"""Characters of one text."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}")


def problem(where: str, message: str) -> InvalidInput:
    """The error for `where` (`gce-regions.toml, region europe-west1`)."""
    return InvalidInput("catalog", f"The catalogue file {where}: {message}")


class Table:
    """One table of a file, read key by key; `done` refuses keys that nobody asked for."""

    def __init__(self, values: Mapping[str, object], where: str) -> None:
        self.where = where
        self._values = values
        self._read: set[str] = set()

    def error(self, message: str) -> InvalidInput:
        return problem(self.where, message)

    def has(self, key: str) -> bool:
        return key in self._values

    def _take(self, key: str) -> object:
        self._read.add(key)
        if key not in self._values:
            raise self.error(f"{key} is missing")
        return self._values[key]

    def text(self, key: str, default: str | None = None) -> str:
        """A text of at most MAX_TEXT printable characters, `default` when the key is absent."""
        if default is not None and key not in self._values:
            return default
        value = self._take(key)
        if not isinstance(value, str):
            raise self.error(f"{key} must be a text")
        if len(value) > MAX_TEXT:
            raise self.error(f"{key} is longer than {MAX_TEXT} characters")
        if not value.isprintable():
            raise self.error(f"{key} has characters that cannot be printed")
        return value

    def flag(self, key: str) -> bool:
        """true or false; false when absent."""
        if key not in self._values:
            return False
        value = self._take(key)
        if not isinstance(value, bool):
            raise self.error(f"{key} must be true or false")
        return value

    def _list(self, key: str) -> list[object]:
        value = self._take(key)
        if not isinstance(value, list):
            raise self.error(f"{key} must be a list")
        if len(value) > MAX_ITEMS:
            raise self.error(f"{key} has {len(value)} items; at most {MAX_ITEMS} are allowed")
        return value

    def texts(self, key: str, *, optional: bool = False) -> tuple[str, ...]:
        """A list of different texts; empty when absent and `optional`."""
        if optional and key not in self._values:
            return ()
        items: list[str] = []
        for item in self._list(key):
            if not isinstance(item, str) or not item or len(item) > MAX_TEXT or not item.isprintable():
                raise self.error(f"{key} must be a list of texts")
            if item in items:
                raise self.error(f"{key} names {item} twice")
            items.append(item)
        return tuple(items)

    def whole(self, key: str, *, most: int) -> int:
        """A whole number from 1 to `most`."""
        return self._whole(key, self._take(key), most)

    def wholes(self, key: str, *, most: int) -> tuple[int, ...]:
        """A list of at least one whole number from 1 to `most`."""
        items = tuple(self._whole(key, item, most) for item in self._list(key))
        if not items:
            raise self.error(f"{key} is empty")
        return items

    def _whole(self, key: str, value: object, most: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise self.error(f"{key} must be a whole number from 1 to {most}")
        return value

    def coordinates(self, key: str) -> tuple[float, float]:
        """Latitude and longitude in degrees."""
        items = self._list(key)
        numbers = [float(x) for x in items if isinstance(x, (int, float)) and not isinstance(x, bool) and abs(x) < 1000]
        if len(items) != 2 or len(numbers) != 2 or not all(map(math.isfinite, numbers)):
            raise self.error(f"{key} must be latitude and longitude, two numbers")
        if abs(numbers[0]) > 90 or abs(numbers[1]) > 180:
            raise self.error(f"{key} is no place on Earth: latitude -90 to 90, longitude -180 to 180")
        return numbers[0], numbers[1]

    def technologies(self, key: str, *, optional: bool = False, none_allowed: bool = False) -> frozenset[Technology]:
        """A list of technologies by their spelling on the command line."""
        return frozenset(self.technology(name, none_allowed) for name in self.texts(key, optional=optional))

    def technology(self, name: str, none_allowed: bool = False) -> Technology:
        try:
            technology = Technology(name)
        except ValueError:
            raise self.error(f"there is no technology {name[:40]!r}") from None
        if technology is Technology.NONE and not none_allowed:
            raise self.error("none is not a confidential technology")
        return technology

    def table(self, key: str) -> Table:
        return self._table(self._take(key), f"{self.where}, {key}", key)

    def tables(self, key: str) -> tuple[Table, ...]:
        """A list of at least one table."""
        items = self._list(key)
        if not items:
            raise self.error(f"{key} is empty")
        return tuple(self._table(item, f"{self.where}, {key}[{index}]", key) for index, item in enumerate(items))

    def _table(self, value: object, where: str, key: str) -> Table:
        if not isinstance(value, dict):
            raise self.error(f"{key} must be a table")
        return Table(value, where)

    def entries(self, key: str, kind: str) -> Iterator[tuple[str, Table]]:
        """The tables under `key` by name, each called `kind` in errors."""
        values = self.table(key)._values
        if not values:
            raise self.error(f"{key} is empty")
        if len(values) > MAX_ENTRIES:
            raise self.error(f"{key} has {len(values)} entries; at most {MAX_ENTRIES} are allowed")
        for name, value in values.items():
            check_name(name, self.where)
            yield name, self._table(value, f"{self.where}, {kind} {name}", name)

    def keys_left(self) -> tuple[str, ...]:
        return tuple(key for key in self._values if key not in self._read)

    def done(self) -> None:
        """Raise InvalidInput if there is a key that was not read: a misspelt one must not pass in silence."""
        left = self.keys_left()
        if left:
            raise self.error(f"there is no key {left[0][:60]!r}")


def check_name(name: str, where: str) -> str:
    """Return `name` if it can name an entry: ASCII letters, digits and `._:/-`, at most 128."""
    if not _NAME.fullmatch(name):
        raise problem(where, f"{name[:60]!r} is not a legal name")
    return name


def read_table(path: Path) -> Table:
    """Read one file.

    Raises InvalidInput when it cannot be read, is larger than MAX_FILE_BYTES, is not UTF-8 or not TOML.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise problem(path.name, f"it cannot be read ({error.strerror or 'unknown reason'})") from None
    if len(data) > MAX_FILE_BYTES:
        raise problem(path.name, f"it is larger than {MAX_FILE_BYTES // 1024} KiB")
    try:
        return Table(tomllib.loads(data.decode("utf-8")), path.name)
    except UnicodeDecodeError:
        raise problem(path.name, "it is not UTF-8 text") from None
    except ValueError as error:  # TOMLDecodeError is one; so is what int() says of 5,000 digits
        raise problem(path.name, f"it is not TOML: {str(error)[:200]}") from None
    except RecursionError:
        raise problem(path.name, "it is nested too deeply") from None


class Sources:
    """The public documents that a file names: `[sources.KEY]`, and the file's default in `source`."""

    def __init__(self, file: Table) -> None:
        self._default = file.text("source", "")
        self._sources = {key: _source(table) for key, table in file.entries("sources", "source")}

    def of(self, entry: Table) -> Source:
        """The source that `entry` names, else the file's default."""
        key = entry.text("source", self._default)
        if key not in self._sources:
            raise entry.error(f"its source {key[:60]!r} is not one of the file's sources")
        return self._sources[key]


def _source(table: Table) -> Source:
    source = Source(title=table.text("title"), url=table.text("url"), retrieved=iso_date(table, "retrieved", ""))
    table.done()
    if not source.title or not source.url.startswith("https://"):
        raise table.error("a source has a title and a URL that starts with https://")
    return source


def iso_date(table: Table, key: str, default: str | None = None) -> str:
    """A date as text, `2026-11-23`; `default` when absent."""
    value = table.text(key, default)
    if value:
        try:
            if date.fromisoformat(value).isoformat() != value:
                raise ValueError
        except ValueError:
            raise table.error(f"{key} must be a date like 2026-11-23") from None
    return value
