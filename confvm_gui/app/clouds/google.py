"""Google Cloud: an account is a project."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from confvm_gui.app.clouds.cloud import Tried, facts, is_there
from confvm_gui.catalog import CLOUDS, Catalog
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.fleet.accounts import AccountEntry, AccountKind, ReadSecret

if TYPE_CHECKING:
    from confvm_gui.providers.cloud.connection import Patience
    from confvm_gui.providers.cloud.provider import CloudProvider

_PROJECT: Final = re.compile(r"(?:[a-z][-a-z0-9.]{1,60}:)?[a-z][-a-z0-9]{4,28}[a-z0-9]")
"""Resource Manager: 6 to 30 letters, digits and hyphens; older ones belong to a domain."""


class Google:
    """Implements Cloud."""

    def describe(self) -> AccountKind:
        missing = ""
        if not is_there("google.auth", "google.cloud.compute_v1"):
            from confvm_gui.providers.gce.sdk import INSTALL

            missing = INSTALL
        return AccountKind(
            kind="gce",
            title=CLOUDS["gce"],
            scope_title="Project",
            chain_title="Application default credentials of this computer",
            key_title="Key file of a service account",
            missing=missing,
        )

    def check(self, entry: AccountEntry, secret: str) -> None:
        if not _PROJECT.fullmatch(entry.scope):
            raise InvalidInput("scope", "A project id has 6 to 30 lower-case letters, digits and hyphens")
        if entry.own_secret:
            from confvm_gui.providers.gce.credentials import KeyFile

            KeyFile(secret)

    def open(
        self, entry: AccountEntry, secret: ReadSecret, catalog: Catalog, patience: Patience | None
    ) -> CloudProvider:
        from confvm_gui.fleet.export import rest_body
        from confvm_gui.providers.gce.provider import GceProvider

        return GceProvider(
            entry.name,
            entry.scope,
            partial(_credentials, entry, secret),
            catalog,
            partial(rest_body, catalog),
            title=f"Google Cloud, {entry.scope} ({entry.name.removeprefix('gce-')})",
            readonly=entry.readonly,
            patience=patience,
        )

    async def try_out(self, provider: CloudProvider, entry: AccountEntry) -> Tried:
        from confvm_gui.providers.gce.permissions import CHANGING, LOOKING, granted
        from confvm_gui.providers.gce.provider import GceProvider

        assert isinstance(provider, GceProvider)
        wanted = dict(LOOKING) if entry.readonly else {**LOOKING, **CHANGING}
        return Tried(facts(wanted, await granted(provider.connection, list(wanted))))


def _credentials(entry: AccountEntry, secret: ReadSecret) -> Any:
    """In a thread."""
    from confvm_gui.providers.gce.credentials import KeyFile, default_credentials

    return KeyFile(secret()).credentials() if entry.own_secret else default_credentials()
