"""One HTTPS request: certificates verified, sizes and times limited, redirects followed on the same host only.

TLS 1.2 or later, with the roots that the system trusts. Blocking: the store calls it on threads of its own. urllib3 is
imported when the first request is made.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from confvm_gui import __version__
from confvm_gui.domain.errors import InvalidInput, Transient

if TYPE_CHECKING:
    import urllib3

_MOST_REDIRECTS: Final = 3
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PIECE: Final = 16 << 10
_HEADERS: Final = {"User-Agent": f"confvm-console/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds."""

    connect: float = 10.0
    read: float = 15.0
    """Between two pieces of an answer."""
    total: float = 45.0


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. The body of anything but 200 is not read."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class Transport:
    """Makes requests with one set of trusted roots."""

    def __init__(self, ca_file: Path | None = None, limits: Limits | None = None) -> None:
        """`ca_file`: PEM of the only roots to trust, instead of the system's."""
        self._ca_file = ca_file
        self.limits = limits or Limits()
        self._lock = threading.Lock()
        self._tls: ssl.SSLContext | None = None

    def get(self, url: str, largest: int, publisher: str, stop: threading.Event) -> Response:
        """GET `url`, at most `largest` bytes; ends early when `stop` is set.

        Transient if `publisher` cannot be reached or breaks off, InvalidInput("endorsements") if its answer is too
        large or leads elsewhere.
        """
        import urllib3.exceptions

        try:
            with self._pool(url) as pool:
                return self._follow(pool, url, largest, publisher, stop)
        except urllib3.exceptions.SSLError as error:
            raise Transient(
                f"{publisher} was not asked: the connection to {_host(url)} is not secure ({_reason(error)})"
            ) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            late = isinstance(error, urllib3.exceptions.TimeoutError | TimeoutError)
            # To the library, a connection that is refused is a kind of timeout.
            if late and not isinstance(error, urllib3.exceptions.NewConnectionError):
                raise Transient(f"{publisher} ({_host(url)}) does not answer in time; try again later") from None
            raise Transient(
                f"{publisher} ({_host(url)}) cannot be reached; check the network and try again ({_reason(error)})"
            ) from None

    def _follow(
        self, pool: urllib3.PoolManager, url: str, largest: int, publisher: str, stop: threading.Event
    ) -> Response:
        end = time.monotonic() + self.limits.total
        home = urlsplit(url)
        for _ in range(_MOST_REDIRECTS + 1):
            response = pool.request(
                "GET", url, headers=_HEADERS, redirect=False, retries=False, preload_content=False, decode_content=False
            )
            try:
                headers = {name.lower(): value for name, value in response.headers.items()}
                if response.status not in _REDIRECTS:
                    body = self._body(response, largest, publisher, end, stop) if response.status == 200 else b""
                    return Response(response.status, headers, body)
            finally:
                response.close()
            try:
                url = urljoin(url, headers.get("location", ""))
                there = urlsplit(url)
            except ValueError:
                raise InvalidInput("endorsements", f"{publisher} leads to what is no address") from None
            if (there.scheme, there.netloc) != (home.scheme, home.netloc):
                raise InvalidInput("endorsements", f"{publisher} leads to another place, which is not followed")
        raise InvalidInput("endorsements", f"{publisher} leads from one place to the next without end")

    def _body(
        self, response: urllib3.BaseHTTPResponse, largest: int, publisher: str, end: float, stop: threading.Event
    ) -> bytes:
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise InvalidInput("endorsements", f"{publisher} gave a compressed answer, which was not asked for")
        pieces: list[bytes] = []
        size = 0
        while piece := response.read1(_PIECE):
            size += len(piece)
            pieces.append(piece)
            if size > largest:
                raise InvalidInput("endorsements", f"{publisher} gave more than {largest} bytes")
            if stop.is_set() or time.monotonic() > end:
                raise TimeoutError
        declared = response.headers.get("Content-Length", "")
        if declared.isdecimal() and int(declared[:12]) != size:
            raise OSError("the answer was cut short")
        return b"".join(pieces)

    def _pool(self, url: str) -> urllib3.PoolManager:
        """Connections for one request, through the proxy that the system is set up with."""
        from urllib.request import getproxies, proxy_bypass

        import urllib3

        timeout = urllib3.Timeout(connect=self.limits.connect, read=self.limits.read)
        proxy = getproxies().get("https", "")
        if proxy and not proxy_bypass(_host(url)):
            return urllib3.ProxyManager(proxy, ssl_context=self._context(), timeout=timeout)
        return urllib3.PoolManager(ssl_context=self._context(), timeout=timeout)

    def _context(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls is None:
                self._tls = ssl.create_default_context(cafile=self._ca_file)
                self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
            return self._tls


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _reason(error: BaseException) -> str:
    """One line, without the addresses of objects that the library puts in front."""
    return " ".join(str(error).rpartition(">: ")[2].split())[:160]
