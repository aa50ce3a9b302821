"""What an event changed, as rows: before and after, name by name."""

from __future__ import annotations

import json
from collections.abc import Mapping

_ABSENT = object()


def changed_rows(before: object, after: object) -> list[tuple[str, str, str]]:
    """Name, before, after of what differs; all of it where only one of the two is there. A dash for what is absent."""
    was, now = _flat(before), _flat(after)
    rows = []
    for name in dict.fromkeys([*was, *now]):
        old, new = was.get(name, _ABSENT), now.get(name, _ABSENT)
        if old != new:
            rows.append((name, value_text(old), value_text(new)))
    return rows


def detail_rows(detail: Mapping[str, object]) -> list[tuple[str, str]]:
    """Name and value, in the order of the event."""
    return [(name, value_text(value)) for name, value in _flat(detail).items()]


def value_text(value: object) -> str:
    """For a person: a text as it is, anything else as JSON."""
    if value is _ABSENT or value is None or value == "":
        return "–"
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _flat(value: object, name: str = "") -> dict[str, object]:
    """Values of a mapping by dotted names; lists stay together, since their places have no names."""
    if isinstance(value, Mapping):
        found: dict[str, object] = {}
        for key, each in value.items():
            found.update(_flat(each, f"{name}.{key}" if name else str(key)))
        return found
    return {} if value is None else {name: value}
