"""Forwarding of the log while a console is open: which server, how far it has the log, and why not further.

What is kept of it is one setting; how far a server has the log is in a file of the data directory (see `forward`), so
that a restart goes on where it was.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confvm_gui.domain.errors import InvalidInput, ReadOnly
from confvm_gui.domain.event import EventOutcome, Severity
from confvm_gui.domain.ports.repositories import AuditLog
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.audit import forward
from confvm_gui.fleet.audit.forward import DEFAULT_PORT, Delivered, Destination, Forwarder, parse_destination
from confvm_gui.fleet.background import Background
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.observable import Observable
from confvm_gui.fleet.roles.access import Access
from confvm_gui.fleet.settings import Settings

FORWARD_SETTING: Final = "audit.forward"


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits for the server; it is the log itself, on disk."""

    waiting: int
    delivered: int
    """Sequence of the last record that the server confirmed."""
    trouble: str = ""
    """Why it gets no further, in one sentence; "" while it does."""


class Forwarding:
    """One server for one data directory. Only the console that writes sends; `confvm audit forward` is for the rest."""

    def __init__(
        self,
        log: AuditLog,
        settings: Settings,
        access: Access,
        events: EventFeed,
        data_dir: Path,
        *,
        readonly_reason: str = "",
        first_pause: float = forward.FIRST_PAUSE,
    ) -> None:
        self.changes: Observable[None] = Observable()
        """Another server, or other luck with it."""
        self._log = log
        self._settings = settings
        self._access = access
        self._events = events
        self._data_dir = data_dir
        self._readonly_reason = readonly_reason
        self._first_pause = first_pause
        self._trouble = ""
        self._started = False
        self._background = Background()

    @property
    def destination(self) -> Destination | None:
        """The server of the settings; None for none, or for an entry that is none."""
        nothing: dict[str, object] = {}
        kept = self._settings.get(FORWARD_SETTING, nothing)
        to, authorities = kept.get("to"), kept.get("ca")
        if not isinstance(to, str) or not to:
            return None
        try:
            return parse_destination(to, authorities=Path(authorities) if isinstance(authorities, str) else None)
        except InvalidInput:
            return None

    async def queue(self) -> Queue:
        """Raises StoreError."""
        head = await self._log.search(forward.ALL, limit=1)
        last = head[0].sequence if head else 0
        chosen = self.destination
        if chosen is None:
            return Queue(last, 0, self._trouble)
        delivered = await asyncio.to_thread(Delivered.of(self._data_dir, chosen).read)
        return Queue(max(0, last - delivered), delivered, self._trouble)

    async def choose(self, host: str, port: str = "", authorities: str = "") -> Destination:
        """Send to this server from now on, all that it has not got yet.

        Raises InvalidInput("host", "port" or "ca"), Forbidden, ReadOnly.
        """
        chosen = await _checked(host, port, authorities)
        self._require_permitted()
        self._keep({"to": chosen.name, "ca": "" if chosen.authorities is None else str(chosen.authorities)})
        await self._begin()
        return chosen

    async def stop(self) -> None:
        """Send to nobody. What a server has stays known, should it be chosen again. Raises Forbidden, ReadOnly."""
        self._require_permitted()
        self._keep({})
        await self._background.aclose()
        self._set_trouble("")

    async def test(self, host: str, port: str = "", authorities: str = "") -> Destination:
        """Connect, let the server prove who it is, and let go; nothing is sent.

        Raises InvalidInput("host", "port" or "ca"), Transient with the reason, Forbidden.
        """
        chosen = await _checked(host, port, authorities)
        self._access.require(Permission.EXPORT_AUDIT)
        context = await asyncio.to_thread(forward.tls_context, chosen)
        await forward.deliver(chosen, context, ())
        return chosen

    async def start(self) -> None:
        """Go on with the server of the settings."""
        self._started = not self._readonly_reason
        await self._begin()

    async def aclose(self) -> None:
        self._started = False
        await self._background.aclose()

    # Inside ---------------------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        await self._background.aclose()
        self._set_trouble("")
        chosen = self.destination
        if chosen is None or not self._started:
            return
        forwarder = Forwarder(
            self._log,
            chosen,
            Delivered.of(self._data_dir, chosen),
            first_pause=self._first_pause,
            on_trouble=self._on_trouble,
        )
        self._background = Background()
        self._background.start(forwarder.run(), "forwarding of the audit log")

    def _keep(self, value: dict[str, object]) -> None:
        nothing: dict[str, object] = {}
        before = self._settings.get(FORWARD_SETTING, nothing)
        self._settings.put(FORWARD_SETTING, value)
        if before != value:
            to = value.get("to")
            said = f"The log is forwarded to {to} from now on" if to else "The log is forwarded no more"
            self._events.record("audit.forward", said, before=before or None, after=value or None)

    def _on_trouble(self, reason: str) -> None:
        chosen = self.destination
        name = "" if chosen is None else chosen.name
        self._events.record(
            "audit.forward",
            f"The log is not forwarded: {reason}" if reason else f"The log is forwarded to {name} again",
            severity=Severity.WARNING if reason else Severity.INFO,
            actor="console",
            outcome=EventOutcome.FAILURE if reason else EventOutcome.SUCCESS,
            detail={"to": name},
        )
        self._set_trouble(reason)

    def _set_trouble(self, reason: str) -> None:
        self._trouble = reason
        self.changes.emit(None)

    def _require_permitted(self) -> None:
        if self._readonly_reason:
            raise ReadOnly(self._readonly_reason)
        self._access.require(Permission.EXPORT_AUDIT)


async def _checked(host: str, port: str, authorities: str) -> Destination:
    """What was typed as a server. Raises InvalidInput with the field."""
    chosen = _typed(host.strip(), port.strip(), authorities.strip())
    await asyncio.to_thread(forward.tls_context, chosen)
    return chosen


def _typed(host: str, port: str, authorities: str) -> Destination:
    if not host or any(letter.isspace() or letter in "/[]" for letter in host):
        raise InvalidInput("host", "Give the name or the address of the syslog server")
    if port and not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise InvalidInput("port", f"A port is a number from 1 to 65535; syslog over TLS has {DEFAULT_PORT}")
    path = Path(authorities).expanduser() if authorities else None
    return Destination(host, int(port) if port else DEFAULT_PORT, path)
