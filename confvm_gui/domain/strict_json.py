"""JSON from strangers, read strictly: one object, no name twice, no NaN."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from confvm_gui.domain.errors import InvalidInput


def parse_strictly(data: bytes, malformed: Callable[[str], InvalidInput], *, fractions: bool = True) -> dict[str, Any]:
    """The object that `data` is; raises `malformed(problem)`, the problem put as "is ...".

    `fractions`: whether numbers may have some.
    """
    try:
        value = json.loads(
            data, object_pairs_hook=_unique, parse_constant=_refuse, parse_float=None if fractions else _refuse
        )
    except (ValueError, RecursionError):
        # RecursionError: nested deeper than any document that is meant to be read.
        raise malformed("is not valid JSON") from None
    if not isinstance(value, dict):
        raise malformed("is JSON, but not an object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name stands twice")
    return value


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} has no place here")
