"""All clouds behind one door, and the keyring in which their accounts' secrets are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from confvm_gui.app.clouds.amazon import Amazon
from confvm_gui.app.clouds.cloud import Cloud
from confvm_gui.app.clouds.google import Google
from confvm_gui.catalog import Catalog
from confvm_gui.domain.errors import KeyUnavailable
from confvm_gui.domain.ports.provider import Provider
from confvm_gui.fleet.accounts import (
    AccountEntry,
    AccountFacts,
    AccountKind,
    ReadSecret,
    SecretShelf,
    kept_accounts,
    secret_reader,
)

if TYPE_CHECKING:
    from confvm_gui.keys.local.system_keyring import SystemKeyring
    from confvm_gui.providers.cloud.connection import Patience
    from confvm_gui.providers.cloud.provider import CloudProvider

_CLOUDS: Final[Mapping[str, Cloud]] = {"gce": Google(), "aws": Amazon()}
KINDS: Final = tuple(_CLOUDS)


class CloudOpener:
    """Implements `fleet.accounts.AccountOpener`."""

    def __init__(self, catalog: Catalog, *, patience: Patience | None = None) -> None:
        self._catalog = catalog
        self._patience = patience

    def kinds(self) -> Sequence[AccountKind]:
        return tuple(cloud.describe() for cloud in _CLOUDS.values())

    def check(self, entry: AccountEntry, secret: str) -> None:
        _CLOUDS[entry.kind].check(entry, secret)

    def open(self, entry: AccountEntry, secret: ReadSecret) -> CloudProvider:
        return _CLOUDS[entry.kind].open(entry, secret, self._catalog, self._patience)

    async def test(self, entry: AccountEntry, secret: ReadSecret) -> AccountFacts:
        provider = self.open(entry, secret)
        try:
            tried = await _CLOUDS[entry.kind].try_out(provider, entry)
            await provider.look()  # what is granted does not help where the service is turned off
        finally:
            await provider.aclose()
        count = len(provider.table.all())
        known_as = f", as {tried.known_as}" if tried.known_as else ""
        about = f"{provider.title}{known_as}: {count} instance{'' if count == 1 else 's'}"
        return AccountFacts(about, tried.permissions)


class KeyringShelf:
    """Implements `fleet.accounts.SecretShelf` by the system's keyring, looked for when it is first needed."""

    def read(self, account: str) -> str | None:
        return self._keyring().read(account)

    def write(self, account: str, secret: str) -> None:
        self._keyring().write(account, secret)

    def delete(self, account: str) -> None:
        self._keyring().delete(account)

    def _keyring(self) -> SystemKeyring:
        from confvm_gui.keys.local.system_keyring import SystemKeyring

        found = SystemKeyring.find()
        if found is None:
            raise KeyUnavailable(
                "This computer has no keyring in which the key could be kept: log in with the cloud's own tool instead"
            )
        return found


def open_accounts(
    opener: CloudOpener, shelf: SecretShelf, settings: Mapping[str, object]
) -> Mapping[AccountEntry, Provider]:
    """Providers of the accounts of the settings, not connected yet."""
    return {entry: opener.open(entry, secret_reader(shelf, entry)) for entry in kept_accounts(settings, KINDS)}
