"""What every KeyStore promises (domain/ports/keystore.py), on each place that keeps its keys."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import keyring
import pytest

from confvm_gui.domain.errors import InvalidInput, KeyUnavailable
from confvm_gui.domain.ports.keystore import KeyStore
from confvm_gui.keys.local import LocalKeyStore
from tests.unit.keys.keyring_stand_in import StandInKeyring


@dataclass(frozen=True)
class Place:
    """A scheme and where its keys are; `open` opens the same place again."""

    data_dir: Path

    def open(self) -> KeyStore:
        return LocalKeyStore(self.data_dir)

    def ref(self, name: str) -> str:
        return f"local:{name}"


@pytest.fixture(params=["system keyring", "file"])
def place(request: pytest.FixtureRequest, data_dir: Path) -> Iterator[Place]:
    before = keyring.get_keyring()
    if request.param == "system keyring":
        keyring.set_keyring(StandInKeyring())
    yield Place(data_dir)
    keyring.set_keyring(before)


@pytest.mark.parametrize("length", [16, 17, 24, 31, 32, 48, 63, 64])
async def test_what_was_wrapped_is_unwrapped_also_later(place: Place, length: int) -> None:
    store = place.open()
    await store.create(place.ref("default"))
    key = bytes(range(length))
    wrapped = await store.wrap(place.ref("default"), key)
    assert key not in wrapped
    assert await store.unwrap(place.ref("default"), wrapped) == key
    assert await place.open().unwrap(place.ref("default"), wrapped) == key


async def test_creating_a_key_that_exists_changes_nothing(place: Place) -> None:
    store = place.open()
    await store.create(place.ref("default"))
    wrapped = await store.wrap(place.ref("default"), bytes(32))
    await store.create(place.ref("default"))
    await place.open().create(place.ref("default"))
    assert await place.open().unwrap(place.ref("default"), wrapped) == bytes(32)


async def test_creating_at_once_makes_one_key(place: Place) -> None:
    stores = [place.open() for _ in range(4)]
    await asyncio.gather(*(store.create(place.ref("default")) for store in stores for _ in range(3)))
    wrapped = [await store.wrap(place.ref("default"), bytes(32)) for store in stores]
    for store in stores:
        for each in wrapped:
            assert await store.unwrap(place.ref("default"), each) == bytes(32)


async def test_a_key_that_was_never_made_is_told(place: Place) -> None:
    store = place.open()
    with pytest.raises(KeyUnavailable, match="no key"):
        await store.wrap(place.ref("absent"), bytes(32))
    with pytest.raises(KeyUnavailable, match="no key"):
        await store.unwrap(place.ref("absent"), bytes(40))


async def test_another_key_or_a_changed_wrapping_is_refused(place: Place) -> None:
    store = place.open()
    await store.create(place.ref("one"))
    await store.create(place.ref("two"))
    wrapped = await store.wrap(place.ref("one"), bytes(range(32)))
    with pytest.raises(KeyUnavailable, match="not wrapped under"):
        await store.unwrap(place.ref("two"), wrapped)
    for at in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[at] ^= 1
        with pytest.raises(KeyUnavailable):
            await store.unwrap(place.ref("one"), bytes(changed))
    for length in range(len(wrapped)):
        with pytest.raises(KeyUnavailable):
            await store.unwrap(place.ref("one"), wrapped[:length])


@pytest.mark.parametrize("length", [0, 1, 15, 65, 4096])
async def test_only_keys_are_wrapped(place: Place, length: int) -> None:
    store = place.open()
    await store.create(place.ref("default"))
    with pytest.raises(InvalidInput, match=str(length)):
        await store.wrap(place.ref("default"), bytes(length))


@pytest.mark.parametrize("name", ["", "UPPER", "../escape", "a/b", "a b", ".hidden", "x" * 64, "é", "a\n"])
async def test_what_names_no_key_is_refused(place: Place, name: str) -> None:
    store = place.open()
    for using in (
        store.create(place.ref(name)),
        store.wrap(place.ref(name), bytes(32)),
        store.unwrap(place.ref(name), bytes(40)),
    ):
        with pytest.raises(InvalidInput) as caught:
            await using
        assert caught.value.field == "disk_key"


async def test_another_scheme_is_refused(place: Place) -> None:
    for ref in ("pkcs11:default", "default", ":", ""):
        with pytest.raises(InvalidInput):
            await place.open().create(ref)


async def test_it_shows_no_key_and_cannot_be_pickled(place: Place) -> None:
    store = place.open()
    await store.create(place.ref("default"))
    assert place.open().scheme == "local"
    assert "0x" not in repr(store)
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="never pickled"):
            leave(store)
