"""Evidence, endorsements and reference values read from files, for the window and for the command line.

With limits: nothing that is given is believed to be small. The verifiers' own readers are imported when the first file
is read: the command line starts without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from confvm_gui.domain.attestation import Endorsements, Evidence, ReferenceValues
from confvm_gui.domain.errors import InvalidInput

LARGEST_EVIDENCE: Final = 8 << 20
"""Bytes. The largest event log that a machine hands out is 1 MiB."""
_LARGEST_FILE: Final = 2 << 20
"""Bytes of an endorsement or of a reference file."""
_MOST_ENDORSEMENTS: Final = 256
"""Files, those in folders included."""


def read_evidence(
    path: Path, parts: Mapping[str, bytes] = MappingProxyType({})
) -> tuple[Evidence, Endorsements, datetime | None]:
    """Evidence from a file or a bundle, with the endorsements and the time of the bundle.

    `parts` stand beside those that a bundle has, and in front of them. Raises InvalidInput("evidence").
    """
    from confvm_gui.attestation.bundle import is_bundle, unpack

    data = read_file(path, "evidence")
    if not is_bundle(data):
        return Evidence(data, parts=parts), Endorsements(), None
    bundle = unpack(data)
    evidence = replace(bundle.evidence, parts=MappingProxyType({**bundle.evidence.parts, **parts}))
    return evidence, bundle.endorsements, bundle.at


def read_endorsements(paths: Iterable[Path]) -> Endorsements:
    """Certificates, revocation lists and collateral: files, or folders of them. Raises InvalidInput("endorsements")."""
    from confvm_gui.attestation.endorsement_files import gather

    files: list[Path] = []
    for path in paths:
        try:
            files.extend(sorted(entry for entry in path.iterdir() if entry.is_file()) if path.is_dir() else [path])
        except OSError as error:
            raise InvalidInput("endorsements", f"{path} cannot be read: {error.strerror or error}") from None
    if len(files) > _MOST_ENDORSEMENTS:
        raise InvalidInput("endorsements", f"{len(files)} files were given; at most {_MOST_ENDORSEMENTS} are read")
    return gather(read_file(file, "endorsements", _LARGEST_FILE) for file in files)


def read_reference(
    path: Path | None, report_data: str | None, allow_debug: bool, *, report_data_field: str = "report_data"
) -> ReferenceValues:
    """Expected values from a file, and what was typed beside them; None: not given.

    Raises InvalidInput("reference", or `report_data_field`, as whoever asks calls it).
    """
    values = ReferenceValues()
    if path is not None:
        from confvm_gui.attestation.reference_file import parse_reference_values

        values = parse_reference_values(read_file(path, "reference", _LARGEST_FILE))
    if report_data is not None:
        try:
            values = replace(values, report_data=bytes.fromhex(report_data))
        except ValueError:
            raise InvalidInput(report_data_field, "Give the bytes as hexadecimal digits, two for each byte") from None
    return replace(values, allow_debug=True) if allow_debug else values


def read_file(path: Path, field: str, largest: int = LARGEST_EVIDENCE) -> bytes:
    """The content, at most `largest` bytes; InvalidInput(field)."""
    try:
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except (OSError, ValueError) as error:  # ValueError: a zero character in the path
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidInput(field, f"{path} cannot be read: {reason}") from None
    if len(data) > largest:
        raise InvalidInput(field, f"{path} has more than {largest >> 20} MiB, which is too large for this")
    return data
