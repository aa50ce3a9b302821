"""Opens accounts in clouds for the fleet: the one place that hands the clouds' adapters over.

Nothing of an adapter is loaded before there is an account of its kind, and nothing of an SDK before it is connected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from confvm_gui.catalog import CLOUDS, Catalog
from confvm_gui.domain.errors import ConfvmError, InvalidInput, KeyUnavailable
from confvm_gui.domain.ports.provider import Provider
from confvm_gui.fleet.accounts import (
    AccountEntry,
    AccountFacts,
    AccountKind,
    PermissionFact,
    ReadSecret,
    SecretShelf,
    kept_accounts,
    secret_reader,
)

if TYPE_CHECKING:
    from confvm_gui.keys.local.system_keyring import SystemKeyring
    from confvm_gui.providers.cloud.connection import Patience
    from confvm_gui.providers.gce.provider import GceProvider

KINDS: Final = ("gce",)
_PROJECT: Final = re.compile(r"(?:[a-z][-a-z0-9.]{1,60}:)?[a-z][-a-z0-9]{4,28}[a-z0-9]")
"""Resource Manager: 6 to 30 letters, digits and hyphens; older ones belong to a domain."""


class CloudOpener:
    """Implements `fleet.accounts.AccountOpener`."""

    def __init__(self, catalog: Catalog, *, patience: Patience | None = None) -> None:
        self._catalog = catalog
        self._patience = patience

    def kinds(self) -> Sequence[AccountKind]:
        return (
            AccountKind(
                kind="gce",
                title=CLOUDS["gce"],
                scope_title="Project",
                chain_title="Application default credentials of this computer",
                key_title="Key file of a service account",
                missing=_google_missing(),
            ),
        )

    def check(self, entry: AccountEntry, secret: str) -> None:
        if not _PROJECT.fullmatch(entry.scope):
            raise InvalidInput("scope", "A project id has 6 to 30 lower-case letters, digits and hyphens")
        if entry.own_secret:
            from confvm_gui.providers.gce.credentials import KeyFile

            KeyFile(secret)

    def open(self, entry: AccountEntry, secret: ReadSecret) -> GceProvider:
        from confvm_gui.fleet.export import rest_body
        from confvm_gui.providers.gce.provider import GceProvider

        return GceProvider(
            entry.name,
            entry.scope,
            partial(_google_credentials, entry, secret),
            self._catalog,
            partial(rest_body, self._catalog),
            title=f"Google Cloud, {entry.scope} ({entry.name.removeprefix('gce-')})",
            readonly=entry.readonly,
            patience=self._patience,
        )

    async def test(self, entry: AccountEntry, secret: ReadSecret) -> AccountFacts:
        from confvm_gui.providers.gce.permissions import CHANGING, LOOKING, granted

        provider = self.open(entry, secret)
        wanted = dict(LOOKING) if entry.readonly else {**LOOKING, **CHANGING}
        try:
            have = await granted(provider.connection, list(wanted))
            await provider.poller.look()  # what is granted does not help where the service is turned off
        finally:
            await provider.aclose()
        facts = tuple(PermissionFact(name, purpose, name in have) for name, purpose in wanted.items())
        count = len(provider.table.all())
        return AccountFacts(f"{provider.title}: {count} instance{'' if count == 1 else 's'}", facts)


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
    """Providers of the accounts of the settings, not connected yet. One that does not hold any more is left out."""
    opened: dict[AccountEntry, Provider] = {}
    for entry in kept_accounts(settings, KINDS):
        with suppress(ConfvmError):
            opened[entry] = opener.open(entry, secret_reader(shelf, entry))
    return opened


def _google_missing() -> str:
    with suppress(ModuleNotFoundError):  # of a package above it
        if find_spec("google.auth") is not None and find_spec("google.cloud.compute_v1") is not None:
            return ""
    from confvm_gui.providers.gce.sdk import INSTALL

    return INSTALL


def _google_credentials(entry: AccountEntry, secret: ReadSecret) -> Any:
    """In a thread."""
    from confvm_gui.providers.gce.credentials import KeyFile, default_credentials

    return KeyFile(secret()).credentials() if entry.own_secret else default_credentials()
