"""Endorsements in one zip, to be carried to a computer that has no network: manifest.json and the cache's files.

    manifest.json    {"confvm-endorsements": 1}          entries/NUMBER.entry    as in `record`

It is read with limits, because a small zip can stand for a very large file, and every endorsement of it is read like
one that was fetched. Signatures are looked at by each verdict, so a bundle by a stranger makes nothing trusted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from confvm_gui.domain.bounded_zip import ZipLimits, pack_zip, unpack_zip
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.endorsements.content import Content, parse_content, parse_json
from confvm_gui.endorsements.publishers import check_address
from confvm_gui.endorsements.record import LARGEST_RECORD, Record, decode_record, encode_record
from confvm_gui.endorsements.waiting import expiry

LARGEST_BUNDLE: Final = 64 << 20
"""Bytes of the file, and of what it holds."""
_MOST_FILES: Final = 20_000
_VERSION: Final = 1
_MANIFEST: Final = "manifest.json"
_NAME: Final = re.compile(r"entries/[0-9]{5}\.entry")
_LIMITS: Final = ZipLimits(files=_MOST_FILES, content=LARGEST_BUNDLE, file=LARGEST_RECORD)


def pack_endorsements(records: Iterable[Record]) -> bytes:
    """The zip. The same records give the same bytes. Only records that are `present` are taken."""
    present = sorted((record for record in records if record.present), key=lambda record: record.url)
    files = [(_MANIFEST, json.dumps({"confvm-endorsements": _VERSION}).encode())]
    files += (
        (f"entries/{number:05}.entry", encode_record(record))
        for number, record in enumerate(present[: _MOST_FILES - 1])
    )
    return pack_zip(files, 0o600)


def unpack_endorsements(data: bytes, now: float) -> list[tuple[Record, Content]]:
    """The records of a zip, each read; InvalidInput("path"). How long each holds is reckoned anew, not believed."""
    if len(data) > LARGEST_BUNDLE:
        raise _malformed(f"has {len(data)} bytes; at most {LARGEST_BUNDLE} are read")
    found: dict[str, tuple[Record, Content]] = {}
    try:
        files = unpack_zip(data, _LIMITS, _malformed, _belongs)
        if parse_json(files.pop(_MANIFEST, b"")).get("confvm-endorsements") != _VERSION:
            raise _malformed("was made by a newer console")
        for content in files.values():
            record, read = _record(content, now)
            if record.url in found:
                raise _malformed("names an address twice")
            found[record.url] = record, read
    except InvalidInput as problem:
        if problem.field == "path":
            raise
        raise _malformed(f"is no bundle of endorsements: {problem.message}") from None
    return list(found.values())


def _record(data: bytes, now: float) -> tuple[Record, Content]:
    record = decode_record(data)
    if not record.present or check_address(record.url).url != record.url:
        raise InvalidInput("endorsements", "A stored endorsement is damaged")
    content = parse_content(record.kind, record.url, record.body, record.chain)
    stored = min(record.stored_at, now)
    return replace(record, stored_at=stored, expires_at=expiry(record.kind, content, stored), attempts=0), content


def _belongs(name: str) -> bool:
    return name == _MANIFEST or _NAME.fullmatch(name) is not None


def _malformed(problem: str) -> InvalidInput:
    return InvalidInput("path", f"The file {problem}")
