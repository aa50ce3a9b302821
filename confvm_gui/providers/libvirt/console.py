"""Serial consoles over libvirt's streams.

A console is opened once somebody asks for it, and for what the console itself starts: that is started with its vCPUs
held, and they run when the stream is open (`Consoles.ready`), as QEMU throws away what a guest writes to a pseudo
terminal that nobody has open. The stream does not block: libvirt's event thread reads what has come and posts it. It
ends with the machine; the next power-on opens another, and the scroll-back goes on.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Collection, Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.errors import ConfvmError, Unsupported, WrongState
from confvm_gui.domain.serial_output import SerialOutput
from confvm_gui.providers.libvirt.connection import LibvirtConnection
from confvm_gui.providers.libvirt.events import post
from confvm_gui.providers.libvirt.power import lookup

if TYPE_CHECKING:
    import libvirt

_PAUSES: Final = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Seconds after attempts to open a console that came to nothing."""
_READ_BYTES: Final = 64 << 10
_SEND_BYTES: Final = 16 << 10
_CLOSE_SECONDS: Final = 1.0
"""How long closing waits for a host that hangs."""
_WRITE_SECONDS: Final = 10.0
_READY_SECONDS: Final = 5.0
"""How long a machine that has been started waits for its console before it runs without."""
_RETRY_SECONDS: Final = 0.02
"""Until a full stream takes more input."""


class DomainConsole:
    """Implements domain.ports.console.Console. Survives stop and start of its instance and a lost connection."""

    def __init__(self, connection: LibvirtConnection, instance_id: str) -> None:
        self._connection = connection
        self._instance_id = instance_id
        self._output = SerialOutput()
        self._runs = False
        self._wire: _Wire | None = None
        self._opening: asyncio.Task[None] | None = None
        self._leaving: list[Future[None]] = []
        self.trouble = ""
        """Why there is no output while the machine runs, in one sentence."""

    @property
    def writable(self) -> bool:
        return True

    @property
    def attached(self) -> bool:
        """Whether a stream of the running machine is open."""
        return self._wire is not None

    @property
    def written(self) -> int:
        """Bytes that have come since it was first opened."""
        return self._output.written

    def scrollback(self) -> bytes:
        return self._output.scrollback()

    def stream(self) -> AsyncIterator[bytes]:
        """Scroll-back, then output as it comes."""
        return self._output.stream()

    async def write(self, data: bytes) -> None:
        """Raises WrongState when the instance does not run, Transient when it takes no input for 10 seconds."""
        await self.opened(_WRITE_SECONDS)
        wire = self._wire
        if wire is None or not self._runs:
            raise WrongState(self.trouble or "The instance does not run: nobody reads its serial port")
        try:
            async with asyncio.timeout(_WRITE_SECONDS):
                while data:
                    taken = await self._connection.call(partial(wire.send, data[:_SEND_BYTES]))
                    data = data[taken:]
                    if not taken:
                        await asyncio.sleep(_RETRY_SECONDS)
        except TimeoutError:
            raise WrongState("The instance does not read its serial port") from None

    # What the provider tells ----------------------------------------------------------------------------------------

    def attach(self) -> None:
        """The machine runs: open its console unless that is done.

        The stream of an earlier power-on may still be there; its end, which is on its way, opens the next.
        """
        self._runs = True
        if self._output.ended or self._wire is not None or self._opening is not None:
            return
        self._opening = asyncio.get_running_loop().create_task(self._open(), name="libvirt console")

    async def opened(self, seconds: float) -> None:
        """Wait, but not for long, while a stream is being opened."""
        if self._opening is not None:
            await asyncio.wait([self._opening], timeout=seconds)

    def stopped(self) -> None:
        """The machine has ended; what it still had to say comes before its stream ends."""
        self._runs = False

    def detach(self) -> None:
        """Let the stream go."""
        wire, self._wire = self._wire, None
        if wire is not None:
            self._leave(wire)

    def forget_wire(self) -> None:
        """The connection is lost, and the stream with it."""
        self._wire = None

    def feed(self, data: bytes) -> None:
        """Output of the guest."""
        self._output.feed(data)

    def end(self) -> None:
        """The instance is deleted: streams end."""
        self._output.end()
        self.detach()

    async def aclose(self) -> None:
        self.end()
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._leaving:
            await asyncio.wait([asyncio.wrap_future(leaving) for leaving in self._leaving], timeout=_CLOSE_SECONDS)

    # Inside ---------------------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        """Open a stream, and again for a while: that of a machine that has just come up may end at once."""
        try:
            for pause in _PAUSES:
                if await self._opened() or not self._runs or self._output.ended:
                    return
                await asyncio.sleep(pause)
        finally:
            self._opening = None

    async def _opened(self) -> bool:
        """Whether there is a stream now, after one attempt, or never will be."""
        wire = _Wire(self._connection, asyncio.get_running_loop(), self)
        try:
            await self._connection.call(partial(wire.open, instance_id=self._instance_id))
        except ConfvmError as error:
            self.trouble = error.message
            self._leave(wire)
            return isinstance(error, Unsupported)
        except asyncio.CancelledError:
            self._leave(wire)
            raise
        self.trouble = ""
        if self._output.ended or wire.ended:
            self._leave(wire)
            return False
        self._wire = wire
        return True

    def wire_ended(self, wire: _Wire) -> None:
        """The stream has ended by itself, with the machine."""
        wire.ended = True
        if self._wire is wire:
            self.detach()
            if self._runs:
                self.attach()

    def _leave(self, wire: _Wire) -> None:
        self._leaving = [leaving for leaving in self._leaving if not leaving.done()]
        self._leaving.append(wire.leave())


