"""Records in the Common Event Format (ArcSight CEF, implementation standard, version 0 of the header).

    CEF:0|vendor|product|version|event class id|name|severity|extension

In the header, backslash and pipe are escaped by a backslash; in the extension's values backslash and equals sign are,
and ends of lines are written as \\n and \\r. Ends of lines in the header become spaces: it has no escape for them.
"""

from __future__ import annotations

from confvm_gui import __version__
from confvm_gui.domain.event import AuditRecord, Severity

_SEVERITIES = {Severity.INFO: 3, Severity.WARNING: 6, Severity.ERROR: 8}
"""0 to 3 is low, 4 to 6 medium, 7 to 8 high."""


def cef_line(record: AuditRecord) -> str:
    """Without the end of the line."""
    event, origin = record.event, record.event.origin
    header = ("ConfVM", "ConfVM Console", __version__, event.action, event.message, str(_SEVERITIES[event.severity]))
    extension = {
        "rt": str(round(event.at * 1000)),
        "externalId": str(record.sequence),
        "act": event.action,
        "outcome": event.outcome.value,
        "suser": event.actor,
        "suid": "" if origin is None or origin.uid is None else str(origin.uid),
        "shost": "" if origin is None else origin.host,
        "spid": "" if origin is None else str(origin.process),
        "cs1": event.subject,
        "cs1Label": "subject" if event.subject else "",
        "cs2": record.hash,
        "cs2Label": "hash",
        "cs3": record.previous_hash,
        "cs3Label": "previousHash",
        "cs4": "" if origin is None else " ".join(filter(None, (origin.via, origin.terminal))),
        "cs4Label": "" if origin is None else "via",
        "msg": event.message,
    }
    pairs = " ".join(f"{key}={_value(value)}" for key, value in extension.items() if value)
    return "|".join(("CEF:0", *map(_header, header), pairs))


def _header(text: str) -> str:
    return " ".join(text.split("\n")).replace("\r", " ").replace("\\", "\\\\").replace("|", "\\|")


def _value(text: str) -> str:
    return text.replace("\\", "\\\\").replace("=", "\\=").replace("\n", "\\n").replace("\r", "\\r")
