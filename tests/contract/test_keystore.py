"""What every KeyStore promises (domain/ports/keystore.py), on each place that keeps its keys."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from confvm_gui.domain.errors import InvalidInput, KeyUnavailable, NotFound
from confvm_gui.domain.keys import KeyState
from confvm_gui.domain.ports.keystore import GovernsKeys, KeyStore
from tests.support.key_places import PLACES, Place


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with PLACES[request.param](data_dir, tmp_path_factory.mktemp("place")) as opened:
        yield opened


def governed(store: KeyStore) -> GovernsKeys:
    assert isinstance(store, GovernsKeys)
    return store


async def test_what_was_wrapped_is_unwrapped_also_later(place: Place) -> None:
    store = place.open()
    await store.create(place.ref("default"))
    for length in (16, 17, 24, 31, 32, 48, 63, 64):
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
    with pytest.raises(KeyUnavailable, match=r"no key|not wrapped under"):
        await store.unwrap(place.ref("absent"), bytes(40))


async def test_another_key_or_a_changed_wrapping_is_refused(place: Place) -> None:
    store = place.open()
    await store.create(place.ref("one"))
    await store.create(place.ref("two"))
    wrapped = await store.wrap(place.ref("one"), bytes(range(32)))
    with pytest.raises(KeyUnavailable, match="not wrapped under"):
        await store.unwrap(place.ref("two"), wrapped)
    for at in place.positions(len(wrapped)):
        changed = bytearray(wrapped)
        changed[at] ^= 1
        with pytest.raises(KeyUnavailable):
            await store.unwrap(place.ref("one"), bytes(changed))
    for length in place.positions(len(wrapped)):
        with pytest.raises(KeyUnavailable):
            await store.unwrap(place.ref("one"), wrapped[:length])


async def test_only_keys_are_wrapped(place: Place) -> None:
    store = place.open()
    await store.create(place.ref("default"))
    for length in (0, 1, 15, 65, 4096):
        with pytest.raises(InvalidInput, match=str(length)):
            await store.wrap(place.ref("default"), bytes(length))


async def test_what_names_no_key_is_refused(place: Place) -> None:
    store = place.open()
    for name in place.bad_names:
        for using in (
            store.create(place.ref(name)),
            store.wrap(place.ref(name), bytes(32)),
            store.unwrap(place.ref(name), bytes(80)),
            governed(store).rotate(place.ref(name)),
            governed(store).destroy(place.ref(name), after_seconds=place.delay),
        ):
            with pytest.raises(InvalidInput) as caught:
                await using
            assert caught.value.field == "disk_key"


async def test_another_scheme_is_refused(place: Place) -> None:
    for ref in ("other:default", "default", ":", "", place.open().scheme, place.open().scheme + ":"):
        with pytest.raises(InvalidInput):
            await place.open().create(ref)


async def test_it_shows_no_key_and_cannot_be_pickled(place: Place) -> None:
    store = place.open()
    await store.create(place.ref("default"))
    assert place.ref("default").startswith(place.open().scheme + ":")
    assert "0x" not in repr(store)
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="never pickled"):
            leave(store)


async def test_all_keys_are_listed_as_they_are(place: Place) -> None:
    store = place.open()
    assert not await governed(store).keys()
    for name in ("one", "two"):
        await store.create(place.ref(name))
    listed = {info.ref: info for info in await governed(store).keys()}
    assert set(listed) == {place.ref("one"), place.ref("two")}
    for ref, info in listed.items():
        assert info == await governed(place.open()).info(ref)
        assert (info.state, info.state_reason, info.versions) == (KeyState.ENABLED, "", 1)
        assert info.algorithm
        assert info.protection
        assert info.destroy_at is None


async def test_rotation_leaves_readable_what_older_versions_wrapped(place: Place) -> None:
    store, other = place.open(), place.open()
    await store.create(place.ref("default"))
    wrapped = [await store.wrap(place.ref("default"), bytes(range(32)))]
    for versions in (2, 3):
        info = await governed(store).rotate(place.ref("default"))
        assert (info.versions, info.primary_version) == (versions, versions)
        wrapped.append(await other.wrap(place.ref("default"), bytes(range(32))))
    assert len(set(wrapped)) == 3
    for each in wrapped:
        assert await place.open().unwrap(place.ref("default"), each) == bytes(range(32))
        assert await other.unwrap(place.ref("default"), each) == bytes(range(32))


async def test_a_disabled_key_is_used_by_nobody_until_it_is_enabled(place: Place) -> None:
    store, other = place.open(), place.open()
    await store.create(place.ref("default"))
    wrapped = await other.wrap(place.ref("default"), bytes(32))
    info = await governed(store).disable(place.ref("default"))
    assert (info.state, bool(info.state_reason)) == (KeyState.DISABLED, True)
    for each in (store, other):
        with pytest.raises(KeyUnavailable, match="disabled"):
            await each.wrap(place.ref("default"), bytes(32))
        with pytest.raises(KeyUnavailable, match="disabled"):
            await each.unwrap(place.ref("default"), wrapped)
    assert (await governed(other).enable(place.ref("default"))).state is KeyState.ENABLED
    assert await store.unwrap(place.ref("default"), wrapped) == bytes(32)


async def test_a_scheduled_destruction_stops_all_use_and_can_be_called_off(place: Place) -> None:
    store, other = place.open(), place.open()
    await store.create(place.ref("default"))
    wrapped = await other.wrap(place.ref("default"), bytes(32))
    info = await governed(store).destroy(place.ref("default"), after_seconds=place.delay)
    assert info.state is KeyState.DESTROY_SCHEDULED
    assert info.destroy_at is not None
    assert (await governed(other).info(place.ref("default"))).destroy_at == info.destroy_at
    for each in (store, other):
        with pytest.raises(KeyUnavailable):
            await each.wrap(place.ref("default"), bytes(32))
        with pytest.raises(KeyUnavailable):
            await each.unwrap(place.ref("default"), wrapped)
    restored = await governed(other).restore(place.ref("default"))
    assert (restored.state, restored.destroy_at) == (KeyState.DISABLED, None)
    with pytest.raises(KeyUnavailable):
        await store.unwrap(place.ref("default"), wrapped)
    await governed(store).enable(place.ref("default"))
    assert await other.unwrap(place.ref("default"), wrapped) == bytes(32)


async def test_what_is_not_there_cannot_be_changed(place: Place) -> None:
    store = governed(place.open())
    for using in (
        store.info(place.ref("absent")),
        store.rotate(place.ref("absent")),
        store.disable(place.ref("absent")),
        store.enable(place.ref("absent")),
        store.destroy(place.ref("absent"), after_seconds=place.delay),
    ):
        with pytest.raises(NotFound, match="no key"):
            await using
