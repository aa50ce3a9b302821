"""One file with everything that a verdict stands on, to be verified again anywhere: a zip.

    manifest.json              {"confvm": 1, "format", "at"}
    evidence.bin               the main bytes            parts/NAME                  what stands beside them
    certificates/000.der …     crls/000.der …            amd/000.cert …              documents/000.json …

A bundle proves nothing by itself: it holds evidence and endorsements, which are verified like any other. It is read
with limits, because a small zip can stand for a very large file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from confvm_gui.attestation.json_object import JsonReader, parse_object
from confvm_gui.domain.attestation import Endorsements, Evidence, EvidenceFormat, EvidencePart
from confvm_gui.domain.bounded_zip import ZipLimits, pack_zip, unpack_zip
from confvm_gui.domain.errors import InvalidInput

MAX_BUNDLE_SIZE: Final = 8 << 20
_LIMITS: Final = ZipLimits(files=256, content=12 << 20, file=12 << 20)
_VERSION: Final = 1
_WHAT: Final = "The evidence bundle"
_FOLDERS: Final = MappingProxyType({"certificates": "der", "crls": "der", "amd": "cert", "documents": "json"})


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle holds."""

    evidence: Evidence
    endorsements: Endorsements
    at: datetime | None = None
    """When the evidence was verified last, or None."""


def is_bundle(data: bytes) -> bool:
    """Whether a zip begins here."""
    return data[:4] == b"PK\x03\x04"


def pack(bundle: Bundle) -> bytes:
    """The zip. The same bundle gives the same bytes."""
    evidence, given = bundle.evidence, bundle.endorsements
    manifest: dict[str, object] = {"confvm": _VERSION, "format": evidence.format.value if evidence.format else ""}
    if bundle.at is not None:
        manifest["at"] = bundle.at.isoformat()
    files = [("manifest.json", json.dumps(manifest, sort_keys=True).encode()), ("evidence.bin", evidence.data)]
    files += ((f"parts/{name}", content) for name, content in sorted(evidence.parts.items()))
    for folder, contents in _endorsements(given).items():
        files += ((f"{folder}/{number:03}.{_FOLDERS[folder]}", content) for number, content in enumerate(contents))
    return pack_zip(files, 0o644)


def unpack(data: bytes) -> Bundle:
    """Read a bundle; InvalidInput("evidence")."""
    if len(data) > MAX_BUNDLE_SIZE:
        raise _malformed(f"has {len(data)} bytes; the largest that is accepted has {MAX_BUNDLE_SIZE}")
    files = unpack_zip(data, _LIMITS, _malformed)
    reader = JsonReader(parse_object(files.get("manifest.json", b""), f"{_WHAT}'s manifest"), f"{_WHAT}'s manifest")
    if reader.number("confvm") != _VERSION:
        raise _malformed("was made by a newer console")
    if "evidence.bin" not in files:
        raise _malformed("has no evidence")
    evidence = Evidence(files["evidence.bin"], _format(reader.text("format")), _parts(files))
    endorsements = Endorsements(
        _folder(files, "certificates"), _folder(files, "crls"), _folder(files, "amd"), _folder(files, "documents")
    )
    return Bundle(evidence, endorsements, _time(reader.text("at")) if reader.has("at") else None)


def _endorsements(given: Endorsements) -> Mapping[str, Iterable[bytes]]:
    return {
        "certificates": given.certificates,
        "crls": given.crls,
        "amd": given.amd_certificates,
        "documents": given.documents,
    }


def _parts(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    parts = {name.removeprefix("parts/"): content for name, content in files.items() if name.startswith("parts/")}
    unknown = sorted(parts.keys() - {str(part) for part in EvidencePart})
    if unknown:
        raise _malformed(f"has the part {unknown[0][:40]!r}, which is not known")
    return MappingProxyType(parts)


def _folder(files: Mapping[str, bytes], folder: str) -> tuple[bytes, ...]:
    return tuple(content for name, content in sorted(files.items()) if name.startswith(f"{folder}/"))


def _format(text: str) -> EvidenceFormat | None:
    if not text:
        return None
    try:
        return EvidenceFormat(text)
    except ValueError:
        raise _malformed(f"has evidence of the format {text[:40]!r}, which is not known") from None


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise _malformed("has a malformed time") from None
    if at.tzinfo is None:
        raise _malformed("has a time without a zone")
    return at


def _malformed(problem: str) -> InvalidInput:
    return InvalidInput("evidence", f"{_WHAT} {problem}")
