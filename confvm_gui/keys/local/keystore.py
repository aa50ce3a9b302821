"""KeyStore for `local:NAME`.

A key is made once and stays where it was made: in the system keyring, or, on a machine that has none, in a file that
only its user can read. `protection` says which. A key whose place cannot be reached is not replaced by a new one: that
would make the disks wrapped under it unreadable for good.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import re
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn, TypeVar

from confvm_gui.domain.errors import BugError, ConfvmError, InvalidInput, KeyUnavailable
from confvm_gui.keys.local.kek import Kek
from confvm_gui.keys.local.key_files import KeyFiles
from confvm_gui.keys.local.system_keyring import SystemKeyring

T = TypeVar("T")

IN_KEYRING = "system keyring"
IN_FILE = "file readable by this user only (no system keyring on this machine)"
IN_FILE_STILL = "file readable by this user only (made while there was no system keyring)"
UNKNOWN = "not known before a key is used"

_NAME = re.compile(r"[a-z0-9][-_.a-z0-9]{0,62}")


class LocalKeyStore:
    """`domain.ports.keystore.KeyStore` for the scheme `local`.

    Making one reads nothing. Methods raise KeyUnavailable, and InvalidInput("disk_key") for a KeyRef that is not one.
    """

    def __init__(self, data_dir: Path) -> None:
        self._files = KeyFiles(data_dir)
        self._keks: dict[str, Kek] = {}
        self._making = threading.Lock()
        self._protection = UNKNOWN

    @property
    def scheme(self) -> str:
        return "local"

    @property
    def protection(self) -> str:
        """Where keys are kept, for people. UNKNOWN until `probe` or a key's first use."""
        return self._protection

    async def probe(self) -> str:
        """Find out `protection` without touching a key."""
        return await _off_loop(self._probe)

    async def create(self, key_ref: str) -> None:
        await self._kek(key_ref, make=True)

    async def wrap(self, key_ref: str, key: bytes) -> bytes:
        if not 16 <= len(key) <= 64:
            raise InvalidInput("key", f"A disk key of {len(key)} bytes was given; 16 to 64 are allowed")
        return (await self._kek(key_ref)).wrap(key)

    async def unwrap(self, key_ref: str, wrapped: bytes) -> bytes:
        return (await self._kek(key_ref)).unwrap(wrapped)

    def __repr__(self) -> str:
        return f"<LocalKeyStore: {self._protection}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key store is never pickled or copied")

    async def _kek(self, key_ref: str, *, make: bool = False) -> Kek:
        name = _name(key_ref)
        # Once read it stays for the life of the console: a thousand launches must not ask the keyring a thousand times.
        kek = self._keks.get(name)
        return kek if kek is not None else await _off_loop(lambda: self._load(name, make))

    def _load(self, name: str, make: bool) -> Kek:
        with self._making:
            kek = self._keks.get(name)
            if kek is None:
                # What `Kek` needs, imported here because this thread holds up nobody.
                importlib.import_module("cryptography.hazmat.primitives.keywrap")
                kek = self._find(name)
                if kek is None and make:
                    with self._files.making():
                        # Another console may have made it while this one waited.
                        kek = self._find(name) or self._make(name)
                if kek is None:
                    raise KeyUnavailable(
                        f"There is no key local:{name} in this data directory; create it, or choose another"
                    )
                self._keks[name] = kek
            return kek

    def _find(self, name: str) -> Kek | None:
        if self._files.is_in_file(name):
            kek = Kek.from_hex(name, self._files.read(name), str(self._files.path(name)))
            self._probe()
            return kek
        if not self._files.is_in_keyring(name):
            return None
        keyring = SystemKeyring.find()
        if keyring is None:
            raise KeyUnavailable(
                f"The key local:{name} is in the system keyring, which this session cannot reach; "
                "log in to the desktop session in which it was made"
            )
        text = keyring.read(_account(self._files.directory_id(), name))
        if text is None:
            raise KeyUnavailable(
                f"The key local:{name} is gone from the system keyring; put back a copy of the keyring, "
                "or use another key for new instances"
            )
        self._protection = IN_KEYRING
        return Kek.from_hex(name, text, "its entry in the system keyring")

    def _make(self, name: str) -> Kek:
        keyring = SystemKeyring.find()
        if keyring is None:
            kek = Kek.generate(name)
            self._files.write(name, kek.to_hex())
            self._protection = IN_FILE
            return kek
        account = _account(self._files.make_directory_id(), name)
        # It is there already if a console was killed before it made a note of it.
        text = keyring.read(account)
        if text is None:
            text = Kek.generate(name).to_hex()
            keyring.write(account, text)
        kek = Kek.from_hex(name, text, "its entry in the system keyring")
        self._files.note_in_keyring(name)
        self._protection = IN_KEYRING
        return kek

    def _probe(self) -> str:
        if SystemKeyring.find() is None:
            self._protection = IN_FILE
        else:
            self._protection = IN_FILE_STILL if self._files.any_in_file() else IN_KEYRING
        return self._protection


def _account(directory_id: str, name: str) -> str:
    return f"{directory_id}/{name}"


def _name(key_ref: str) -> str:
    scheme, colon, name = key_ref.partition(":")
    if scheme != "local" or not colon or not _NAME.fullmatch(name):
        raise InvalidInput(
            "disk_key",
            f"{key_ref!r} does not name a local key; write local:NAME, the name in lower-case letters, digits, "
            "hyphens, dots and underscores",
        )
    return name


async def _off_loop(work: Callable[[], T]) -> T:
    """`work`'s result, from a thread that does not keep the console from ending.

    A keyring may ask its user to unlock it, and wait for ever.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        bug = BugError("A key could not be used for a mistake in the console; please report this")
        tell: Callable[[], None] = partial(done.set_exception, bug)
        try:
            tell = partial(done.set_result, work())
        except ConfvmError as error:
            tell = partial(done.set_exception, error)
        finally:
            # The loop may be closed: then nobody waits any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(lambda: None if done.done() else tell())

    threading.Thread(target=run, name="local-keys", daemon=True).start()
    return await done
