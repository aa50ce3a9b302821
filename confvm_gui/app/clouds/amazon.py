"""AWS: an account is a profile of the AWS CLI, or an account id with an access key of its own."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from confvm_gui.app.clouds.cloud import Tried, facts, is_there
from confvm_gui.catalog import CLOUDS, Catalog
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.fleet.accounts import AccountEntry, AccountKind, ReadSecret

if TYPE_CHECKING:
    from confvm_gui.providers.aws.provider import Claims
    from confvm_gui.providers.cloud.connection import Patience
    from confvm_gui.providers.cloud.provider import CloudProvider

_PROFILE: Final = re.compile(r"[A-Za-z0-9_.@+-]{1,64}")
_ACCOUNT: Final = re.compile(r"\d{12}")


class Amazon:
    """Implements Cloud."""

    _claims: Claims | None = None

    def describe(self) -> AccountKind:
        missing = ""
        if not is_there("boto3"):
            from confvm_gui.providers.aws.connection import INSTALL

            missing = INSTALL
        return AccountKind(
            kind="aws",
            title=CLOUDS["aws"],
            scope_title="Profile or account id",
            chain_title="Profiles of the AWS CLI on this computer (`default` for its whole chain)",
            key_title="File with an access key",
            missing=missing,
        )

    def check(self, entry: AccountEntry, secret: str) -> None:
        if entry.own_secret:
            from confvm_gui.providers.aws.credentials import AccessKey

            if not _ACCOUNT.fullmatch(entry.scope):
                raise InvalidInput("scope", "With an access key give the account's id: 12 digits")
            AccessKey(secret)
        elif not _PROFILE.fullmatch(entry.scope):
            raise InvalidInput("scope", "A profile's name has letters, digits and _.@+-; `default` is the usual one")

    def open(
        self, entry: AccountEntry, secret: ReadSecret, catalog: Catalog, patience: Patience | None
    ) -> CloudProvider:
        from confvm_gui.providers.aws.provider import AwsProvider, Claims

        if self._claims is None:
            self._claims = Claims()
        return AwsProvider(
            entry.name,
            entry.scope,
            partial(_session, entry, secret),
            catalog,
            title=f"AWS, {entry.scope} ({entry.name.removeprefix('aws-')})",
            readonly=entry.readonly,
            patience=patience,
            claims=self._claims,
        )

    async def try_out(self, provider: CloudProvider, entry: AccountEntry) -> Tried:
        from confvm_gui.providers.aws.permissions import CHANGING, LOOKING, account_of, granted
        from confvm_gui.providers.aws.provider import AwsProvider

        assert isinstance(provider, AwsProvider)
        account, arn = await account_of(provider.connection)
        if entry.own_secret and account != entry.scope:
            raise InvalidInput("scope", f"The access key is of the account {account}, not of {entry.scope}")
        wanted = dict(LOOKING) if entry.readonly else {**LOOKING, **CHANGING}
        return Tried(facts(wanted, await granted(provider.connection, wanted)), arn)


def _session(entry: AccountEntry, secret: ReadSecret) -> Any:
    """In a thread."""
    from confvm_gui.providers.aws.credentials import AccessKey, profile_session

    return AccessKey(secret()).session() if entry.own_secret else profile_session(entry.scope)
