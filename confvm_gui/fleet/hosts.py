"""The libvirt hosts that the console is connected to: which, how they are, and what each can do.

A list of addresses in the setting `libvirt.hosts`, and those of `--connect`, which are for the session only. What
knows libvirt itself is behind `HostOpener`: a list that is empty loads nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from confvm_gui.domain.errors import InvalidInput, NotFound, ReadOnly
from confvm_gui.domain.ports.provider import Provider
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.observable import Observable

if TYPE_CHECKING:
    from confvm_gui.fleet.inventory import ProviderStatus
    from confvm_gui.fleet.session import FleetSession
    from confvm_gui.fleet.settings import Settings

HOSTS_SETTING: Final = "libvirt.hosts"
MOST_HOSTS: Final = 256


@dataclass(frozen=True, slots=True)
class HostEntry:
    """One host of the list."""

    name: str
    """The provider's name: `libvirt-db1-example-com-system`."""
    uri: str
    """As it was typed."""
    for_session: bool = False
    """Given on the command line: not kept."""


@dataclass(frozen=True, slots=True)
class HostFact:
    """One thing that a host can do or cannot."""

    title: str
    """`AMD SEV-SNP`, `UEFI` …"""
    available: bool
    detail: str
    """Where it is not available, why, and what to check; else what there is of it, or ""."""


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What a host is and can do."""

    about: str
    """One line: hypervisor, processor, memory."""
    facts: tuple[HostFact, ...]


class HostOpener(Protocol):
    """What knows libvirt."""

    def missing(self) -> str:
        """Why no host can be opened at all and what to do about it, in one sentence; "" where they can."""

    def name_of(self, uri: str) -> str:
        """The provider's name for an address. Raises InvalidInput("uri") with what is accepted."""

    def open(self, name: str, uri: str) -> Provider:
        """Not connected yet. Raises InvalidInput("uri")."""

    def facts(self, provider: Provider) -> HostFacts | None:
        """None as long as the host has not told."""

    async def learn(self, provider: Provider) -> HostFacts | None:
        """Ask a connected provider's host. Raises Transient, Unsupported; None for a provider of another kind."""


class Hosts:
    """See the module. Its methods are called on the event loop."""

    def __init__(self, session: FleetSession, opener: HostOpener, entries: Sequence[HostEntry]) -> None:
        """`entries`: those whose providers the session has already."""
        self.changes: Observable[None] = Observable()
        """The list has changed; how each host is, is told by `Inventory.provider_changes`."""
        self._session = session
        self._opener = opener
        self._entries = list(entries)

    @property
    def missing(self) -> str:
        """Why no host can be connected, in one sentence that says what to do; "" where they can."""
        return self._opener.missing()

    def entries(self) -> Sequence[HostEntry]:
        return tuple(self._entries)

    def get(self, name: str) -> HostEntry:
        """Raises NotFound."""
        for entry in self._entries:
            if entry.name == name:
                return entry
        raise NotFound(f"There is no connection named {name!r}")

    def status(self, name: str) -> ProviderStatus | None:
        """How the connection is; None for one that is not in the list any more."""
        return next((status for status in self._session.inventory.providers() if status.name == name), None)

    def facts(self, name: str) -> HostFacts | None:
        """What the host can do, once it was connected; else None."""
        provider = self._session.providers.get(name)
        return self._opener.facts(provider) if provider is not None else None

    async def learn(self, name: str) -> HostFacts | None:
        """The same, asked anew. Raises Transient, Unsupported."""
        provider = self._session.providers.get(name)
        return await self._opener.learn(provider) if provider is not None else None

    def check(self, uri: str) -> str:
        """What is wrong with an address, in one sentence; "" for one that can be added."""
        try:
            self._checked(uri)
        except InvalidInput as error:
            return error.message
        return ""

    async def test(self, uri: str) -> HostFacts:
        """Connect once, ask what the host can do, and let go. Nothing is kept.

        Raises InvalidInput("uri"), and what a connection fails of.
        """
        provider = self._opener.open(self._opener.name_of(uri), uri.strip())
        try:
            await provider.connect()
            facts = await self._opener.learn(provider)
        finally:
            await provider.aclose()
        return facts or HostFacts(provider.title, ())

    async def add(self, uri: str, *, for_session: bool = False) -> HostEntry:
        """Put a host on the list and connect it; that it cannot be reached now is no reason against it.

        Raises InvalidInput("uri"), ReadOnly, StoreError.
        """
        self._require_permitted()
        name = self._checked(uri)
        entry = HostEntry(name, uri.strip(), for_session)
        provider = self._opener.open(name, entry.uri)
        self._entries.append(entry)
        self._keep()
        await self._session.add_provider(provider)
        self._session.events.record("host.added", f"{provider.title} was connected", after={"uri": entry.uri})
        self.changes.emit(None)
        return entry

    async def remove(self, name: str) -> None:
        """Take a host off the list; what runs there runs on.

        Raises NotFound, ReadOnly, WrongState while operations are under way there.
        """
        self._require_permitted()
        entry = self.get(name)
        title = self._session.providers[name].title
        await self._session.remove_provider(name)
        self._entries.remove(entry)
        self._keep()
        self._session.events.record("host.removed", f"{title} was taken off the list", before={"uri": entry.uri})
        self.changes.emit(None)

    def retry(self, name: str) -> None:
        """Try to connect now. Raises NotFound."""
        self._session.inventory.retry(name)

    def _require_permitted(self) -> None:
        """Raises ReadOnly, Forbidden."""
        if self._session.readonly:
            raise ReadOnly(self._session.readonly_reason)
        self._session.access.require(Permission.MANAGE_HOSTS)

    def _checked(self, uri: str) -> str:
        """The name for it. Raises InvalidInput("uri")."""
        name = self._opener.name_of(uri)
        if any(entry.uri == uri.strip() for entry in self._entries):
            raise InvalidInput("uri", "This host is in the list already")
        if len(self._entries) >= MOST_HOSTS:
            raise InvalidInput("uri", f"There are {MOST_HOSTS} hosts in the list; remove one first")
        return free_host_name(name, [entry.name for entry in self._entries])

    def _keep(self) -> None:
        kept = [{"name": entry.name, "uri": entry.uri} for entry in self._entries if not entry.for_session]
        self._session.settings.put(HOSTS_SETTING, kept)


def free_host_name(name: str, taken: Sequence[str]) -> str:
    """`name`, or with a number where two addresses have the same: another user on the same host."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    return found


def kept_hosts(settings: Settings | Mapping[str, object]) -> Sequence[HostEntry]:
    """The list as it is kept. What is not an entry, as after an edit by hand, is left out."""
    empty: list[object] = []
    kept = settings.get(HOSTS_SETTING, empty)
    found: dict[str, HostEntry] = {}
    for item in kept if isinstance(kept, list) else empty:
        name, uri = (item.get("name"), item.get("uri")) if isinstance(item, Mapping) else (None, None)
        if isinstance(name, str) and isinstance(uri, str) and name.startswith("libvirt-"):
            found.setdefault(name, HostEntry(name, uri))
    return tuple(found.values())[:MOST_HOSTS]
