"""libvirt's events: one thread for the whole process runs libvirt's event loop, handlers run on the asyncio loop.

`EVENT_THREAD` runs while a connection holds it. Keep-alive answers, stream input and domain events all come from it,
so nothing that may block is ever done there: callbacks take the few plain values and post them.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from confvm_gui.providers.libvirt.event_loop import EpollLoop

if TYPE_CHECKING:
    import libvirt


class EventKind(Enum):
    LIFECYCLE = "life cycle"
    """`event` and `detail` are virDomainEventType and its detail."""
    REBOOT = "reboot"
    METADATA = "metadata"
    AGENT = "agent"
    """`event` is the state of the guest agent (virConnectDomainEventAgentLifecycleState)."""


@dataclass(frozen=True, slots=True)
class DomainEvent:
    """One event of one domain, without any object of libvirt's."""

    kind: EventKind
    instance_id: str
    """The domain's UUID as 32 hex digits."""
    name: str
    event: int = 0
    detail: int = 0


class EventThread:
    """The thread of libvirt's event loop. Calls of `acquire` and `release` may block for a moment: not on the loop."""

    def __init__(self) -> None:
        self._events: EpollLoop | None = None
        self._lock = threading.Lock()
        self._holders = 0
        self._thread: threading.Thread | None = None
        self._stopping = False

    def acquire(self) -> None:
        """Have it run. The first time in the process this must come before any connection is opened."""
        import libvirt

        with self._lock:
            if self._events is None:
                self._events = EpollLoop()
                self._events.register()
                # libvirt prints every error by default; all of them reach us as exceptions anyway.
                libvirt.registerErrorHandler(lambda _context, _error: None, None)
            self._holders += 1
            if self._thread is None:
                self._stopping = False
                self._thread = threading.Thread(
                    target=self._run, args=[self._events], name="libvirt-events", daemon=True
                )
                self._thread.start()

    def release(self) -> None:
        """Let it end if nobody else needs it, and wait until it has."""
        with self._lock:
            self._holders -= 1
            if self._holders or self._thread is None or self._events is None:
                return
            self._stopping = True
            self._events.wake()
            self._thread.join()
            self._thread = None

    def _run(self, events: EpollLoop) -> None:
        import libvirt

        while not self._stopping:
            with suppress(libvirt.libvirtError):  # of one callback; the others go on
                events.run_once()


EVENT_THREAD: Final = EventThread()


def post(loop: asyncio.AbstractEventLoop, handler: Callable[[], None]) -> None:
    """Have `handler` called on the asyncio loop, unless that is closed."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(handler)


def subscribe(
    conn: libvirt.virConnect, loop: asyncio.AbstractEventLoop, handler: Callable[[DomainEvent], None]
) -> list[int]:
    """Have `handler` called on `loop` for every event of every domain; returns what `unsubscribe` needs. Blocks.

    Kinds of events that the host's hypervisor does not have are left out.
    """
    import libvirt

    def tell(kind: EventKind, domain: libvirt.virDomain, event: int = 0, detail: int = 0) -> None:
        found = DomainEvent(kind, domain.UUIDString().replace("-", ""), domain.name(), event, detail)
        post(loop, lambda: handler(found))

    def life_cycle(_c: object, domain: libvirt.virDomain, event: int, detail: int, _o: object) -> None:
        tell(EventKind.LIFECYCLE, domain, event, detail)

    def reboot(_c: object, domain: libvirt.virDomain, _o: object) -> None:
        tell(EventKind.REBOOT, domain)

    def metadata(_c: object, domain: libvirt.virDomain, _kind: int, _uri: str, _o: object) -> None:
        tell(EventKind.METADATA, domain)

    def agent(_c: object, domain: libvirt.virDomain, state: int, reason: int, _o: object) -> None:
        tell(EventKind.AGENT, domain, state, reason)

    wanted: tuple[tuple[int, Callable[..., None]], ...] = (
        (libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, life_cycle),
        (libvirt.VIR_DOMAIN_EVENT_ID_REBOOT, reboot),
        (libvirt.VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, metadata),
        (libvirt.VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, agent),
    )
    made = [conn.domainEventRegisterAny(None, wanted[0][0], wanted[0][1], None)]
    for event_id, callback in wanted[1:]:
        with suppress(libvirt.libvirtError):
            made.append(conn.domainEventRegisterAny(None, event_id, callback, None))
    return made


def unsubscribe(conn: libvirt.virConnect, subscriptions: list[int]) -> None:
    """Blocks. On a connection that broke off, libvirt still forgets the callbacks."""
    import libvirt

    for callback_id in subscriptions:
        with suppress(libvirt.libvirtError):
            conn.domainEventDeregisterAny(callback_id)
