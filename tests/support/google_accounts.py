"""Accounts of the local Compute Engine: a session over a real store, a keyring in memory, a service account."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from confvm_gui.app.clouds import KINDS, CloudOpener, open_accounts
from confvm_gui.catalog import load_catalog
from confvm_gui.fleet.accounts import Accounts
from confvm_gui.fleet.session import FleetSession
from confvm_gui.providers.cloud.connection import Patience
from confvm_gui.store import open_store
from tests.support.google_compute import PROJECT
from tests.support.google_rig import HURRY
from tests.support.tls_site import TlsSite

EMAIL = f"console@{PROJECT}.iam.gserviceaccount.com"


@dataclass
class MemoryShelf:
    """`fleet.accounts.SecretShelf`."""

    kept: dict[str, str] = field(default_factory=dict)

    def read(self, account: str) -> str | None:
        return self.kept.get(account)

    def write(self, account: str, secret: str) -> None:
        self.kept[account] = secret

    def delete(self, account: str) -> None:
        self.kept.pop(account, None)


@cache
def private_key() -> str:
    """PEM of the service account's key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_key() -> str:
    """PEM, of the same."""
    key = load_pem_private_key(private_key().encode(), None).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def key_file(site: TlsSite) -> str:
    """As Google hands it out, but for where tokens are had."""
    return json.dumps(
        {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "6b0d",
            "private_key": private_key(),
            "client_email": EMAIL,
            "client_id": "1",
            "token_uri": f"{site.base}/token",
        }
    )


@dataclass
class CloudSession:
    session: FleetSession
    accounts: Accounts
    shelf: MemoryShelf


@asynccontextmanager
async def cloud_session(
    data_dir: Path, shelf: MemoryShelf | None = None, *, patience: Patience = HURRY
) -> AsyncIterator[CloudSession]:
    """Connected, with the accounts that the data directory's settings name."""
    shelf = shelf or MemoryShelf()
    store = await open_store(data_dir)
    catalog = load_catalog()
    opener = CloudOpener(catalog, patience=patience)
    opened = open_accounts(opener, shelf, dict(await store.settings.load()))
    providers = {provider.name: provider for provider in opened.values()}
    session = await FleetSession.begin(catalog, providers, store, data_dir)
    session.accounts = accounts = Accounts(session, opener, shelf, tuple(opened))
    assert [kind.kind for kind in accounts.kinds()] == list(KINDS)
    try:
        await session.connect()
        yield CloudSession(session, accounts, shelf)
    finally:
        await session.aclose()
