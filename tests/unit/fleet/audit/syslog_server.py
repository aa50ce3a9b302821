"""A syslog server over TLS (RFC 5425) on this computer that misbehaves as it is told to."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "localhost"
_SECONDS = 10.0


class Mood(Enum):
    """What it does with one connection."""

    TAKE = "take"
    DROP = "drop"
    """Reads some and ends the TCP connection without a word."""
    CRASH = "crash"
    """Reads all, and ends the TCP connection without close_notify: nobody knows what became of it."""
    HANG = "hang"
    """Reads all and answers nothing."""


class SyslogServer:
    """`messages` are those of connections that it took to their end, `seen` all that came whole."""

    def __init__(self, certificate: Path, moods: Sequence[Mood] = (), port: int = 0) -> None:
        self.messages: list[bytes] = []
        self.seen: list[bytes] = []
        self.connections = 0
        self._moods = list(moods)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listener = socket.create_server((HOST, port))
        self.port = int(self._listener.getsockname()[1])
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="syslog-server")
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(_SECONDS)

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            mood = self._moods.pop(0) if self._moods else Mood.TAKE
            connection.settimeout(_SECONDS)
            with suppress(OSError), connection:
                self._session(connection, mood)

    def _session(self, connection: socket.socket, mood: Mood) -> None:
        session = self._context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=False)
        with session:
            data = b""
            while chunk := session.recv(1000 if mood is Mood.DROP else 65536):
                data += chunk
                if mood is Mood.DROP:
                    return
            found = parse_frames(data)
            self.seen += found
            if mood is Mood.TAKE:
                self.messages += found
                session.unwrap()
            elif mood is Mood.HANG:
                self._over.wait(_SECONDS)


def parse_frames(data: bytes) -> list[bytes]:
    """RFC 5425, section 4.3.1."""
    found = []
    while data:
        length, _, rest = data.partition(b" ")
        assert length.isdigit()
        assert not length.startswith(b"0")
        assert len(rest) >= int(length), "a frame was cut off"
        found.append(rest[: int(length)])
        data = rest[int(length) :]
    return found


def make_certificate(path: Path, name: str = HOST) -> Path:
    """A certificate that vouches for itself, with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def syslog_server(certificate: Path, *moods: Mood, port: int = 0) -> Iterator[SyslogServer]:
    server = SyslogServer(certificate, moods, port)
    try:
        yield server
    finally:
        server.close()
