"""Records as syslog messages (RFC 5424) in frames that count their bytes (RFC 5425, section 4.3).

The structured data carry what makes a message the same when it comes twice: the hash of its record. 32473 is the
enterprise number that RFC 5612 keeps for examples; the console has none of its own.
"""

from __future__ import annotations

import re

from confvm_gui.domain.event import AuditRecord, EventOutcome, Severity
from confvm_gui.fleet.audit.records import json_line, utc

_LOG_AUDIT = 13
"""Facility (RFC 5424, table 1)."""
_SEVERITIES = {Severity.INFO: 6, Severity.WARNING: 4, Severity.ERROR: 3}
_NOTICE = 5
_UNPRINTABLE = re.compile(r"[^!-~]")
_NIL = "-"
_STRUCTURED = "confvm@32473"
_LONGEST_MESSAGE_ID = 32


def syslog_message(record: AuditRecord) -> bytes:
    """One message: header, structured data, and the whole record as JSON."""
    event, origin = record.event, record.event.origin
    severity = _SEVERITIES[event.severity]
    if severity > _NOTICE and event.outcome is EventOutcome.DENIED:
        severity = _NOTICE
    header = " ".join(
        (
            f"<{_LOG_AUDIT * 8 + severity}>1",
            utc(event.at).replace("+00:00", "Z"),
            _word("" if origin is None else origin.host, 255),
            "confvm",
            _word("" if origin is None else str(origin.process), 128),
            _word(event.action, _LONGEST_MESSAGE_ID),
        )
    )
    values = {
        "sequence": str(record.sequence),
        "hash": record.hash,
        "actor": event.actor,
        "outcome": event.outcome.value,
        "subject": event.subject,
    }
    structured = " ".join(f'{name}="{_parameter(value)}"' for name, value in values.items() if value)
    # The mark of order says that what follows is UTF-8 (section 6.4).
    return f"{header} [{_STRUCTURED} {structured}] ".encode() + b"\xef\xbb\xbf" + json_line(record).encode()


def frame(message: bytes) -> bytes:
    """`MSG-LEN SP SYSLOG-MSG`."""
    return str(len(message)).encode() + b" " + message


def _word(text: str, longest: int) -> str:
    """Printable ASCII without spaces (section 6, PRINTUSASCII)."""
    return _UNPRINTABLE.sub("_", text)[:longest] or _NIL


def _parameter(text: str) -> str:
    """Section 6.3.3: these three are escaped."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")
