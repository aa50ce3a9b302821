"""A vendor's HTTPS server on this computer, with its own authority, and small disks."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from confvm_gui.domain.images import ImageDownload


def qcow2(
    *, backing: int = 0, crypt: int = 0, features: int = 0, size: int = 1 << 30, extension: bytes = b"", tail: int = 0
) -> bytes:
    """A version 3 header, and `tail` bytes that are not zero."""
    header = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 3, backing, 0, 16, size, crypt, 2, 0x30000, 0x10000, 1, 0, 0)
    header += struct.pack(">QQQII", features, 0, 0, 4, 104) + extension
    return header.ljust(1 << 16, b"\0") + b"\xa5" * tail


@dataclass
class Site:
    port: int = 0
    ca_file: Path = Path()
    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    cut_at: dict[str, int] = field(default_factory=dict)
    """Bytes after which the connection breaks, once."""
    hold: threading.Event = field(default_factory=threading.Event)
    held: set[str] = field(default_factory=set)
    """Paths whose second half waits for `hold`."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Path and Range of each request."""
    half_sent: Callable[[], None] = lambda: None

    def url(self, path: str) -> str:
        return f"https://127.0.0.1:{self.port}{path}"

    def publish(self, image: bytes, checksum_of: bytes | None = None) -> ImageDownload:
        self.files["/disk.qcow2"] = image
        digest = hashlib.sha256(image if checksum_of is None else checksum_of).hexdigest()
        self.files["/SHA256SUMS"] = f"{digest} *disk.qcow2\n".encode()
        return ImageDownload(self.url("/disk.qcow2"), self.url("/SHA256SUMS"))


@contextmanager
def running(site: Site, folder: Path) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            site.asked.append((self.path, asked))
            self.close_connection = True
            if self.path in site.redirects:
                self.send_response(302)
                self.send_header("Location", site.redirects[self.path])
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            data = site.files.get(self.path)
            if data is None:
                self.send_error(404)
                return
            etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
            start = 0
            if asked and self.headers.get("If-Range") == etag:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            else:
                self.send_response(200)
            self.send_header("ETag", etag)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            body = data[start:]
            cut = site.cut_at.pop(self.path, None)
            if cut is not None:
                self.wfile.write(body[:cut])
                return
            if self.path in site.held:
                self.wfile.write(body[: len(body) // 2])
                site.half_sent()
                site.hold.wait(20)
                body = body[len(body) // 2 :]
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that goes away is what some tests are about."""

    site.ca_file, key_file = _authority(folder)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(site.ca_file, key_file)
    with Server(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = False
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        site.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield site
        finally:
            site.hold.set()
            server.shutdown()
            thread.join()


def _authority(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vendor")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    ca_file, key_file = folder / "vendor-ca.pem", folder / "vendor-key.pem"
    ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return ca_file, key_file
