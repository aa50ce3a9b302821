"""The accounts in clouds that the console works with: which, how they are, and what each may do.

A list in the setting `cloud.accounts`: name, kind, project or the like, how it logs in, and whether it is for reading
only. A secret that an account logs in with stands in the system's keyring and nowhere else. What knows a cloud is
behind `AccountOpener`: a list that is empty loads nothing of it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from confvm_gui.domain.errors import InvalidInput, NotFound, ReadOnly
from confvm_gui.domain.ports.provider import Provider
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.hosts import free_host_name
from confvm_gui.fleet.observable import Observable

if TYPE_CHECKING:
    from confvm_gui.fleet.inventory import ProviderStatus
    from confvm_gui.fleet.session import FleetSession
    from confvm_gui.fleet.settings import Settings

ACCOUNTS_SETTING: Final = "cloud.accounts"
MOST_ACCOUNTS: Final = 256
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class AccountKind:
    """A cloud of which there can be accounts."""

    kind: str
    """Name of the cloud in the catalogue: `gce`."""
    title: str
    scope_title: str
    """What an account is for: `Project`."""
    chain_title: str
    """How it logs in without a secret of the console: `Application default credentials`."""
    key_title: str
    """What it logs in with otherwise: `Key file of a service account`; "" where there is no other way."""
    missing: str
    """Why none can be opened and what to do about it, in one sentence; "" where they can."""


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """One account of the list."""

    name: str
    """The provider's name: `gce-prod`. It begins with the kind."""
    kind: str
    scope: str
    own_secret: bool = False
    """Whether it logs in with a secret from the keyring; else by the SDK's own chain."""
    readonly: bool = False


@dataclass(frozen=True, slots=True)
class PermissionFact:
    """One thing that an account may do or not."""

    permission: str
    """`compute.instances.create`."""
    purpose: str
    """`make instances`."""
    granted: bool


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What a test has found."""

    about: str
    """One line: as whom, where."""
    permissions: tuple[PermissionFact, ...]

    @property
    def missing(self) -> tuple[PermissionFact, ...]:
        return tuple(fact for fact in self.permissions if not fact.granted)


ReadSecret = Callable[[], str]
"""The account's secret, called in a thread. Raises KeyUnavailable."""


class AccountOpener(Protocol):
    """What knows the clouds."""

    def kinds(self) -> Sequence[AccountKind]: ...

    def check(self, entry: AccountEntry, secret: str) -> None:
        """Raises InvalidInput with the field `scope` or `credential`. `secret`: "" where none was given."""

    def open(self, entry: AccountEntry, secret: ReadSecret) -> Provider:
        """Not connected yet. Raises nothing: what is wrong is told when it is connected."""

    async def test(self, entry: AccountEntry, secret: ReadSecret) -> AccountFacts:
        """Log in and ask what the account may do. Raises what that fails of."""


class SecretShelf(Protocol):
    """The system's keyring. Its methods block, and raise KeyUnavailable."""

    def read(self, account: str) -> str | None: ...

    def write(self, account: str, secret: str) -> None: ...

    def delete(self, account: str) -> None: ...


