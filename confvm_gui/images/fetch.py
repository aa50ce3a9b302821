"""HTTPS requests for images: certificates verified, sizes and times limited, every redirect by https only.

Blocking: runs on threads. RFC 9110: Range (14.2), If-Range (13.1.5), Content-Range (14.4). urllib3 is imported when the
first request is made.
"""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from confvm_gui import __version__
from confvm_gui.domain.errors import InvalidInput, NotFound, OperationCancelled, Transient

if TYPE_CHECKING:
    import urllib3

_MOST_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PIECE: Final = 256 << 10
_RANGE: Final = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a download."""

    connect: float = 10.0
    """Seconds."""
    read: float = 20.0
    """Seconds between two pieces."""
    largest: int = 64 << 30
    """Bytes of an image."""


@dataclass(frozen=True, slots=True)
class Body:
    """An answer that is being read."""

    start: int
    """Offset in the file of its first byte: 0, or where the download stopped."""
    total: int
    """Bytes of the whole file, 0 if the server does not say."""
    etag: str
    """Strong, or ""."""
    pieces: Iterator[bytes]


class Fetcher:
    """Makes requests with one set of trusted roots (`ca_file`: PEM, instead of the system's)."""

    def __init__(self, ca_file: Path | None = None, limits: Limits | None = None) -> None:
        self._ca_file = ca_file
        self.limits = limits or Limits()

    def small(self, url: str, largest: int, stop: threading.Event) -> bytes:
        """A whole file of at most `largest` bytes. Raises as `body`."""
        with self.body(url, 0, "", largest, stop) as body:
            return b"".join(body.pieces)

    @contextmanager
    def body(self, url: str, offset: int, etag: str, largest: int, stop: threading.Event) -> Iterator[Body]:
        """From `offset` on if the file still is the one of `etag`, else from its beginning.

        Transient if the server cannot be reached or breaks off, NotFound, InvalidInput("image") if it leads elsewhere
        or gives too much, OperationCancelled when `stop` is set.
        """
        import urllib3.exceptions

        try:
            with self._pool(url) as pool, self._follow(pool, url, offset if etag else 0, etag) as response:
                yield self._read(response, offset if etag else 0, largest, stop)
        except urllib3.exceptions.SSLError:
            raise Transient(f"The connection to {_host(url)} is not secure; nothing was taken from it") from None
        except urllib3.exceptions.HTTPError:
            raise Transient(f"{_host(url)} cannot be reached or broke off; what came is kept, try again") from None

    @contextmanager
    def _follow(
        self, pool: urllib3.PoolManager, url: str, offset: int, etag: str
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        headers = {"User-Agent": f"confvm-console/{__version__}", "Accept-Encoding": "identity"}
        if offset:
            headers |= {"Range": f"bytes={offset}-", "If-Range": etag}
        for _ in range(_MOST_REDIRECTS + 1):
            _check_https(url)
            response = pool.request(
                "GET", url, headers=headers, redirect=False, retries=False, preload_content=False, decode_content=False
            )
            try:
                if response.status not in _REDIRECTS:
                    yield response
                    return
                url = urljoin(url, response.headers.get("location", ""))
            except ValueError:
                raise InvalidInput("image", "The server leads to what is no address") from None
            finally:
                response.close()
        raise InvalidInput("image", "The server leads from one place to the next without end")

    def _read(self, response: urllib3.BaseHTTPResponse, offset: int, largest: int, stop: threading.Event) -> Body:
        status = response.status
        if status in (404, 410):
            raise NotFound("The vendor no longer has this file at its address")
        if status == 416 and offset:
            raise InvalidInput("image", "The file at the vendor is shorter than what came before; it was dropped")
        if status not in (200, 206) or response.headers.get("Content-Encoding", "identity") != "identity":
            raise Transient(f"The server answers {status}; what came is kept, try again later")
        length = response.headers.get("Content-Length", "")
        expected = int(length[:18]) if length.isdecimal() else 0
        start, total = 0, expected
        if status == 206:
            match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if match is None or int(match[1]) != offset or int(match[2]) + 1 != int(match[3]):
                raise Transient("The server answers with another part than asked for; try again")
            start, total = offset, int(match[3])
        if total > largest:
            raise InvalidInput("image", f"The server offers more than {largest} bytes")
        etag = response.headers.get("ETag", "")
        etag = etag if etag.startswith('"') and len(etag) <= 200 and etag.isascii() else ""
        return Body(start, total, etag, _pieces(response, largest - start, total - start if total else 0, stop))

    def _pool(self, url: str) -> urllib3.PoolManager:
        """Connections for one file, through the proxy that the system is set up with."""
        from urllib.request import getproxies, proxy_bypass

        import urllib3

        tls = ssl.create_default_context(cafile=self._ca_file)
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        timeout = urllib3.Timeout(connect=self.limits.connect, read=self.limits.read)
        proxy = getproxies().get("https", "")
        if proxy and not proxy_bypass(_host(url)):
            return urllib3.ProxyManager(proxy, ssl_context=tls, timeout=timeout)
        return urllib3.PoolManager(ssl_context=tls, timeout=timeout)


def _pieces(response: urllib3.BaseHTTPResponse, largest: int, expected: int, stop: threading.Event) -> Iterator[bytes]:
    read: Callable[[int], bytes] = response.read1
    size = 0
    while piece := read(_PIECE):
        size += len(piece)
        if size > largest:
            raise InvalidInput("image", "The server gave more bytes than are taken")
        yield piece
        if stop.is_set():
            raise OperationCancelled("The download was stopped; what came is kept")
    if expected and size != expected:
        raise Transient("The server broke off; what came is kept, try again")


def _check_https(url: str) -> None:
    if urlsplit(url).scheme != "https":
        raise InvalidInput("image", "The address does not begin with https, or leads to one that does not")


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the server"
