"""What happened: recorded into the hash-chained log and told to whoever listens."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from confvm_gui.domain.event import AuditFilter, AuditRecord, AuditVerdict, Event, EventOutcome, Severity
from confvm_gui.domain.ports.repositories import AuditLog
from confvm_gui.fleet.identity import current_user, origin
from confvm_gui.fleet.observable import Observable

_SECRET_NAME: Final = re.compile(r"passw|passphrase|secret|private|token|credential|api_?key", re.IGNORECASE)
_SECRET_IN_ADDRESS: Final = re.compile(r"(?<=://)([^/@:\s]*):[^/@\s]*@")
NOT_RECORDED: Final = "(not recorded)"


class EventFeed:
    """Recording and reading of events. In a read-only session events are told but not written."""

    def __init__(self, log: AuditLog, *, readonly: bool, via: str = "cli") -> None:
        self.changes: Observable[Event] = Observable()
        self.verify_signed: Callable[[], Awaitable[AuditVerdict]] | None = None
        """Verifies signatures and the anchor as well; set where there is a key."""
        self.require_readable: Callable[[], None] = lambda: None
        """Raises Forbidden for a user who may not read the log; set where there are roles."""
        self._log = log
        self._readonly = readonly
        self._origin = origin(via)

    def record(
        self,
        action: str,
        message: str,
        *,
        subject: str = "",
        severity: Severity = Severity.INFO,
        actor: str | None = None,
        detail: Mapping[str, object] | None = None,
        outcome: EventOutcome = EventOutcome.SUCCESS,
        before: object = None,
        after: object = None,
    ) -> None:
        """Append an event by `actor` (default: the user) to the log. Returns at once.

        What stands under the name of a secret, and passwords in addresses, are left out wherever they stand.
        """
        event = Event(
            at=time.time(),
            actor=actor or current_user(),
            action=action,
            subject=subject,
            message=_without_passwords(message),
            severity=severity,
            detail={} if detail is None else {key: without_secrets(value, key) for key, value in detail.items()},
            outcome=outcome,
            origin=self._origin,
            before=without_secrets(before),
            after=without_secrets(after),
        )
        self.take(event)

    def take(self, event: Event) -> None:
        """Append an event that was made already."""
        if not self._readonly:
            self._log.append(event)
        self.changes.emit(event)

    async def read(
        self, *, limit: int, before: int | None = None, subject: str | None = None, text: str = ""
    ) -> Sequence[AuditRecord]:
        """Newest first; see AuditLog.read. Raises Forbidden too."""
        self.require_readable()
        return await self._log.read(limit=limit, before=before, subject=subject, text=text)

    async def search(
        self, wanted: AuditFilter, *, limit: int, before: int | None = None, after: int | None = None
    ) -> Sequence[AuditRecord]:
        """See AuditLog.search. Raises Forbidden too."""
        self.require_readable()
        return await self._log.search(wanted, limit=limit, before=before, after=after)

    async def verify(self) -> AuditVerdict:
        """Check the whole chain, and what is signed of it where there is a key."""
        if self.verify_signed is not None:
            return await self.verify_signed()
        return await self._log.verify()


def without_secrets(value: object, name: str = "") -> object:
    """`value` as it may stand in a log; `name` is the key under which it stands."""
    if isinstance(value, Mapping):
        return {str(key): without_secrets(each, str(key)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_secrets(each, name) for each in value]
    if name and _SECRET_NAME.search(name) and value not in (None, ""):
        return NOT_RECORDED
    return _without_passwords(value) if isinstance(value, str) else value


def _without_passwords(text: str) -> str:
    return _SECRET_IN_ADDRESS.sub(r"\1:***@", text) if "://" in text else text
