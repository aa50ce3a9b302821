"""Keys in a token, against SoftHSM."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest

from confvm_gui.domain.errors import KeyUnavailable
from confvm_gui.domain.keys import KeyState
from confvm_gui.keys.ledger import KeyLedger
from confvm_gui.keys.pkcs11 import Pkcs11KeyStore
from confvm_gui.keys.pkcs11.token import check_module
from tests.support.embedded_rig import files_with
from tests.support.softhsm import MODULE, PIN, TOKEN, SoftHsm, softhsm
from tests.unit.keys.keyring_stand_in import StandInKeyring

REF = f"pkcs11:token={TOKEN};object=disks"
DEK = bytes(range(64))


@pytest.fixture
def hsm(tmp_path: Path) -> Iterator[SoftHsm]:
    with softhsm(tmp_path / "hsm") as opened:
        yield opened


@pytest.fixture
def store(hsm: SoftHsm, data_dir: Path) -> Pkcs11KeyStore:
    return Pkcs11KeyStore(MODULE, KeyLedger(data_dir), ask_pin=lambda _token: PIN)


async def test_the_key_never_leaves_its_token(store: Pkcs11KeyStore) -> None:
    import pkcs11
    from pkcs11 import Attribute

    await store.create(REF)
    wrapped = await store.wrap(REF, DEK)
    assert DEK[:16] not in wrapped
    token = pkcs11.lib(MODULE).get_token(token_label=TOKEN)
    with token.open(rw=True) as session:  # logged in already, by the store
        (key,) = session.get_objects({Attribute.LABEL: "disks"})
        assert key[Attribute.SENSITIVE]
        assert key[Attribute.ALWAYS_SENSITIVE]
        assert key[Attribute.NEVER_EXTRACTABLE]
        assert not key[Attribute.EXTRACTABLE]
        with pytest.raises(pkcs11.AttributeSensitive):
            key[Attribute.VALUE]


async def test_an_extractable_key_wraps_nothing(store: Pkcs11KeyStore) -> None:
    import pkcs11
    from pkcs11 import Attribute, KeyType

    await store.create(REF)
    await store.wrap(REF, DEK)
    with pkcs11.lib(MODULE).get_token(token_label=TOKEN).open(rw=True) as session:
        loose = {Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True}
        session.generate_key(KeyType.AES, 256, label="loose", id=b"1", store=True, template=loose)
    with pytest.raises(KeyUnavailable, match="can be taken out"):
        await store.wrap(REF.replace("disks", "loose"), DEK)


async def test_a_token_that_is_taken_out_is_told_and_works_when_it_is_put_back(
    hsm: SoftHsm, store: Pkcs11KeyStore
) -> None:
    await store.create(REF)
    wrapped = await store.wrap(REF, DEK)
    hsm.take_out()
    for using in (store.unwrap(REF, wrapped), store.wrap(REF, DEK), store.info(REF), store.rotate(REF)):
        with pytest.raises(KeyUnavailable, match=f"token {TOKEN} is not there; plug it in"):
            await using
    hsm.put_back()
    assert await store.unwrap(REF, wrapped) == DEK


async def test_a_wrong_pin_is_not_tried_again(hsm: SoftHsm, data_dir: Path) -> None:
    asked: list[str] = []

    def ask(token: str) -> str:
        asked.append(token)
        return "wrong"

    store = Pkcs11KeyStore(MODULE, KeyLedger(data_dir), ask_pin=ask)
    with pytest.raises(KeyUnavailable, match="refused the PIN"):
        await store.create(REF)
    for _ in range(5):
        with pytest.raises(KeyUnavailable, match="not tried again"):
            await store.create(REF)
    assert set(asked) == {TOKEN}
    right = Pkcs11KeyStore(MODULE, KeyLedger(data_dir), ask_pin=lambda _token: PIN)
    await right.create(REF)  # the token has not locked itself


async def test_the_pin_is_kept_in_the_keyring_and_nowhere_else(
    hsm: SoftHsm, data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before, ring = keyring.get_keyring(), StandInKeyring()
    keyring.set_keyring(ring)
    caplog.set_level(logging.DEBUG)
    try:
        store = Pkcs11KeyStore(MODULE, KeyLedger(data_dir))
        with pytest.raises(KeyUnavailable, match="system keyring, service confvm-console"):
            await store.create(REF)
        ring.entries["confvm-console", f"pkcs11-pin/{TOKEN}"] = PIN
        await store.create(REF)
        await store.destroy(REF, after_seconds=86400)
    finally:
        keyring.set_keyring(before)
    assert PIN not in caplog.text + repr(store) + repr(vars(store))
    assert not files_with(data_dir, PIN.encode())


async def test_a_destroyed_key_is_gone_from_the_token_and_its_name_stays_taken(
    hsm: SoftHsm, store: Pkcs11KeyStore
) -> None:
    await store.create(REF)
    wrapped = await store.wrap(REF, DEK)
    await store.rotate(REF)
    info = await store.destroy(REF, after_seconds=0)
    assert (info.state, info.versions) == (KeyState.DESTROYED, 0)
    for using in (store.unwrap(REF, wrapped), store.create(REF), store.restore(REF), store.enable(REF)):
        with pytest.raises(KeyUnavailable, match="was destroyed on"):
            await using


async def test_a_scheduled_destruction_is_carried_out_when_it_is_due(hsm: SoftHsm, data_dir: Path) -> None:
    now = [1_000_000.0]
    ledger = KeyLedger(data_dir, clock=lambda: now[0])
    store = Pkcs11KeyStore(MODULE, ledger, ask_pin=lambda _token: PIN)
    await store.create(REF)
    assert (await store.destroy(REF, after_seconds=100)).destroy_at == 1_000_100.0
    now[0] += 99
    assert (await store.info(REF)).state is KeyState.DESTROY_SCHEDULED
    now[0] += 1
    assert (await store.info(REF)).state is KeyState.DESTROYED


async def test_two_tokens_of_one_label_are_told_apart_by_serial(hsm: SoftHsm, store: Pkcs11KeyStore) -> None:
    import pkcs11

    hsm.add_token(TOKEN)
    pkcs11.lib(MODULE).reinitialize()  # SoftHSM sees a new token then
    with pytest.raises(KeyUnavailable, match="name one by its serial"):
        await store.create(REF)


async def test_modules_that_others_can_change_are_not_loaded(tmp_path: Path, data_dir: Path) -> None:
    module = tmp_path / "module.so"
    module.write_bytes(b"not one")
    module.chmod(0o666)
    with pytest.raises(KeyUnavailable, match="can be changed by others"):
        check_module(module)
    module.chmod(0o600)
    for path, told in (
        (str(module), "cannot be used as a PKCS#11 module"),
        (str(tmp_path), "not the whole path"),
        (str(tmp_path / "absent.so"), "cannot be read"),
        ("libsofthsm2.so", "cannot be read"),
        ("", "No PKCS#11 module is chosen"),
    ):
        with pytest.raises(KeyUnavailable, match=told):
            await Pkcs11KeyStore(path, KeyLedger(data_dir)).create(REF)
    assert await Pkcs11KeyStore("", KeyLedger(data_dir)).keys() == ()
