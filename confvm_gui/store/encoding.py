"""Text and JSON as they are stored, and the refusal of what cannot be.

Stored text is UTF-8, which has no place for surrogates (RFC 3629, section 3); JSON has none for NaN and infinities
(RFC 8259, section 6). Both are refused where they are handed in rather than altered.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from types import MappingProxyType

from confvm_gui.domain.errors import InvalidInput


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


_CANONICAL = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), default=_plain
)


def canonical_json(value: object, field: str) -> str:
    """`value` as JSON with sorted keys, no spaces, non-ASCII characters as they are: the same value, the same text.

    Raises InvalidInput(field) for what JSON or UTF-8 cannot hold.
    """
    try:
        text = _CANONICAL.encode(value)
        text.encode()
    except UnicodeEncodeError as error:
        raise _not_unicode(field) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(field, f"The {field} cannot be stored as JSON: {error}") from error
    return text


def json_object(text: str) -> Mapping[str, object]:
    """The JSON object in `text`; raises ValueError if it is something else."""
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return MappingProxyType(value)


def check_text(field: str, *values: str) -> None:
    """Raise InvalidInput(field) if one of `values` cannot be stored as UTF-8."""
    try:
        "".join(values).encode()
    except UnicodeEncodeError as error:
        raise _not_unicode(field) from error


def check_finite(field: str, *values: float) -> None:
    """Raise InvalidInput(field) if one of `values` is NaN or infinite."""
    if not all(map(math.isfinite, values)):
        raise InvalidInput(field, f"The {field} has a number that is not finite")


def _not_unicode(field: str) -> InvalidInput:
    return InvalidInput(field, f"The {field} has text with half a surrogate pair, which is no valid Unicode")