class _Wire:
    """One stream of libvirt's. It is opened and closed in threads and read in the event thread, never on the loop."""

    def __init__(self, connection: LibvirtConnection, loop: asyncio.AbstractEventLoop, console: DomainConsole) -> None:
        self._connection = connection
        self._loop = loop
        self._console = console
        self._lock = threading.Lock()
        self._closing = threading.Lock()
        self._stream: libvirt.virStream | None = None
        self._left = False
        self.ended = False

    def open(self, conn: libvirt.virConnect, instance_id: str) -> None:
        import libvirt

        stream = conn.newStream(libvirt.VIR_STREAM_NONBLOCK)
        lookup(conn, instance_id).openConsole(None, stream, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
        events = libvirt.VIR_STREAM_EVENT_READABLE | libvirt.VIR_STREAM_EVENT_HANGUP | libvirt.VIR_STREAM_EVENT_ERROR
        stream.eventAddCallback(events, self._on_event, None)
        with self._lock:
            self._stream = stream
            left = self._left
        if left or not self._connection.hold(conn, self.close):
            self.close()  # nobody waited for it

    def send(self, data: bytes, _conn: libvirt.virConnect) -> int:
        """How many bytes the stream has taken; 0 when it is full."""
        with self._lock:
            stream = self._stream
        if stream is None:
            raise WrongState("The instance does not run: nobody reads its serial port")
        return max(stream.send(data), 0)

    def leave(self) -> Future[None]:
        """Close it, in a thread: that asks the host, which may hang."""
        done: Future[None] = Future()

        def close() -> None:
            self.close()
            self._connection.drop(self.close)
            done.set_result(None)

        threading.Thread(target=close, name="libvirt-console-close", daemon=True).start()
        return done

    def close(self) -> None:
        """In a thread. Waits for another that is at it."""
        with self._closing:
            with self._lock:
                self._left = True
                stream, self._stream = self._stream, None
            if stream is None:
                return
            import libvirt

            with suppress(libvirt.libvirtError):
                stream.eventRemoveCallback()
            with suppress(libvirt.libvirtError):
                stream.abort()

    def _on_event(self, stream: libvirt.virStream, _events: int, _opaque: object) -> None:
        """In the event thread: one read, as the event comes again while there is more."""
        import libvirt

        try:
            data = stream.recv(_READ_BYTES)
        except libvirt.libvirtError:
            data = b""
        if isinstance(data, int):  # nothing there after all
            return
        if data:
            post(self._loop, partial(self._console.feed, data))
            return
        with suppress(libvirt.libvirtError):
            stream.eventUpdateCallback(0)
        post(self._loop, partial(self._console.wire_ended, self))


class Consoles:
    """The consoles of one host's instances."""

    def __init__(self, connection: LibvirtConnection) -> None:
        self._connection = connection
        self._consoles: dict[str, DomainConsole] = {}

    def get(self, instance_id: str, *, live: bool) -> DomainConsole:
        """Somebody wants to see it."""
        console = self._consoles.get(instance_id)
        if console is None:
            console = self._consoles[instance_id] = DomainConsole(self._connection, instance_id)
        if live and self._connection.connected:
            console.attach()
        return console

    def expect(self, instance_id: str) -> None:
        """It is about to be started by the console: its first output is wanted."""
        self.get(instance_id, live=False)

    async def ready(self, instance_id: str) -> None:
        """It has been started, and its vCPUs wait to write to its console: returns when that is open.

        A console that cannot be opened does not hold the machine up for long.
        """
        console = self.get(instance_id, live=True)
        await console.opened(_READY_SECONDS)

    def connected(self, live: Collection[str]) -> None:
        """The connection is there: those of live instances are opened again."""
        for instance_id, console in self._consoles.items():
            if instance_id in live:
                console.attach()

    def runs(self, instance_id: str) -> None:
        console = self._consoles.get(instance_id)
        if console is not None:
            console.attach()

    def stopped(self, instance_id: str) -> None:
        console = self._consoles.get(instance_id)
        if console is not None:
            console.stopped()

    def lost(self) -> None:
        """The connection closes the streams itself."""
        for console in self._consoles.values():
            console.forget_wire()

    def end(self, instance_id: str) -> None:
        console = self._consoles.pop(instance_id, None)
        if console is not None:
            console.end()

    def written(self) -> Mapping[str, int]:
        """Bytes that have come of each."""
        return {instance_id: console.written for instance_id, console in self._consoles.items()}

    async def aclose(self) -> None:
        await asyncio.gather(*(console.aclose() for console in self._consoles.values()))
