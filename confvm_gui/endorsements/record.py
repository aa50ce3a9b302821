"""One file of the cache: a line of JSON that says what it is, and the endorsement behind it, byte for byte.

    {"confvm-endorsement": 1, "url", "kind", "status", "stored_at", "expires_at", "attempts", "chain", "sha256"} LF body

Every file stands for itself: there is no index that could disagree with them, and two consoles can share a folder.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from confvm_gui.domain.attestation import EndorsementKind
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.endorsements.content import LARGEST, LARGEST_CHAIN, parse_json

LARGEST_RECORD: Final = max(LARGEST.values()) + LARGEST_CHAIN + (8 << 10)
"""Bytes of a file."""
_VERSION: Final = 1
_LAST_TIME: Final = 253402300799.0
"""The end of the year 9999 in seconds since the epoch."""
_MOST_ATTEMPTS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Record:
    """What was answered at an address."""

    url: str
    kind: EndorsementKind
    status: int
    """200: `body` is there; 404: not published; others: the host is left alone until `expires_at`."""
    stored_at: float
    """Seconds since the epoch, UTC."""
    expires_at: float | None
    body: bytes = field(default=b"", repr=False)
    chain: str = field(default="", repr=False)
    """Header with the issuers' certificates, as it came."""
    attempts: int = 0
    """How many refusals in a row this is."""

    @property
    def present(self) -> bool:
        return self.status == HTTPStatus.OK

    def is_fresh(self, now: float) -> bool:
        """Whether it holds at `now`. One from the future holds for nothing: the clock was set back."""
        return self.stored_at <= now + 300 and (self.expires_at is None or now < self.expires_at)


def encode_record(record: Record) -> bytes:
    """The file."""
    line = {
        "confvm-endorsement": _VERSION,
        "url": record.url,
        "kind": record.kind.value,
        "status": record.status,
        "stored_at": record.stored_at,
        "expires_at": record.expires_at,
        "attempts": record.attempts,
        "chain": record.chain,
        "sha256": hashlib.sha256(record.body).hexdigest(),
    }
    return json.dumps(line).encode() + b"\n" + record.body


def decode_record(data: bytes) -> Record:
    """Read a file; InvalidInput("endorsements") if it is damaged in any way."""
    line, separator, body = data.partition(b"\n")
    if len(data) > LARGEST_RECORD or not separator:
        raise _damaged()
    value = parse_json(line)
    if value.get("confvm-endorsement") != _VERSION:
        raise InvalidInput("endorsements", "A stored endorsement is of a newer console")
    kind = _kind(value)
    chain, expires = _text(value, "chain"), value.get("expires_at")
    record = Record(
        url=_text(value, "url"),
        kind=kind,
        status=_whole(value, "status", 599),
        stored_at=_seconds(value.get("stored_at")),
        expires_at=None if expires is None else _seconds(expires),
        body=body,
        chain=chain,
        attempts=_whole(value, "attempts", _MOST_ATTEMPTS),
    )
    if len(body) > LARGEST[kind] or len(chain) > LARGEST_CHAIN or (body and not record.present):
        raise _damaged()
    if value.get("sha256") != hashlib.sha256(body).hexdigest():
        raise _damaged()
    return record


def _kind(value: dict[str, Any]) -> EndorsementKind:
    try:
        return EndorsementKind(value.get("kind"))
    except ValueError:
        raise _damaged() from None


def _text(value: dict[str, Any], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str) or not text.isascii():
        raise _damaged()
    return text


def _whole(value: dict[str, Any], name: str, most: int) -> int:
    number = value.get(name)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= most:
        raise _damaged()
    return number


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _damaged()
    if not 0 <= value <= _LAST_TIME:  # NaN is nowhere between
        raise _damaged()
    return float(value)


def _damaged() -> InvalidInput:
    return InvalidInput("endorsements", "A stored endorsement is damaged")
