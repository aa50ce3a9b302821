"""Records of the log as JSON objects, one a line: complete, so that whoever has them can verify the chain again."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime

from confvm_gui.domain.event import AuditRecord


def record_to_mapping(record: AuditRecord) -> dict[str, object]:
    """JSON-able, in the order in which people read it."""
    event = record.event
    return {
        "sequence": record.sequence,
        "at": utc(event.at),
        "at_seconds": event.at,
        "actor": event.actor,
        "action": event.action,
        "subject": event.subject,
        "message": event.message,
        "severity": event.severity.value,
        "outcome": event.outcome.value,
        "origin": None if event.origin is None else asdict(event.origin),
        "before": event.before,
        "after": event.after,
        "detail": dict(event.detail),
        "form": record.form,
        "previous_hash": record.previous_hash,
        "hash": record.hash,
    }


def json_line(record: AuditRecord) -> str:
    """Without the end of the line."""
    return json.dumps(record_to_mapping(record), ensure_ascii=False)


def utc(at: float) -> str:
    """RFC 3339 with microseconds; a time that no calendar has as the last that it has."""
    try:
        return datetime.fromtimestamp(at, UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        return datetime.max.replace(tzinfo=UTC).isoformat()
