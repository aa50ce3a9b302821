"""What chips reported of their TCB over time, taken from the claims of verdicts.

Only a report whose whole chain of signatures holds counts: of anything else nobody knows which chip said it. A launch
that is not the expected one still tells truly what its chip runs.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

from confvm_gui.domain.attestation import ClaimValue
from confvm_gui.domain.attestation_record import AttestationRecord, Occasion, TcbPoint
from confvm_gui.store.encoding import canonical_json

KEPT: Final = 500
"""Points of each chip."""
_FIELDS: Final = ("reported_tcb", "committed_tcb", "current_tcb")
_PREFIXES: Final = ("", "hardware.")
"""Of the claims of a report that stands alone, and of one within a cloud's evidence."""


def note_tcb(connection: sqlite3.Connection, record: AttestationRecord) -> None:
    """Keep what the record says of its chip, where it says something new."""
    links = record.verdict.links
    if not links or not all(link.verified for link in links):
        return
    claims = record.verdict.claim_values()
    for prefix in _PREFIXES:
        chip = claims.get(f"{prefix}chip_id")
        versions = [_components(claims, f"{prefix}{name}.") for name in _FIELDS]
        if isinstance(chip, str) and chip.strip("0") and versions[0]:
            _note(connection, chip, _moment(record), canonical_json(versions, "TCB"), record.instance_id)


def read_timeline(connection: sqlite3.Connection, chip_id: str, limit: int) -> list[TcbPoint]:
    """The newest `limit` changes, oldest first; ValueError or TypeError for what no console wrote."""
    rows = connection.execute(
        "SELECT at, versions, instance_id FROM tcb_points WHERE chip_id = ? ORDER BY at, sequence", (chip_id,)
    ).fetchall()
    # Points may have come out of order, so neighbours can still be equal.
    changed = [row for number, row in enumerate(rows) if number == 0 or row[1] != rows[number - 1][1]]
    return [_point(chip_id, *row) for row in changed[max(0, len(changed) - max(0, limit)) :]]


def _moment(record: AttestationRecord) -> float:
    """Of a file: the time as of which it was judged, which is nearer to when it was made than now is."""
    if record.occasion is Occasion.FILE and record.verdict.at is not None:
        return record.verdict.at.timestamp()
    return record.at


def _components(claims: Mapping[str, ClaimValue], prefix: str) -> dict[str, int]:
    return {
        name.removeprefix(prefix): value
        for name, value in claims.items()
        if name.startswith(prefix) and isinstance(value, int) and not isinstance(value, bool)
    }


def _note(connection: sqlite3.Connection, chip: str, at: float, versions: str, instance_id: str) -> None:
    connection.execute(
        "INSERT INTO chips VALUES (?, ?) ON CONFLICT (chip_id) DO UPDATE SET seen_at = max(seen_at, excluded.seen_at)",
        (chip, at),
    )
    before = connection.execute(
        "SELECT versions FROM tcb_points WHERE chip_id = ? AND at <= ? ORDER BY at DESC, sequence DESC LIMIT 1",
        (chip, at),
    ).fetchone()
    if before is not None and before[0] == versions:
        return
    connection.execute(
        "INSERT INTO tcb_points (chip_id, at, versions, instance_id) VALUES (?, ?, ?, ?)",
        (chip, at, versions, instance_id),
    )
    connection.execute(
        "DELETE FROM tcb_points WHERE chip_id = ?1 AND sequence NOT IN "
        "(SELECT sequence FROM tcb_points WHERE chip_id = ?1 ORDER BY at DESC, sequence DESC LIMIT ?2)",
        (chip, KEPT),
    )


def _point(chip_id: str, at: float, text: str, instance_id: str) -> TcbPoint:
    versions = json.loads(text)
    if not isinstance(versions, list) or len(versions) != len(_FIELDS):
        raise TypeError("not three versions")
    reported, committed, current = (_versions(one) for one in versions)
    return TcbPoint(chip_id, at, reported, committed, current, instance_id)


def _versions(value: object) -> Mapping[str, int]:
    if not isinstance(value, dict) or not all(isinstance(number, int) for number in value.values()):
        raise TypeError("no version")
    return value


def list_chips(connection: sqlite3.Connection) -> Sequence[str]:
    """The one seen last first."""
    rows = connection.execute("SELECT chip_id FROM chips ORDER BY seen_at DESC, chip_id").fetchall()
    return [chip for (chip,) in rows]


def let_go_of_instances(connection: sqlite3.Connection, instance_ids: Sequence[str]) -> None:
    """The instances are gone; what their chips said stays."""
    connection.executemany(
        "UPDATE tcb_points SET instance_id = '' WHERE instance_id = ?", [(one,) for one in instance_ids]
    )
