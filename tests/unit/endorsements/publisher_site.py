"""A web site by HTTPS that stands for KDS and PCS, with a certificate of its own authority."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from confvm_gui.domain.attestation import EndorsementKind, EndorsementNeed
from confvm_gui.endorsements.publishers import HOSTS
from confvm_gui.endorsements.store import EndorsementStore
from confvm_gui.endorsements.transport import Limits
from tests.unit.attestation.authority import issue, named, p384_key, revocation_list

NOW = 1_750_000_000.0
"""June 2025."""
SHORT = Limits(connect=5, read=0.3, total=5)


@dataclass
class Answer:
    """What the site gives at one path."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: threading.Event | None = None
    """The answer begins when it is set."""
    declared: int | None = None
    """Content-Length, if it lies."""


@dataclass
class Site:
    """Paths with their answers; what was asked for."""

    port: int
    ca_file: Path
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"https://localhost:{self.port}"

    def serve(self, url: str, answer: Answer) -> None:
        """Answer so at the path and query of a publisher's address."""
        self.answers["/" + url.split("/", 3)[3]] = answer


class Clock:
    """Seconds since the epoch, set by the test."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@cache
def _authority(name: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(name, name, key)
    return key, builder.add_extension(x509.BasicConstraints(True, None), critical=True).sign(key, hashes.SHA256())


def _builder(name: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    today = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
    )


def write_authority(folder: Path, name: str) -> Path:
    """PEM file of an authority's root."""
    path = folder / f"{name}.pem"
    path.write_bytes(_authority(name)[1].public_bytes(Encoding.PEM))
    return path


def _server_context(folder: Path, authority: str) -> ssl.SSLContext:
    issuer_key, _ = _authority(authority)
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    certificate = _builder("localhost", authority, key).add_extension(names, critical=False)
    path = folder / f"{authority}-site.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.sign(issuer_key, hashes.SHA256()).public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@contextmanager
def running_site(folder: Path, authority: str = "site-authority") -> Iterator[Site]:
    """The site, until the end of the block."""
    site: Site | None = None

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert site is not None
            site.asked.append(self.path)
            answer = site.answers.get(self.path, Answer(status=404))
            if answer.wait is not None:
                answer.wait.wait(5)
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(answer.body) if answer.declared is None else answer.declared))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    class Server(ThreadingHTTPServer):
        daemon_threads = False  # so that closing it waits for them

        def handle_error(self, request: object, client_address: object) -> None:
            """Clients that hang up are part of the tests."""

        def get_request(self) -> tuple[ssl.SSLSocket, object]:
            connection, address = self.socket.accept()
            connection.settimeout(5)
            return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    context = _server_context(folder, authority)
    server = Server(("127.0.0.1", 0), Handler)
    site = Site(server.server_port, write_authority(folder, authority))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def store_for(site: Site, folder: Path, clock: Clock | None = None, *, online: bool = True) -> EndorsementStore:
    """A store that takes the site for every publisher."""
    bases = {f"https://{host}": site.base for host in HOSTS}
    return EndorsementStore(
        folder, online=online, bases=bases, ca_file=site.ca_file, limits=SHORT, clock=clock or Clock()
    )


def need(url: str, kind: EndorsementKind = EndorsementKind.CRL, header: str = "") -> EndorsementNeed:
    return EndorsementNeed(kind, url, header)


def a_list(name: str = "ARK-Milan") -> bytes:
    """A revocation list that holds from the day before NOW for a month; DER."""
    start, end = (datetime.fromtimestamp(NOW, UTC) + timedelta(days=days) for days in (-1, 30))
    return revocation_list(issue(name, p384_key(name)), start=start, end=end)
