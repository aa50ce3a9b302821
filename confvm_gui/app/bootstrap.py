"""Puts a session together: store, keys, providers, use cases."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.errors import InvalidInput, StoreError

if TYPE_CHECKING:
    from confvm_gui.app.libvirt_hosts import LibvirtOpener
    from confvm_gui.domain.event import AuditVerdict
    from confvm_gui.domain.ports.endorsement_source import EndorsementCache
    from confvm_gui.domain.ports.provider import Provider
    from confvm_gui.domain.ports.repositories import AuditLog
    from confvm_gui.fleet.hosts import HostEntry
    from confvm_gui.fleet.session import FleetSession

DEFAULT_WORKERS: Final = 2
MOST_WORKERS: Final = 16
_WORKERS_SETTING: Final = "engine.workers"
_FOLDER: Final = "confvm-console"


def default_data_dir() -> Path:
    """Where this user's data are kept, by the custom of the operating system."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Application Support")
    else:
        base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / _FOLDER


def check_data_dir(path: Path) -> Path:
    """Raises InvalidInput("data-dir") for a path that cannot be a data directory."""
    absolute = path.expanduser().absolute()
    if absolute.exists() and not absolute.is_dir():
        raise InvalidInput("data-dir", f"{absolute} is not a folder; give a folder for the data")
    return absolute


async def open_session(
    data_dir: Path,
    *,
    readonly: bool = False,
    workers: int | None = None,
    connect: Sequence[str] = (),
    on_store_error: Callable[[StoreError], None] | None = None,
    ask_pin: Callable[[str], str | None] | None = None,
    via: str = "cli",
    lasting: bool = True,
) -> FleetSession:
    """Open the data directory and join everything over it. Nothing is connected yet: see FleetSession.connect.

    `workers`: vCPU processes of the embedded engine; None for what the settings say. The catalogue is read when
    something is asked of it; `Catalog.load` does it before and tells of damage.
    `connect`: addresses of libvirt hosts for this session, beside those of the settings.
    `ask_pin`: asks a person for the PIN of the token that it is told, in a thread; None where nobody can be asked.
    `via`: `window` or `cli`, for the audit log.
    `lasting`: False for a directory that is removed after the session: its log is not signed, and nothing of it is
    kept elsewhere.
    Raises InvalidInput("connect"), InvalidInput("roles"), StoreError and its subclasses.
    """
    from confvm_gui.app.clouds import CloudOpener, KeyringShelf, open_accounts
    from confvm_gui.app.key_stores import open_key_stores
    from confvm_gui.app.libvirt_hosts import LibvirtOpener, open_library
    from confvm_gui.catalog import open_catalog
    from confvm_gui.fleet.accounts import Accounts
    from confvm_gui.fleet.hosts import Hosts, kept_hosts
    from confvm_gui.fleet.keys import Keys
    from confvm_gui.fleet.keys.places import KeyPlaces
    from confvm_gui.fleet.recorded import RecordedLibrary
    from confvm_gui.fleet.release.broker import SecretBroker
    from confvm_gui.fleet.release.sharing import DataSharing
    from confvm_gui.fleet.session import FleetSession
    from confvm_gui.providers.embedded.provider import EmbeddedProvider
    from confvm_gui.store import open_store

    catalog = open_catalog()
    store = await open_store(data_dir, readonly=readonly, on_error=on_store_error)
    try:
        settings = dict(await store.settings.load())
        local_keys, key_store = open_key_stores(data_dir, settings, ask_pin)
        if workers is None:
            workers = _workers_setting(settings)
        library = open_library(data_dir)
        embedded = EmbeddedProvider(data_dir, catalog, key_store, workers=workers, library=library)
        opener = LibvirtOpener(catalog, library, key_store)
        hosts = open_hosts(opener, kept_hosts(settings), connect)
        clouds, shelf = CloudOpener(catalog), KeyringShelf()
        accounts = open_accounts(clouds, shelf, settings)
        providers = {provider.name: provider for provider in (embedded, *hosts.values(), *accounts.values())}
        session = await FleetSession.begin(catalog, providers, store, data_dir, via=via)
    except BaseException:  # whatever ends the start, the store is closed: its threads would keep the program
        await store.aclose()
        raise
    session.images = RecordedLibrary(library, session.access, session.events)
    session.hosts = Hosts(session, opener, tuple(hosts))
    session.accounts = Accounts(session, clouds, shelf, tuple(accounts))
    session.find_key_protection = local_keys.probe
    session.keys = Keys(key_store, session.providers, session.events, readonly_reason=session.readonly_reason)
    session.keys.approvals = session.approvals
    session.keys.secrets = store.secrets
    session.approvals.on_approved("key.destroy", session.keys.destroy_approved)
    key_store.on_use = session.keys.record_use

    parts = (store.secrets, key_store, session.providers, session.inventory, session.events, session.access)

    def cached() -> EndorsementCache | None:
        return session.endorsements

    session.broker = SecretBroker(*parts, find_endorsements=cached, readonly_reason=session.readonly_reason)
    session.sharing = DataSharing(*parts, find_endorsements=cached, readonly_reason=session.readonly_reason)

    def look_elsewhere(scheme: str, setting: str, value: object) -> None:
        settings[setting] = value
        key_store.reopen(scheme)

    session.keys.places = KeyPlaces(session.settings, look_elsewhere)
    if lasting:
        sign_audit(session, data_dir)
    session.open_endorsements = lambda: _endorsements(data_dir)
    return session


