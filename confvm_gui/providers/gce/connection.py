"""The way to Compute Engine: one account, one project, many calls.

Calls block in daemon threads, a few at once and never more a second than the account's rate. What can be tried again is
(429, 5xx, a lost connection), with pauses that grow and differ by chance, so that many consoles do not come back at the
same time: every call that changes something carries a request id, by which the service does it once
(Compute Engine, "Preventing duplicate requests"). TLS is verified by `requests`: its own authorities, or those of
REQUESTS_CA_BUNDLE. CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE names another address, as it does for gcloud.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NoReturn, TypeVar
from urllib.parse import urlsplit

from confvm_gui.domain.daemon_thread import in_daemon_thread
from confvm_gui.domain.errors import ConfvmError, InvalidInput, Transient
from confvm_gui.providers.gce import errors
from confvm_gui.providers.gce.sdk import sdk

T = TypeVar("T")

_jitter: Final = random.SystemRandom()
_AT_ONCE: Final = 6
"""Calls of an account that are under way at the same time."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds, and how often."""

    answer: float = 30
    """Until an answer, and between two parts of it."""
    attempts: int = 5
    backoff: float = 0.5
    """Before the second attempt; doubles."""
    backoff_most: float = 16
    per_second: float = 10
    """Calls of an account; the service's own limit for reading is 25 (1,500 a minute and region)."""
    burst: int = 20
    inventory: float = 10
    """Between two looks at the instances."""
    operation: float = 1.5
    """Between two looks at an operation."""
    console: float = 2
    """Between two looks at a serial port."""


class RateLimit:
    """A bucket of tokens: `burst` calls at once, `per_second` in the long run. On the event loop."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._every = 1 / per_second
        self._ahead = self._every * burst
        self._next = 0.0

    async def take(self) -> None:
        """Wait for a turn; turns are given in the order in which they were asked for."""
        now = time.monotonic()
        self._next = max(self._next, now - self._ahead) + self._every
        if self._next > now:
            await asyncio.sleep(self._next - now)


class Clients:
    """The SDK's clients of one account, each made when it is first needed. In threads.

    Whoever waited for a call may be gone before its thread: closed while calls are under way, the last one of them
    hangs up, or a connection that it opened afterwards would stay open.
    """

    def __init__(self, credentials: Any, host: str) -> None:
        self._credentials = credentials
        self._host = host
        self._counting = threading.Lock()
        self._users = 0
        self._closed = False

    def use(self, work: Callable[[Clients], T]) -> T:
        """What `work` returns."""
        with self._counting:
            self._users += 1
        try:
            return work(self)
        finally:
            with self._counting:
                self._users -= 1
                last = self._closed and not self._users
            if last:
                self._hang_up()

    @cached_property
    def types(self) -> Any:
        """Module with the messages."""
        return sdk("google.cloud.compute_v1")

    @cached_property
    def instances(self) -> Any:
        return self._made("InstancesClient")

    @cached_property
    def zone_operations(self) -> Any:
        return self._made("ZoneOperationsClient")

    @cached_property
    def global_operations(self) -> Any:
        return self._made("GlobalOperationsClient")

    @cached_property
    def zones(self) -> Any:
        return self._made("ZonesClient")

    @cached_property
    def machine_types(self) -> Any:
        return self._made("MachineTypesClient")

    @cached_property
    def images(self) -> Any:
        return self._made("ImagesClient")

    @cached_property
    def session(self) -> Any:
        """`requests` with the account's token, for services that the SDK has no client for."""
        return sdk("google.auth.transport.requests").AuthorizedSession(self._credentials)

    def _made(self, name: str) -> Any:
        options = sdk("google.api_core.client_options").ClientOptions(api_endpoint=self._host)
        return getattr(self.types, name)(credentials=self._credentials, client_options=options)

    def close(self) -> None:
        """Hang up, now or when the last call that is under way has ended."""
        with self._counting:
            self._closed = True
            last = not self._users
        if last:
            self._hang_up()

    def _hang_up(self) -> None:
        for client in [value for name, value in vars(self).items() if name.endswith("s") and not name.startswith("_")]:
            if hasattr(client, "transport"):
                client.transport.close()
        if "session" in vars(self):
            self.session.close()

    def __repr__(self) -> str:
        return "<Clients>"


