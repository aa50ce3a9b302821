"""Endorsements in one zip, to be carried to a computer that has no network: manifest.json and the cache's files.

    manifest.json    {"confvm-endorsements": 1}          entries/NUMBER.entry    as in `record`

It is read with limits, because a small zip can stand for a very large file, and every endorsement of it is read like
one that was fetched. Signatures are looked at by each verdict, so a bundle by a stranger makes nothing trusted.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

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
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def pack_endorsements(records: Iterable[Record]) -> bytes:
    """The zip. The same records give the same bytes. Only records that are `present` are taken."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        _write(archive, _MANIFEST, json.dumps({"confvm-endorsements": _VERSION}).encode())
        present = sorted((record for record in records if record.present), key=lambda record: record.url)
        for number, record in enumerate(present[: _MOST_FILES - 1]):
            _write(archive, f"entries/{number:05}.entry", encode_record(record))
    return output.getvalue()


def unpack_endorsements(data: bytes, now: float) -> list[tuple[Record, Content]]:
    """The records of a zip, each read; InvalidInput("path"). How long each holds is reckoned anew, not believed."""
    if len(data) > LARGEST_BUNDLE:
        raise _malformed(f"has {len(data)} bytes; at most {LARGEST_BUNDLE} are read")
    found: dict[str, tuple[Record, Content]] = {}
    try:
        files = _read(data)
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


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    archive.writestr(entry, content)


def _read(data: bytes) -> dict[str, bytes]:
    """Content of every file. Sizes are counted while unpacking: what the directory says is not believed."""
    found: dict[str, bytes] = {}
    left = LARGEST_BUNDLE
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > _MOST_FILES:
                raise _malformed(f"has {len(entries)} files; {_MOST_FILES} are accepted")
            for entry in entries:
                name = entry.filename
                if name in found or not (name == _MANIFEST or _NAME.fullmatch(name)):
                    raise _malformed("has a file that does not belong there")
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise _malformed("is packed in an unusual way")
                with archive.open(entry) as file:
                    content = file.read(min(left, LARGEST_RECORD) + 1)
                left -= len(content)
                if left < 0 or len(content) > LARGEST_RECORD:
                    raise _malformed("holds more than is accepted")
                found[name] = content
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as problem:
        # OSError and ValueError: impossible offsets. RuntimeError: an encrypted file; NotImplementedError is one, too.
        raise _malformed(f"is no readable zip ({' '.join(str(problem).split())[:80]})") from None
    return found


def _malformed(problem: str) -> InvalidInput:
    return InvalidInput("path", f"The file {problem}")
