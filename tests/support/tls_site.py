"""A service by HTTPS on this computer, with a certificate of its own authority, which can fail and lie as told."""

from __future__ import annotations

import ipaddress
import json
import os
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response


@dataclass
class TlsSite:
    """What serves `application`; `failing` and `lie` change its answers."""

    application: Any
    port: int = 0
    ca_file: Path = Path()
    failing: Response | None = None
    """What is answered to everything."""
    lie: Callable[[dict[str, Any]], object] | None = None
    """Changes each answer's JSON in place."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of each request."""

    @property
    def base(self) -> str:
        return f"https://localhost:{self.port}"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        self.asked.append((request.method, request.path))
        answer = self.failing
        if answer is None:
            answer = Response.from_app(self.application, environ)
            if self.lie is not None and answer.status_code == 200:
                value = json.loads(answer.get_data())
                self.lie(value)
                answer.set_data(json.dumps(value))
        return answer(environ, start_response)


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Requests are in `asked`."""


@contextmanager
def serving(application: Any, folder: Path) -> Iterator[TlsSite]:
    """Within, `application` (WSGI) is served."""
    site = TlsSite(application)
    context = _context(folder)
    server = make_server("127.0.0.1", 0, site, threaded=True, ssl_context=context, request_handler=_Quiet)
    site.port, site.ca_file = server.server_port, folder / "authority.pem"
    thread = threading.Thread(target=lambda: server.serve_forever(0.02), name="TLS site")
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Within, the process has these variables."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _context(folder: Path) -> ssl.SSLContext:
    """Of a new authority's server certificate; writes the authority's into `folder`."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = (
        _builder("test authority", "test authority", root_key)
        .add_extension(x509.BasicConstraints(True, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(True, False, False, False, False, True, True, False, False),
            critical=True,
        )
        .sign(root_key, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))])
    leaf = (
        _builder("localhost", "test authority", key)
        .add_extension(names, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()),
            critical=False,
        )
        .sign(root_key, hashes.SHA256())
    )
    (folder / "authority.pem").write_bytes(root.public_bytes(Encoding.PEM))
    path = folder / "site.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + leaf.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def _builder(name: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    today = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
    )