Work = Callable[[Clients], T]


class GceConnection:
    """See the module."""

    def __init__(
        self,
        project: str,
        credentials: Callable[[], Any],
        *,
        patience: Patience | None = None,
        host: str | None = None,
    ) -> None:
        """`credentials`: called in a thread, for google.auth's object. Raises InvalidInput("endpoint")."""
        self.project = project
        self.patience = patience or Patience()
        self._host = host if host is not None else compute_host()
        self._make_credentials = credentials
        self._clients: Clients | None = None
        self._making = asyncio.Lock()
        self._rate = RateLimit(self.patience.per_second, self.patience.burst)
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._closed = False

    async def call(self, work: Work[T]) -> T:
        """What `work` returns. Raises what `errors` says, once it is no use to go on."""
        pause = self.patience.backoff
        for attempt in range(1, self.patience.attempts + 1):
            try:
                return await self._once(work)
            except Transient as error:
                if attempt == self.patience.attempts or self._closed:
                    raise
                wanted = getattr(error.__cause__, "response", None)
                asked = _seconds_asked(getattr(wanted, "headers", None))
            await asyncio.sleep(max(asked, pause * _jitter.uniform(0.5, 1)))
            pause = min(pause * 2, self.patience.backoff_most)
        raise AssertionError("unreachable")

    async def aclose(self) -> None:
        """No further call is made. Safe to call twice."""
        self._closed = True
        clients, self._clients = self._clients, None
        if clients is not None:
            await in_daemon_thread("Google Cloud end", lambda _stop: clients.close())

    async def _once(self, work: Work[T]) -> T:
        await self._rate.take()
        async with self._slots:
            if self._closed:
                raise Transient("The connection to Google Cloud was closed")
            clients = await self._opened()
            return await in_daemon_thread("Google Cloud", lambda _stop: _told(lambda: clients.use(work)))

    async def _opened(self) -> Clients:
        async with self._making:
            if self._clients is None:

                def make() -> Clients:
                    sdk("google.cloud.compute_v1")
                    return Clients(self._make_credentials(), self._host)

                self._clients = await in_daemon_thread("Google Cloud start", lambda _stop: _told(make))
            return self._clients

    def __repr__(self) -> str:
        return f"<GceConnection {self.project}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a connection is never pickled or copied")


def compute_host() -> str:
    """Host and port of the service. Raises InvalidInput("endpoint") for an override that is not HTTPS."""
    return _override("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", "compute.googleapis.com")


def resource_manager_host() -> str:
    """The same for Cloud Resource Manager."""
    return _override("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER", "cloudresourcemanager.googleapis.com")


def _override(variable: str, usual: str) -> str:
    address = os.environ.get(variable, "")
    if not address:
        return usual
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.netloc or "@" in parts.netloc:
        raise InvalidInput("endpoint", f"{variable} is no https address")
    return parts.netloc


def _told(work: Callable[[], T]) -> T:
    """`work`, what it fails of in the console's words."""
    try:
        return work()
    except ConfvmError:
        raise
    except Exception as error:
        # google.api_core, google.auth and requests have no common root; what is none of theirs is a bug of ours.
        if not type(error).__module__.startswith(("google.", "requests", "urllib3")):
            raise
        raise errors.of_call(error) from error


def _seconds_asked(headers: Any) -> float:
    """How long the service asks to wait (Retry-After in seconds), at most a minute."""
    value = headers.get("Retry-After", "") if headers is not None else ""
    return min(float(value), 60.0) if value.isascii() and value.isdigit() else 0.0
