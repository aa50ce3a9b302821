"""Evidence and endorsements as one BLOB of the `evidence` table.

    "CVE1"                 4 bytes
    zlib (RFC 1950) of     u32 little-endian length of the header, the header, all contents one after the other

The header is JSON: `{"format", "data": length, "parts": {name: length}, "certificates": [lengths], "crls", "amd",
"documents"}`; the contents stand in the order of that list, parts by name. Decoding believes nothing of it: every
length is counted against what is there.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from confvm_gui.domain.attestation import Endorsements, Evidence, EvidenceFormat
from confvm_gui.domain.errors import StoreError

MAX_CONTENT: Final = 16 << 20
"""Bytes before compression. The largest evidence that is read from a file has 8 MiB, its bundle 12 MiB."""
_MAGIC: Final = b"CVE1"
_LISTS: Final = ("certificates", "crls", "amd", "documents")
_MOST_CONTENTS: Final = 4096


def encode_content(evidence: Evidence, endorsements: Endorsements) -> bytes:
    """The BLOB. Raises StoreError for what is larger than MAX_CONTENT."""
    lists = _lists(endorsements)
    parts = sorted(evidence.parts.items())
    header = json.dumps(
        {
            "format": evidence.format.value if evidence.format is not None else "",
            "data": len(evidence.data),
            "parts": {str(name): len(content) for name, content in parts},
            **{name: [len(content) for content in contents] for name, contents in lists.items()},
        }
    ).encode()
    contents = (evidence.data, *(content for _, content in parts), *(item for each in lists.values() for item in each))
    plain = b"".join((len(header).to_bytes(4, "little"), header, *contents))
    if len(plain) > MAX_CONTENT:
        raise StoreError(f"Evidence of {len(plain) >> 20} MiB was not kept; at most {MAX_CONTENT >> 20} MiB are")
    return _MAGIC + zlib.compress(plain, 1)


def decode_content(blob: bytes) -> tuple[Evidence, Endorsements]:
    """Read it back; ValueError for anything that `encode_content` does not write."""
    if blob[:4] != _MAGIC:
        raise ValueError("another mark")
    plain = _inflated(blob[4:])
    size = int.from_bytes(plain[:4], "little")
    if len(plain) < 4 + size:
        raise ValueError("the header is cut short")
    try:
        header = json.loads(plain[4 : 4 + size])
    except RecursionError:
        raise ValueError("the header is nested") from None
    if not isinstance(header, dict) or header.keys() != {"format", "data", "parts", *_LISTS}:
        raise ValueError("the header has other members")
    take = _Taker(plain, 4 + size)
    kind = EvidenceFormat(header["format"]) if header["format"] else None
    data = take.one(header["data"])
    if not isinstance(header["parts"], dict):
        raise ValueError("the parts are no object")
    parts = {name: take.one(length) for name, length in header["parts"].items()}
    certificates, crls, amd, documents = (tuple(take.all(header[name])) for name in _LISTS)
    take.end()
    return Evidence(data, kind, MappingProxyType(parts)), Endorsements(certificates, crls, amd, documents)


def _lists(endorsements: Endorsements) -> dict[str, tuple[bytes, ...]]:
    given = (endorsements.certificates, endorsements.crls, endorsements.amd_certificates, endorsements.documents)
    return dict(zip(_LISTS, given, strict=True))


def _inflated(packed: bytes) -> bytes:
    """No more than MAX_CONTENT, whatever it would become."""
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(packed, MAX_CONTENT)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not inflater.eof or inflater.unconsumed_tail or inflater.unused_data:
        raise ValueError("cut short, too large, or followed by something")
    return plain


class _Taker:
    """Cuts contents off, one after the other."""

    def __init__(self, plain: bytes, at: int) -> None:
        self._plain = plain
        self._at = at
        self._taken = 0

    def one(self, length: object) -> bytes:
        self._taken += 1
        if not isinstance(length, int) or isinstance(length, bool) or not 0 <= length <= len(self._plain) - self._at:
            raise ValueError("a length is none")
        if self._taken > _MOST_CONTENTS:
            raise ValueError("too many contents")
        self._at += length
        return self._plain[self._at - length : self._at]

    def all(self, lengths: object) -> Iterator[bytes]:
        if not isinstance(lengths, list):
            raise ValueError("the lengths are no list")
        return (self.one(length) for length in lengths)

    def end(self) -> None:
        if self._at != len(self._plain):
            raise ValueError("there is more than the header says")
