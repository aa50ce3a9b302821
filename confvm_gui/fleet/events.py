"""What happened: recorded into the hash-chained log and told to whoever listens."""

from __future__ import annotations

import getpass
import time
from collections.abc import Mapping, Sequence
from functools import cache

from confvm_gui.domain.event import AuditRecord, AuditVerdict, Event, Severity
from confvm_gui.domain.ports.repositories import AuditLog
from confvm_gui.fleet.observable import Observable


@cache
def current_user() -> str:
    """The operating system's name of whoever runs the console."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"  # a container without an entry in passwd


class EventFeed:
    """Recording and reading of events. In a read-only session events are told but not written."""

    def __init__(self, log: AuditLog, *, readonly: bool) -> None:
        self.changes: Observable[Event] = Observable()
        self._log = log
        self._readonly = readonly

    def record(
        self,
        action: str,
        message: str,
        *,
        subject: str = "",
        severity: Severity = Severity.INFO,
        actor: str | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        """Append an event by `actor` (default: the user) to the log. Returns at once."""
        event = Event(
            at=time.time(),
            actor=actor or current_user(),
            action=action,
            subject=subject,
            message=message,
            severity=severity,
            detail=detail or {},
        )
        if not self._readonly:
            self._log.append(event)
        self.changes.emit(event)

    async def read(
        self, *, limit: int, before: int | None = None, subject: str | None = None, text: str = ""
    ) -> Sequence[AuditRecord]:
        """Newest first; see AuditLog.read."""
        return await self._log.read(limit=limit, before=before, subject=subject, text=text)

    async def verify(self) -> AuditVerdict:
        """Check the whole chain."""
        return await self._log.verify()
