"""Evidence, endorsements and reference values from files, and bundles into files.

Files are read and unpacked on threads, with limits: nothing that is given is believed to be small.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from confvm_gui.domain.attestation import Endorsements, Evidence, ReferenceValues
from confvm_gui.domain.attestation_record import AttestationRecord
from confvm_gui.domain.errors import InvalidInput, Unsupported
from confvm_gui.domain.ports.endorsement_source import EndorsementCache
from confvm_gui.fleet.attest.judgement import Judgement, completed, judge, with_cached

LARGEST_EVIDENCE: Final = 8 << 20
"""Bytes. The largest event log that a machine hands out is 1 MiB."""
LARGEST_FILE: Final = 2 << 20
"""Bytes of an endorsement or of a reference file."""
MOST_ENDORSEMENTS: Final = 256
"""Files, those in folders included."""


async def judge_file(
    path: Path,
    *,
    endorsements: Sequence[Path],
    reference: Path | None,
    report_data: str,
    at: datetime | None,
    fetch: bool,
    allow_debug: bool,
    source: EndorsementCache | None,
) -> Judgement:
    """Verify a file of evidence, or a bundle.

    Raises InvalidInput with the field (`evidence`, `endorsements`, `reference`, `report_data`), Transient when
    `fetch` cannot reach a publisher, Unsupported when there is nowhere to fetch from.
    """
    evidence, given, values = await asyncio.to_thread(
        _read_all, path, tuple(endorsements), reference, report_data, allow_debug
    )
    if fetch:
        if source is None:
            raise Unsupported("Nothing can be fetched in this session; give the endorsements as files")
        given = await completed(evidence, given, source)
    elif source is not None:
        given = await with_cached(evidence, given, source)
    moment = datetime.now(UTC) if at is None else at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return await judge(evidence, given, values, moment)


async def write_bundle(record: AttestationRecord, path: Path) -> None:
    """The record's evidence and endorsements as a zip, whole or not at all. Raises InvalidInput("path")."""
    await asyncio.to_thread(_write_bundle, record, path)


def _read_all(
    path: Path, endorsements: Sequence[Path], reference: Path | None, report_data: str, allow_debug: bool
) -> tuple[Evidence, Endorsements, ReferenceValues]:
    from confvm_gui.attestation.bundle import is_bundle, unpack
    from confvm_gui.attestation.endorsement_files import gather

    data = _read(path, "evidence", LARGEST_EVIDENCE)
    evidence, held = Evidence(data), Endorsements()
    if is_bundle(data):
        bundle = unpack(data)
        evidence, held = bundle.evidence, bundle.endorsements
    given = gather(_read(file, "endorsements", LARGEST_FILE) for file in _files(endorsements))
    return evidence, held + given, _reference(reference, report_data, allow_debug)


def _files(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        try:
            files.extend(sorted(entry for entry in path.iterdir() if entry.is_file()) if path.is_dir() else [path])
        except OSError as error:
            raise InvalidInput("endorsements", f"{path} cannot be read: {error.strerror or error}") from None
    if len(files) > MOST_ENDORSEMENTS:
        raise InvalidInput("endorsements", f"{len(files)} files were given; at most {MOST_ENDORSEMENTS} are read")
    return files


def _reference(path: Path | None, report_data: str, allow_debug: bool) -> ReferenceValues:
    values = ReferenceValues()
    if path is not None:
        from confvm_gui.attestation.reference_file import parse_reference_values

        values = parse_reference_values(_read(path, "reference", LARGEST_FILE))
    if report_data:
        try:
            values = replace(values, report_data=bytes.fromhex(report_data))
        except ValueError:
            raise InvalidInput("report_data", "Give the bytes as hexadecimal digits, two for each byte") from None
    return replace(values, allow_debug=True) if allow_debug else values


def _read(path: Path, field: str, largest: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except (OSError, ValueError) as error:  # ValueError: a zero character in the path
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidInput(field, f"{path} cannot be read: {reason}") from None
    if len(data) > largest:
        raise InvalidInput(field, f"{path} has more than {largest >> 20} MiB, which is too large for this")
    return data


def _write_bundle(record: AttestationRecord, path: Path) -> None:
    from confvm_gui.attestation.bundle import Bundle, pack

    content = pack(Bundle(record.evidence, record.endorsements, record.verdict.at))
    # In the same folder, so that the name changes hands in one step: nobody ever sees half a bundle.
    try:
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with beside.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidInput("path", f"{path} cannot be written: {reason}; choose another place") from None
