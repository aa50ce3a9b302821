"""Records as OCSF events: class API Activity (6003) of category Application Activity, schema 1.3.0 (schema.ocsf.io)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

from confvm_gui import __version__
from confvm_gui.domain.event import AuditRecord, EventOutcome, Severity
from confvm_gui.fleet.audit.records import utc

SCHEMA_VERSION = "1.3.0"
_CATEGORY, _CLASS = 6, 6003
_CREATE, _READ, _UPDATE, _DELETE, _OTHER = 1, 2, 3, 4, 99
_ACTIVITIES: Mapping[str, int] = MappingProxyType(
    {
        "create": _CREATE,
        "clone": _CREATE,
        "snapshot": _CREATE,
        "added": _CREATE,
        "asked": _CREATE,
        "download": _CREATE,
        "view-plaintext": _READ,
        "search-plaintext": _READ,
        "snapshot-plaintext": _READ,
        "export": _READ,
        "query": _READ,
        "scan": _READ,
        "read": _READ,
        "unwrap": _READ,
        "delete": _DELETE,
        "delete-snapshot": _DELETE,
        "removed": _DELETE,
        "destroy": _DELETE,
        "start": _UPDATE,
        "stop": _UPDATE,
        "reset": _UPDATE,
        "pause": _UPDATE,
        "resume": _UPDATE,
        "migrate": _UPDATE,
        "revert": _UPDATE,
        "changed": _UPDATE,
        "rotate": _UPDATE,
        "rewrap": _UPDATE,
    }
)
"""By the second word of an action."""
_NAMES = {_CREATE: "Create", _READ: "Read", _UPDATE: "Update", _DELETE: "Delete", _OTHER: "Other"}
_SEVERITIES = {Severity.INFO: (1, "Informational"), Severity.WARNING: (3, "Medium"), Severity.ERROR: (4, "High")}
_STATUSES = {
    EventOutcome.SUCCESS: (1, "Success"),
    EventOutcome.FAILURE: (2, "Failure"),
    EventOutcome.DENIED: (2, "Failure"),
    EventOutcome.PENDING: (99, "Pending"),
}


def ocsf_event(record: AuditRecord) -> dict[str, object]:
    """One API Activity event, JSON-able."""
    event, origin = record.event, record.event.origin
    activity = _ACTIVITIES.get(event.action.partition(".")[2], _OTHER)
    severity_id, severity = _SEVERITIES[event.severity]
    status_id, status = _STATUSES[event.outcome]
    user: dict[str, object] = {"name": event.actor}
    endpoint: dict[str, object] = {"name": "local console"}
    actor: dict[str, object] = {"user": user}
    if origin is not None:
        if origin.uid is not None and origin.user == event.actor:
            user["uid"] = str(origin.uid)
        endpoint["hostname"] = origin.host
        actor["process"] = {"pid": origin.process, "name": f"confvm ({origin.via})"}
    found: dict[str, object] = {
        "activity_id": activity,
        "activity_name": _NAMES[activity],
        "category_uid": _CATEGORY,
        "category_name": "Application Activity",
        "class_uid": _CLASS,
        "class_name": "API Activity",
        "type_uid": _CLASS * 100 + activity,
        "type_name": f"API Activity: {_NAMES[activity]}",
        "time": round(event.at * 1000),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "message": event.message,
        "actor": actor,
        "api": {"operation": event.action, "service": {"name": "ConfVM Console"}},
        "src_endpoint": endpoint,
        "metadata": {
            "version": SCHEMA_VERSION,
            "product": {"name": "ConfVM Console", "vendor_name": "ConfVM", "version": __version__},
            "uid": record.hash,
            "sequence": record.sequence,
            "original_time": utc(event.at),
            "log_name": "audit",
        },
        "unmapped": {
            "detail": dict(event.detail),
            "before": event.before,
            "after": event.after,
            "previous_hash": record.previous_hash,
            "form": record.form,
        },
    }
    if event.subject:
        found["resources"] = [{"uid": event.subject, "type": event.action.partition(".")[0]}]
    return found


def ocsf_line(record: AuditRecord) -> str:
    """Without the end of the line."""
    return json.dumps(ocsf_event(record), ensure_ascii=False)
