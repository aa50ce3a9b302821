"""The keys of real instances' disks: who uses them, wrapping them anew, and what a destroyed key leaves."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from confvm_gui.domain.errors import InvalidInput, KeyUnavailable, NotFound, ReadOnly, StoreFull, WrongState
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.keys import KeyState
from confvm_gui.engine.guests.records_disk import DiskHeader
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.keys import Keys
from confvm_gui.fleet.keys.rewrap import Rewrapped
from confvm_gui.keys.ledger import KeyLedger
from confvm_gui.keys.local import LocalKeyStore
from confvm_gui.keys.pkcs11 import Pkcs11KeyStore
from confvm_gui.keys.router import KeyRouter
from confvm_gui.providers.embedded.definitions import Definitions
from confvm_gui.providers.embedded.host_keys import KEY_REF, HostKeyFile
from confvm_gui.providers.embedded.provider import EmbeddedProvider
from confvm_gui.providers.embedded.wrapped_keys import HOSTS_NAME
from tests.support.embedded_rig import (
    SECRET_FIELD,
    catalog,
    files_with,
    host_keys,
    launch_request,
    ready,
    small_site,
    write_records,
)
from tests.support.fake_session import MemoryAudit
from tests.support.operations import OperationRecord
from tests.support.softhsm import MODULE, PIN, TOKEN, SoftHsm, softhsm

LOCAL = "local:default"
IN_TOKEN = f"pkcs11:token={TOKEN};object=disks"


@dataclass
class House:
    """A provider, the keys of its disks, and the log."""

    data_dir: Path
    provider: EmbeddedProvider
    router: KeyRouter
    keys: Keys
    log: MemoryAudit

    def header(self, instance: Instance) -> DiskHeader:
        return DiskHeader.decode((self.data_dir / "instances" / instance.id / "disk.img").read_bytes())

    def local_keys(self) -> list[str]:
        """In hex, as their files hold them."""
        return [path.read_text().strip() for path in self.data_dir.glob("keys/*.kek") if path.stem == "default"]

    async def launch(self, records: Path, key_ref: str, name: str = "probe") -> Instance:
        request = launch_request(name, records=records)
        asked = replace(request, disk_key=key_ref)
        return await self.provider.create(asked, OperationRecord())

    def told(self, action: str) -> list[tuple[str, str]]:
        return [(each.event.subject, each.event.message) for each in self.log.records if each.event.action == action]


@asynccontextmanager
async def house(data_dir: Path) -> AsyncIterator[House]:
    ledger = KeyLedger(data_dir)
    local = LocalKeyStore(data_dir, ledger)
    token = Pkcs11KeyStore(MODULE, ledger, ask_pin=lambda _token: PIN)
    router = KeyRouter({"local": lambda: local, "pkcs11": lambda: token})
    provider = EmbeddedProvider(data_dir, catalog(), router, make_site=small_site, make_keys=host_keys)
    log = MemoryAudit()
    keys = Keys(router, {"embedded": provider}, EventFeed(log, readonly=False))
    router.on_use = keys.record_use
    try:
        await provider.connect()
        yield House(data_dir, provider, router, keys, log)
    finally:
        await provider.aclose()


@pytest.fixture
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_records(tmp_path_factory.mktemp("records"))


@pytest.fixture
def hsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    with softhsm(tmp_path_factory.mktemp("hsm")) as opened:
        yield opened


@pytest.mark.parametrize("key_ref", [LOCAL, IN_TOKEN])
async def test_a_destroyed_key_leaves_nothing_readable(
    data_dir: Path, records: Path, hsm: SoftHsm, key_ref: str
) -> None:
    async with house(data_dir) as at:
        instance = await at.launch(records, key_ref)
        dek = await at.router.unwrap(key_ref, at.header(instance).wrapped_dek)
        await at.provider.stop(instance.id, OperationRecord())
        kek = at.local_keys()
        assert bool(kek) is (key_ref == LOCAL)
        with pytest.raises(WrongState, match="the disk of probe"):
            await at.keys.destroy(key_ref, after_seconds=0)
        info = await at.keys.destroy(key_ref, after_seconds=0, lose=[instance.id])
        assert info.state is KeyState.DESTROYED
        with pytest.raises(KeyUnavailable, match="was destroyed on"):
            await at.provider.start(instance.id, OperationRecord())
        with pytest.raises(KeyUnavailable, match="was destroyed on"):
            await at.router.create(key_ref)
        assert at.told("key.destroy") == [("", f"{key_ref} destroyed; lost with it: the data of probe")]
    needles = [dek, dek[:32], dek[32:], dek.hex().encode(), SECRET_FIELD.encode()]
    needles += [form for text in kek for form in (text.encode(), bytes.fromhex(text))]
    assert files_with(data_dir, *needles) == []


async def test_a_token_that_is_taken_out_keeps_its_instance_from_starting(
    data_dir: Path, records: Path, hsm: SoftHsm
) -> None:
    async with house(data_dir) as at:
        instance = await at.launch(records, IN_TOKEN)
        await at.provider.stop(instance.id, OperationRecord())
        hsm.take_out()
        with pytest.raises(KeyUnavailable, match="plug it in"):
            await at.provider.start(instance.id, OperationRecord())
        listing = await at.keys.listing()
        (gone,) = (info for info in listing.keys if info.ref == IN_TOKEN)
        assert (gone.state, "plug it in" in gone.state_reason) == (KeyState.UNREACHABLE, True)
        hsm.put_back()
        await at.provider.start(instance.id, OperationRecord())
        await ready(at.provider, instance.id)
        refused = at.told("key.unwrap-refused")
        assert [subject for subject, _ in refused] == [instance.id]
        assert {subject for subject, _ in at.told("key.unwrap")} == {instance.id}


async def test_disk_keys_are_wrapped_anew_while_their_instance_runs(
    data_dir: Path, records: Path, hsm: SoftHsm
) -> None:
    async with house(data_dir) as at:
        instance = await at.launch(records, LOCAL)
        before = at.header(instance)
        dek = await at.router.unwrap(LOCAL, before.wrapped_dek)
        (use,) = await at.keys.uses(LOCAL)
        assert (use.instance_id, use.instance_name, use.what) == (instance.id, "probe", "disk")
        await at.keys.rotate(LOCAL)
        assert (await at.keys.rewrap(LOCAL)).done == ("probe",)
        rotated = at.header(instance)
        assert rotated.key_ref == LOCAL
        assert rotated.wrapped_dek != before.wrapped_dek
        await at.keys.create(IN_TOKEN)
        assert await at.keys.rewrap(LOCAL, IN_TOKEN) == Rewrapped(("probe",), {})
        assert at.header(instance).key_ref == IN_TOKEN
        assert await at.router.unwrap(IN_TOKEN, at.header(instance).wrapped_dek) == dek
        await at.keys.destroy(LOCAL, after_seconds=0)  # it holds nothing any more
        await ready(at.provider, instance.id)
        await at.provider.reset(instance.id, OperationRecord())
        await ready(at.provider, instance.id)
        assert [subject for subject, _ in at.told("key.rewrap")] == [instance.id, instance.id]


async def test_the_hosts_own_secrets_stay_under_their_own_key(data_dir: Path) -> None:
    local = LocalKeyStore(data_dir)
    await HostKeyFile(data_dir, local).save(host_keys())
    async with house(data_dir) as at:
        await at.keys.create("local:other")
        outcome = await at.keys.rewrap(KEY_REF, "local:other")
        assert (outcome.done, list(outcome.failed)) == ((), [HOSTS_NAME])
        assert at.told("key.rewrap") == []
        assert [use.what for use in await at.keys.uses(KEY_REF)] == ["chip"]
        await at.keys.rotate(KEY_REF)
        assert (await at.keys.rewrap(KEY_REF)).done == (HOSTS_NAME,)


async def test_what_cannot_be_wrapped_anew_stays_as_it_was(data_dir: Path, records: Path, hsm: SoftHsm) -> None:
    async with house(data_dir) as at:
        instance = await at.launch(records, LOCAL)
        before = at.header(instance)
        with pytest.raises(NotFound):
            await at.keys.rewrap(LOCAL, "local:absent")
        await at.keys.create("local:other")
        await at.keys.disable(LOCAL)
        outcome = await at.keys.rewrap(LOCAL, "local:other")
        assert outcome.done == ()
        assert "disabled" in outcome.failed["probe"]
        assert at.header(instance) == before


async def test_keys_are_listed_with_what_they_hold_and_problems_beside(
    data_dir: Path, records: Path, hsm: SoftHsm
) -> None:
    async with house(data_dir) as at:
        instance = await at.launch(records, LOCAL)
        listing = await at.keys.listing()
        assert listing.problems == {}
        assert [use.instance_id for use in listing.uses_of(LOCAL)] == [instance.id]
        with pytest.raises(InvalidInput, match="no kind of key"):
            await at.keys.rotate("nosuch:key")


async def test_a_store_that_cannot_be_asked_hides_no_other(data_dir: Path) -> None:
    ledger = KeyLedger(data_dir)
    local, token = LocalKeyStore(data_dir, ledger), Pkcs11KeyStore("/nowhere/module.so", ledger)
    keys = Keys(
        KeyRouter({"local": lambda: local, "pkcs11": lambda: token}), {}, EventFeed(MemoryAudit(), readonly=False)
    )
    await keys.create(LOCAL)
    listing = await keys.listing()
    assert [info.ref for info in listing.keys] == [LOCAL]
    assert "/nowhere/module.so cannot be read" in listing.problems["pkcs11"]


async def test_a_read_only_session_changes_no_key(data_dir: Path) -> None:
    local = LocalKeyStore(data_dir)
    router = KeyRouter({"local": lambda: local})
    keys = Keys(router, {}, EventFeed(MemoryAudit(), readonly=True), readonly_reason="opened for reading")
    for using in (keys.create(LOCAL), keys.rotate(LOCAL), keys.destroy(LOCAL), keys.rewrap(LOCAL)):
        with pytest.raises(ReadOnly, match="opened for reading"):
            await using
    assert not (data_dir / "keys").exists()


async def test_destructions_that_are_due_are_carried_out_by_themselves(data_dir: Path) -> None:
    local = LocalKeyStore(data_dir)
    log = MemoryAudit()
    keys = Keys(KeyRouter({"local": lambda: local}), {}, EventFeed(log, readonly=False))
    await keys.create("local:short")
    gone = asyncio.Event()
    keys.changes.subscribe(lambda ref: gone.set() if log.records[-1].event.action == "key.destroyed" else None)
    await keys.destroy("local:short", after_seconds=1.0)
    keys.start()
    try:
        await gone.wait()
    finally:
        await keys.aclose()
    assert (await keys.info("local:short")).state is KeyState.DESTROYED
    assert not (data_dir / "keys" / "short.kek").exists()


def test_a_header_that_cannot_be_written_leaves_the_old_disk(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    definitions = Definitions(data_dir)
    old = DiskHeader(LOCAL, bytes(72)).encode() + b"sectors" * 100
    definitions.write_disk("a" * 32, old)

    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(StoreFull):
            definitions.replace_disk_head("a" * 32, DiskHeader("local:new", bytes(72)).encode())
    assert definitions.disk("a" * 32).read_bytes() == old
    new = DiskHeader("local:new", bytes(72)).encode()
    definitions.replace_disk_head("a" * 32, new)
    assert definitions.disk("a" * 32).read_bytes() == new + b"sectors" * 100
    assert [path.name for path in definitions.folder("a" * 32).iterdir()] == ["disk.img"]
