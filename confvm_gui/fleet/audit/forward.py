"""Sends the log to a syslog server over TLS (RFC 5425), every record at least once.

The queue is the log itself: on disk, in order, safe from a restart, never held in memory beyond one batch. What is kept
beside it is how far the server has it, a file of one line.

Syslog has no acknowledgement. Each batch is therefore a TLS session of its own that is closed as RFC 5425, section 4.4,
says: the console sends its close_notify and waits for the server's. A server sends that when it has read all that came
before, and only then the batch counts as delivered; whatever else happens, it is sent again. Messages that come twice
have the same hash in their structured data.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confvm_gui.domain.errors import ConfvmError, InvalidInput, StoreError, Transient
from confvm_gui.domain.event import AuditFilter
from confvm_gui.domain.ports.repositories import AuditLog
from confvm_gui.fleet.audit.syslog import frame, syslog_message

DEFAULT_PORT: Final = 6514
"""Of syslog over TLS (RFC 5425, section 4.1)."""
BATCH: Final = 500
"""Records in one session."""
TIMEOUT: Final = 15.0
"""Seconds in which a server must take or answer something."""
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 300.0
ALL: Final = AuditFilter()
LOOK_AGAIN: Final = 1.0
"""Seconds between two looks for new records."""
_jitter: Final = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Destination:
    """A syslog server."""

    host: str
    port: int = DEFAULT_PORT
    authorities: Path | None = None
    """PEM file of those that may vouch for the server; None for those of the system."""
    certificate: Path | None = None
    """PEM file of the console's own certificate and key, for servers that ask for one."""
    timeout: float = TIMEOUT

    @property
    def name(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_destination(text: str, *, authorities: Path | None = None, certificate: Path | None = None) -> Destination:
    """`HOST`, `HOST:PORT` or `[IPV6]:PORT`. Raises InvalidInput("to")."""
    host, port = text, str(DEFAULT_PORT)
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not host or not port.isdecimal() or not port.isascii() or not 0 < int(port) < 65536:
        raise InvalidInput("to", f"{text!r} is no server; write HOST or HOST:PORT")
    return Destination(host, int(port), authorities, certificate)


class Delivered:
    """How far a server has the log: a sequence in a file of the data directory. All calls block."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, data_dir: Path, destination: Destination) -> Delivered:
        """The file for one server."""
        name = hashlib.sha256(destination.name.encode()).hexdigest()[:16]
        return cls(data_dir / "forwarded" / name)

    def read(self) -> int:
        """0 before the first delivery. Raises StoreError."""
        try:
            return max(0, int(self.path.read_text("ascii")))
        except FileNotFoundError:
            return 0
        except (OSError, ValueError) as error:
            raise StoreError(f"{self.path}, which says how far the log is forwarded, cannot be read") from error

    def write(self, sequence: int) -> None:
        """Raises StoreError."""
        unfinished = self.path.with_name(self.path.name + ".new")
        try:
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
            with unfinished.open("w", encoding="ascii") as file:
                file.write(f"{sequence}\n")
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self.path)
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {error.strerror or error}") from error


class Forwarder:
    """Brings the log to one server."""

    def __init__(
        self,
        log: AuditLog,
        destination: Destination,
        delivered: Delivered,
        *,
        first_pause: float = FIRST_PAUSE,
        on_trouble: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._log = log
        self._destination = destination
        self._delivered = delivered
        self._first_pause = first_pause
        self._on_trouble = on_trouble
        """Told the reason when a server that could be reached cannot be any more, and "" when it can again."""
        self._troubled = False

    async def send_waiting(self) -> int:
        """Deliver all that is in the log now; the number of records. Raises Transient, InvalidInput, StoreError."""
        context = await asyncio.to_thread(tls_context, self._destination)
        sent = 0
        while True:
            last = await asyncio.to_thread(self._delivered.read)
            records = await self._log.search(ALL, limit=BATCH, after=last)
            if not records:
                return sent
            frames = [frame(syslog_message(record)) for record in records]
            await deliver(self._destination, context, frames)
            await asyncio.to_thread(self._delivered.write, records[-1].sequence)
            sent += len(records)

    async def run(self) -> None:
        """Deliver what there is and what comes, until cancelled; after a failure, again, with growing pauses."""
        pause = self._first_pause
        while True:
            try:
                await self.send_waiting()
            except ConfvmError as error:
                if not self._troubled:
                    self._troubled = True
                    self._on_trouble(error.message)
                await asyncio.sleep(pause * _jitter.uniform(1, 1.5))
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                if self._troubled:
                    self._troubled = False
                    self._on_trouble("")
                pause = self._first_pause
                await asyncio.sleep(min(LOOK_AGAIN, self._first_pause))


class _Line:
    """A connection that blocks in one thread and can be hung up from another."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._turn = threading.Lock()
        self._socket: socket.socket | None = None
        self._hung_up = False

    def connect(self, host: str, port: int) -> socket.socket:
        """To the first address that answers. Raises OSError."""
        problem = OSError(f"{host} has no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            made = socket.socket(family, kind, protocol)
            try:
                made.settimeout(self._timeout)
                self.watch(made)
                made.connect(address)
            except OSError as error:
                made.close()
                problem = error
            else:
                return made
        raise problem

    def watch(self, made: socket.socket) -> None:
        """This is what is hung up from now on. Raises OSError if it was before."""
        with self._turn:
            if self._hung_up:
                raise OSError("the forwarding was ended")
            self._socket = made

    def hang_up(self) -> None:
        """End whatever blocks."""
        with self._turn:
            self._hung_up = True
            if self._socket is not None:
                with suppress(OSError):  # it is closed already, or was never connected
                    # Not that of ssl, which would take the session from the thread that is in it.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


async def deliver(destination: Destination, context: ssl.SSLContext, frames: Sequence[bytes]) -> None:
    """One TLS session with these frames, closed by both sides. Raises Transient."""
    line = _Line(destination.timeout)
    try:
        await asyncio.to_thread(_deliver, destination, context, frames, line)
    except asyncio.CancelledError:
        line.hang_up()  # else its thread would wait for the server, and the program for its thread
        raise


def _deliver(destination: Destination, context: ssl.SSLContext, frames: Sequence[bytes], line: _Line) -> None:
    where = destination.name
    try:
        with (
            line.connect(destination.host, destination.port) as connection,
            context.wrap_socket(connection, server_hostname=destination.host, do_handshake_on_connect=False) as session,
        ):
            line.watch(session)  # it has taken over the connection
            session.do_handshake()
            session.sendall(b"".join(frames))
            session.unwrap()  # sends close_notify and waits for the server's
    except TimeoutError as error:
        raise Transient(f"The syslog server {where} does not answer") from error
    except ssl.SSLCertVerificationError as error:
        raise Transient(f"The syslog server {where} cannot prove who it is: {error.verify_message}") from error
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise Transient(f"The syslog server {where} did not take the records: {reason}") from error


def tls_context(destination: Destination) -> ssl.SSLContext:
    """TLS 1.2 or later, the server's certificate and name verified. Raises InvalidInput."""
    try:
        context = ssl.create_default_context(cafile=destination.authorities)
    except (OSError, ValueError) as error:
        raise InvalidInput("ca", f"{destination.authorities} cannot be used: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if destination.certificate is not None:
        try:
            # A key behind a passphrase would ask for it on the terminal, from a thread.
            context.load_cert_chain(destination.certificate, password=lambda: b"")
        except (OSError, ValueError) as error:
            raise InvalidInput("cert", f"{destination.certificate} cannot be used: {error}") from error
    return context