def sign_audit(session: FleetSession, data_dir: Path) -> None:
    """Have the log of a session and its packs of rules signed, if it writes, and their signatures verified."""
    from confvm_gui.fleet.audit.anchor import AnchorFile
    from confvm_gui.fleet.audit.checkpoints import Checkpointer
    from confvm_gui.keys.local.signer import LocalSigner

    log, anchor = session.store.audit, AnchorFile(data_dir)
    session.guard.rules.signer = signer = LocalSigner(data_dir, make=not session.readonly)
    if not session.readonly:
        session.checkpoints = Checkpointer(log, signer, anchor, session.events)
    session.events.verify_signed = lambda: verify_audit(data_dir, log)


async def verify_audit(data_dir: Path, log: AuditLog, key: bytes | None = None) -> AuditVerdict:
    """Chain, signatures and anchor of this data directory's log; `key`: the public key, None for the directory's own.

    Raises StoreError. A key that cannot be reached is told in the notes.
    """
    from confvm_gui.domain.errors import KeyUnavailable
    from confvm_gui.fleet.audit.anchor import AnchorFile
    from confvm_gui.fleet.audit.verification import verify_log
    from confvm_gui.keys.local.signer import LocalSigner

    signer, no_key = LocalSigner(data_dir, make=False), ""
    if key is None:
        try:
            key = await signer.public_key() if await signer.exists() else None
        except KeyUnavailable as error:
            no_key = f"Signatures were not verified: {error.message}"
    return await verify_log(log, key, AnchorFile(data_dir), no_key=no_key)


def open_hosts(
    opener: LibvirtOpener, kept: Sequence[HostEntry], connect: Sequence[str]
) -> Mapping[HostEntry, Provider]:
    """Providers of the hosts of the settings and of the command line, not connected yet.

    A kept address that does not hold any more is left out. Raises InvalidInput("connect").
    """
    from confvm_gui.fleet.hosts import HostEntry, free_host_name

    opened: dict[HostEntry, Provider] = {}
    for entry in kept:
        with suppress(InvalidInput):
            opened[entry] = opener.open(entry.name, entry.uri)
    for uri in dict.fromkeys(address.strip() for address in connect):
        if any(entry.uri == uri for entry in opened):
            continue
        try:
            name = free_host_name(opener.name_of(uri), [entry.name for entry in opened])
            opened[HostEntry(name, uri, for_session=True)] = opener.open(name, uri)
        except InvalidInput as error:
            raise InvalidInput("connect", error.message) from error
    return opened


def _endorsements(data_dir: Path) -> EndorsementCache:
    from confvm_gui.endorsements.store import EndorsementStore

    return EndorsementStore(data_dir / "endorsements")


def _workers_setting(settings: Mapping[str, object]) -> int:
    value = settings.get(_WORKERS_SETTING)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_WORKERS:
        return value
    return DEFAULT_WORKERS
