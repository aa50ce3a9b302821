"""Where local keys are kept, and what happens when that place fails."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import stat
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st
from keyring.core import load_keyring
from keyring.errors import InitError, KeyringLocked

from confvm_gui.domain.errors import ConfvmError, KeyUnavailable
from confvm_gui.keys.local import LocalKeyStore
from confvm_gui.keys.local.kek import Kek
from tests.unit.keys.keyring_stand_in import StandInKeyring

KEY = bytes(range(64))


@pytest.fixture(autouse=True)
def _keyring_restored() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


@pytest.fixture
def ring() -> StandInKeyring:
    stand_in = StandInKeyring()
    keyring.set_keyring(stand_in)
    return stand_in


def kwp_wrap(kek: bytes, plain: bytes) -> bytes:
    """RFC 5649, section 4.1, from its text."""
    state = b"\xa6\x59\x59\xa6" + len(plain).to_bytes(4, "big")
    padded = plain + bytes(-len(plain) % 8)
    encrypt = Cipher(algorithms.AES(kek), modes.ECB()).encryptor().update
    if len(padded) == 8:
        return encrypt(state + padded)
    blocks = [padded[at : at + 8] for at in range(0, len(padded), 8)]
    for turn in range(6):
        for index, block in enumerate(blocks, start=1):
            both = encrypt(state + block)
            state = (int.from_bytes(both[:8], "big") ^ (turn * len(blocks) + index)).to_bytes(8, "big")
            blocks[index - 1] = both[8:]
    return state + b"".join(blocks)


def test_the_wrapping_of_this_test_is_that_of_the_rfc() -> None:
    kek = bytes.fromhex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8")
    long = kwp_wrap(kek, bytes.fromhex("c37b7e6492584340bed12207808941155068f738"))
    short = kwp_wrap(kek, bytes.fromhex("466f7250617369"))
    assert long.hex() == "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a"
    assert short.hex() == "afbeb0f07dfbf5419200f2ccb50bb24f"


@pytest.mark.parametrize("length", [16, 20, 32, 64])
async def test_wrapping_is_rfc_5649_under_aes_256(data_dir: Path, length: int) -> None:
    kek = bytes(range(100, 132))
    (data_dir / "keys").mkdir()
    (data_dir / "keys" / "default.kek").write_text(kek.hex() + "\n")
    (data_dir / "keys" / "default.kek").chmod(0o600)
    store = LocalKeyStore(data_dir)
    assert await store.wrap("local:default", KEY[:length]) == kwp_wrap(kek, KEY[:length])


async def test_with_a_keyring_nothing_secret_is_in_the_data_directory(data_dir: Path, ring: StandInKeyring) -> None:
    store = LocalKeyStore(data_dir)
    await store.create("local:default")
    assert store.protection == "system keyring"
    ((service, account), secret), *others = ring.entries.items()
    assert (service, others) == ("confvm-console", [])
    assert account.endswith("/default")
    assert len(bytes.fromhex(secret)) == 32
    for path in (data_dir / "keys").iterdir():
        assert secret not in path.read_text()


async def test_without_a_keyring_the_key_is_in_a_file_of_its_user(data_dir: Path) -> None:
    store = LocalKeyStore(data_dir)
    await store.create("local:default")
    assert store.protection == "file readable by this user only (no system keyring on this machine)"
    path = data_dir / "keys" / "default.kek"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert len(bytes.fromhex(path.read_text())) == 32
    assert sorted(each.name for each in path.parent.iterdir()) == ["default.kek", "lock"]


def test_protection_can_be_asked_for_before_there_is_a_key(data_dir: Path) -> None:
    store = LocalKeyStore(data_dir)
    assert store.protection == "not known before a key is used"
    assert asyncio.run(store.probe()) == store.protection
    assert store.protection.startswith("file readable by this user only")
    keyring.set_keyring(StandInKeyring())
    assert asyncio.run(store.probe()) == "system keyring"
    assert list(data_dir.iterdir()) == []


async def test_data_directories_and_names_have_keys_of_their_own(tmp_path: Path, ring: StandInKeyring) -> None:
    for directory in ("a", "b"):
        for name in ("one", "two"):
            await LocalKeyStore(tmp_path / directory).create(f"local:{name}")
    assert len(ring.entries) == 4
    assert len(set(ring.entries.values())) == 4


async def test_a_key_in_a_file_stays_there_when_a_keyring_appears(data_dir: Path) -> None:
    first = LocalKeyStore(data_dir)
    await first.create("local:default")
    wrapped = await first.wrap("local:default", KEY)
    ring = StandInKeyring()
    keyring.set_keyring(ring)
    store = LocalKeyStore(data_dir)
    await store.create("local:default")
    assert await store.unwrap("local:default", wrapped) == KEY
    assert store.protection == "file readable by this user only (made while there was no system keyring)"
    assert ring.entries == {}


async def test_a_key_in_the_keyring_is_not_made_anew_where_the_keyring_is_out_of_reach(
    data_dir: Path, ring: StandInKeyring
) -> None:
    await LocalKeyStore(data_dir).create("local:default")
    keyring.set_keyring(load_keyring("keyring.backends.fail.Keyring"))
    store = LocalKeyStore(data_dir)
    for using in (store.create("local:default"), store.wrap("local:default", KEY)):
        with pytest.raises(KeyUnavailable, match="this session cannot reach"):
            await using
    assert not (data_dir / "keys" / "default.kek").exists()


async def test_a_key_that_is_gone_from_the_keyring_is_told_and_not_made_anew(
    data_dir: Path, ring: StandInKeyring
) -> None:
    await LocalKeyStore(data_dir).create("local:default")
    ring.entries.clear()
    with pytest.raises(KeyUnavailable, match="gone from the system keyring"):
        await LocalKeyStore(data_dir).create("local:default")
    assert ring.entries == {}


@pytest.mark.parametrize(
    "failure",
    [KeyringLocked("Failed to unlock the collection!"), InitError("no"), OSError(32, "Broken pipe"), KeyError("odd")],
)
async def test_a_keyring_that_fails_is_told(data_dir: Path, ring: StandInKeyring, failure: Exception) -> None:
    store = LocalKeyStore(data_dir)
    ring.failure = failure
    with pytest.raises(KeyUnavailable, match="system keyring cannot be used"):
        await store.create("local:default")
    assert not (data_dir / "keys" / "default.kek").exists()
    ring.failure = None
    await store.create("local:default")
    other = LocalKeyStore(data_dir)
    ring.failure = failure
    with pytest.raises(KeyUnavailable, match=type(failure).__name__):
        await other.wrap("local:default", KEY)
    assert await store.unwrap("local:default", await store.wrap("local:default", KEY)) == KEY


async def test_a_keyring_that_keeps_nothing_is_found_out(data_dir: Path, ring: StandInKeyring) -> None:
    ring.forgetful = True
    store = LocalKeyStore(data_dir)
    with pytest.raises(KeyUnavailable, match="did not keep"):
        await store.create("local:default")
    with pytest.raises(KeyUnavailable, match="no key"):
        await store.wrap("local:default", KEY)


class Blabbing(StandInKeyring):
    """Quotes the secret in its error, as a backend may that runs a program with it."""

    def set_password(self, service: str, username: str, password: str) -> None:
        self.secret = password
        raise subprocess.CalledProcessError(1, ["keyring-tool", "--secret", password])


async def test_the_key_is_in_no_error_or_traceback(data_dir: Path) -> None:
    ring = Blabbing()
    keyring.set_keyring(ring)
    with pytest.raises(KeyUnavailable) as caught:
        await LocalKeyStore(data_dir).create("local:default")
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__)
    assert ring.secret
    assert ring.secret not in told


def test_a_key_is_not_shown_pickled_or_copied() -> None:
    kek = Kek("default", bytes(range(32)))
    assert repr(kek) == str(kek) == "<Kek local:default>"
    assert bytes(range(32)).hex() not in repr(vars(type(kek))) + repr(dir(kek))
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(kek)


async def test_a_null_keyring_counts_as_none(data_dir: Path) -> None:
    keyring.set_keyring(load_keyring("keyring.backends.null.Keyring"))
    store = LocalKeyStore(data_dir)
    await store.create("local:default")
    assert (data_dir / "keys" / "default.kek").exists()


async def test_the_keyring_is_read_once(data_dir: Path, ring: StandInKeyring) -> None:
    store = LocalKeyStore(data_dir)
    await store.create("local:default")
    before = ring.reads
    for _ in range(50):
        await store.unwrap("local:default", await store.wrap("local:default", KEY))
    assert ring.reads == before


async def test_a_keyring_that_waits_for_its_user_holds_up_nobody(data_dir: Path) -> None:
    released, asked, loop = threading.Event(), asyncio.Event(), asyncio.get_running_loop()

    class Waiting(StandInKeyring):
        def get_password(self, service: str, username: str) -> str | None:
            loop.call_soon_threadsafe(asked.set)
            released.wait(20)
            return super().get_password(service, username)

    keyring.set_keyring(Waiting())
    store = LocalKeyStore(data_dir)
    creating = asyncio.create_task(store.create("local:default"))
    await asked.wait()
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    released.set()
    await store.create("local:default")


@pytest.mark.parametrize("content", ["", "\n", "00" * 31, "00" * 33, "zz" * 32, "FF" * 32, "é" * 64])
async def test_a_damaged_key_file_is_told_and_left(data_dir: Path, content: str) -> None:
    path = data_dir / "keys" / "default.kek"
    path.parent.mkdir()
    path.write_text(content)
    path.chmod(0o600)
    store = LocalKeyStore(data_dir)
    for using in (store.create("local:default"), store.wrap("local:default", KEY)):
        with pytest.raises(KeyUnavailable, match=r"damaged.*default\.kek"):
            await using
    assert path.read_text() == content


async def test_a_key_file_that_others_can_read_is_refused(data_dir: Path) -> None:
    await LocalKeyStore(data_dir).create("local:default")
    path = data_dir / "keys" / "default.kek"
    path.chmod(0o640)
    with pytest.raises(KeyUnavailable, match="chmod 600"):
        await LocalKeyStore(data_dir).wrap("local:default", KEY)
    path.chmod(0o600)
    await LocalKeyStore(data_dir).wrap("local:default", KEY)


async def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(KeyUnavailable, match="cannot be used"):
        await LocalKeyStore(tmp_path / "data").create("local:default")


def test_a_broken_choice_of_keyring_is_told(data_dir: Path) -> None:
    program = (
        "import asyncio, pathlib, sys\n"
        "from confvm_gui.domain.errors import KeyUnavailable\n"
        "from confvm_gui.keys.local import LocalKeyStore\n"
        "assert 'keyring' not in sys.modules and 'cryptography' not in sys.modules\n"
        "store = LocalKeyStore(pathlib.Path(sys.argv[1]))\n"
        "try:\n"
        "    asyncio.run(store.create('local:default'))\n"
        "except KeyUnavailable as error:\n"
        "    print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(data_dir)],
        env={**os.environ, "PYTHON_KEYRING_BACKEND": "no.such.Keyring"},
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    assert run.stdout.startswith("The system keyring cannot be used (ModuleNotFoundError")
    assert run.stderr == ""


@given(wrapped=st.binary(max_size=100))
def test_unwrapping_anything_raises_only_what_it_says(wrapped: bytes) -> None:
    with contextlib.suppress(KeyUnavailable):
        Kek("default", bytes(range(32))).unwrap(wrapped)


@given(key_ref=st.text(max_size=80) | st.text(max_size=80).map("local:".__add__))
def test_any_key_ref_raises_only_what_it_says(key_ref: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    store = LocalKeyStore(tmp_path_factory.getbasetemp() / "no keys here")
    with pytest.raises(ConfvmError):
        asyncio.run(store.wrap(key_ref, KEY))