class Accounts:
    """See the module. Its methods are called on the event loop."""

    def __init__(
        self, session: FleetSession, opener: AccountOpener, shelf: SecretShelf, entries: Sequence[AccountEntry]
    ) -> None:
        """`entries`: those whose providers the session has already."""
        self.changes: Observable[None] = Observable()
        """The list has changed; how each account is, is told by `Inventory.provider_changes`."""
        self._session = session
        self._opener = opener
        self._shelf = shelf
        self._entries = list(entries)

    def kinds(self) -> Sequence[AccountKind]:
        return self._opener.kinds()

    def entries(self) -> Sequence[AccountEntry]:
        return tuple(self._entries)

    def get(self, name: str) -> AccountEntry:
        """Raises NotFound."""
        for entry in self._entries:
            if entry.name == name:
                return entry
        raise NotFound(f"There is no account named {name!r}")

    def status(self, name: str) -> ProviderStatus | None:
        """How the connection is; None for one that is not in the list any more."""
        return next((status for status in self._session.inventory.providers() if status.name == name), None)

    def check(self, kind: str, scope: str, name: str = "", *, secret: str = "", own_secret: bool = False) -> str:
        """What is wrong with an account that is typed, in one sentence; "" for one that can be added."""
        try:
            self._checked(kind, scope, name, secret, own_secret=own_secret, readonly=False)
        except InvalidInput as error:
            return error.message
        return ""

    async def test(
        self, kind: str, scope: str, *, secret: str = "", own_secret: bool = False, readonly: bool = False
    ) -> AccountFacts:
        """Log in once with what is typed, and ask what the account may do. Nothing is kept.

        Raises InvalidInput, and what the log-in fails of.
        """
        entry = self._checked(kind, scope, "", secret, own_secret=own_secret, readonly=readonly)
        return await self._opener.test(entry, lambda: secret)

    async def test_kept(self, name: str) -> AccountFacts:
        """The same for an account of the list. Raises NotFound, and what the log-in fails of."""
        entry = self.get(name)
        return await self._opener.test(entry, secret_reader(self._shelf, entry))

    async def add(
        self,
        kind: str,
        scope: str,
        name: str = "",
        *,
        secret: str = "",
        own_secret: bool = False,
        readonly: bool = False,
    ) -> AccountEntry:
        """Put an account on the list and connect it. `name`: "" for one that follows from the scope.

        Raises InvalidInput with the field, ReadOnly, Forbidden, KeyUnavailable where the keyring cannot be used.
        """
        self._require_permitted()
        entry = self._checked(kind, scope, name, secret, own_secret=own_secret, readonly=readonly)
        provider = self._opener.open(entry, secret_reader(self._shelf, entry))
        if own_secret:
            await asyncio.to_thread(self._shelf.write, _shelf_name(entry), secret)
        self._entries.append(entry)
        self._keep()
        await self._session.add_provider(provider)
        self._session.events.record("account.added", f"{provider.title} was connected", after=_told(entry))
        self.changes.emit(None)
        return entry

    async def remove(self, name: str) -> None:
        """Take an account off the list and its secret out of the keyring; what runs there runs on.

        Raises NotFound, ReadOnly, Forbidden, KeyUnavailable, WrongState while operations are under way there.
        """
        self._require_permitted()
        entry = self.get(name)
        title = self._session.providers[name].title
        await self._session.remove_provider(name)
        self._entries.remove(entry)
        self._keep()
        self._session.events.record("account.removed", f"{title} was taken off the list", before=_told(entry))
        self.changes.emit(None)
        if entry.own_secret:
            await asyncio.to_thread(self._shelf.delete, _shelf_name(entry))

    async def set_readonly(self, name: str, readonly: bool) -> None:
        """Whether instances can be changed through it. Raises as `remove` does."""
        self._require_permitted()
        entry = self.get(name)
        changed = replace(entry, readonly=readonly)
        if changed == entry:
            return
        provider = self._opener.open(changed, secret_reader(self._shelf, changed))
        await self._session.remove_provider(name)
        self._entries[self._entries.index(entry)] = changed
        self._keep()
        await self._session.add_provider(provider)
        self._session.events.record(
            "account.changed", f"{provider.title} was changed", before=_told(entry), after=_told(changed)
        )
        self.changes.emit(None)

    def retry(self, name: str) -> None:
        """Try to connect now. Raises NotFound."""
        self._session.inventory.retry(name)

    def _require_permitted(self) -> None:
        """Raises ReadOnly, Forbidden."""
        if self._session.readonly:
            raise ReadOnly(self._session.readonly_reason)
        self._session.access.require(Permission.MANAGE_HOSTS)

    def _checked(
        self, kind: str, scope: str, name: str, secret: str, *, own_secret: bool, readonly: bool
    ) -> AccountEntry:
        """Raises InvalidInput with the field."""
        known = next((each for each in self.kinds() if each.kind == kind), None)
        if known is None:
            raise InvalidInput("kind", f"There are no accounts of the kind {kind!r}")
        if known.missing:
            raise InvalidInput("kind", known.missing)
        scope, name = scope.strip(), name.strip()
        wanted = name or re.sub(r"[^a-z0-9]+", "-", scope.lower()).strip("-")[:40]
        if not _NAME.fullmatch(wanted):
            raise InvalidInput("name", "An account's name has lower-case letters, digits and hyphens, at most 63")
        names = [each.name for each in self._entries]
        same = next((each for each in self._entries if (each.kind, each.scope) == (kind, scope)), None)
        if same is not None:  # its instances would stand in the fleet twice
            raise InvalidInput("scope", f"{scope} is in the list already, as {same.name}")
        if name and f"{kind}-{name}" in names:
            raise InvalidInput("name", f"There is an account named {name} already")
        if len(self._entries) >= MOST_ACCOUNTS:
            raise InvalidInput("name", f"There are {MOST_ACCOUNTS} accounts in the list; remove one first")
        entry = AccountEntry(free_host_name(f"{kind}-{wanted}", names), kind, scope, own_secret, readonly)
        self._opener.check(entry, secret)
        return entry

    def _keep(self) -> None:
        self._session.settings.put(ACCOUNTS_SETTING, [_told(entry) for entry in self._entries])


def secret_reader(shelf: SecretShelf, entry: AccountEntry) -> ReadSecret:
    """Reads an account's secret out of the keyring."""
    from confvm_gui.domain.errors import KeyUnavailable

    def read() -> str:
        secret = shelf.read(_shelf_name(entry))
        if secret is None:
            raise KeyUnavailable(
                f"The system keyring has no key for the account {entry.name}: remove the account, and add it again"
            )
        return secret

    return read


def kept_accounts(settings: Settings | Mapping[str, object], kinds: Sequence[str]) -> Sequence[AccountEntry]:
    """The list as it is kept. What is not an entry of these kinds, as after an edit by hand, is left out."""
    empty: list[object] = []
    kept = settings.get(ACCOUNTS_SETTING, empty)
    found: dict[str, AccountEntry] = {}
    for item in kept if isinstance(kept, list) else empty:
        if not isinstance(item, Mapping):
            continue
        name, kind, scope = item.get("name"), item.get("kind"), item.get("scope")
        if not (isinstance(name, str) and isinstance(scope, str) and kind in kinds):
            continue
        if name.startswith(f"{kind}-") and _NAME.fullmatch(name.removeprefix(f"{kind}-")):
            entry = AccountEntry(
                name, str(kind), scope, item.get("own_secret") is True, item.get("readonly") is not False
            )
            found.setdefault(name, entry)
    return tuple(found.values())[:MOST_ACCOUNTS]


def _shelf_name(entry: AccountEntry) -> str:
    return f"account:{entry.name}"


def _told(entry: AccountEntry) -> dict[str, object]:
    """As it is kept, and told in the log: never its secret."""
    return {
        "name": entry.name,
        "kind": entry.kind,
        "scope": entry.scope,
        "own_secret": entry.own_secret,
        "readonly": entry.readonly,
    }
