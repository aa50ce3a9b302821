"""KeyStore for `local:NAME`.

A key is made once and stays where it was made: in the system keyring, or, on a machine that has none, in a file that
only its user can read. `protection` says which. A key whose place cannot be reached is not replaced by a new one: that
would make the disks wrapped under it unreadable for good.

Rotation adds a version beside the older ones: the newest wraps, all unwrap. What the store itself must know of a key
(disabled, to be destroyed, destroyed) is in the ledger. A destruction that is due is carried out by whoever touches
the key next; it erases the key's bytes from the keyring or its file.
"""

from __future__ import annotations

import importlib
import re
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, NoReturn, TypeVar

from confvm_gui.domain.daemon_thread import in_daemon_thread
from confvm_gui.domain.errors import InvalidInput, KeyUnavailable
from confvm_gui.domain.keys import KeyInfo, KeyState
from confvm_gui.keys.dek import NoSuchKey, check_dek
from confvm_gui.keys.ledger import KeyLedger, is_disabled, refuse_ended, told_state
from confvm_gui.keys.local.kek import Kek
from confvm_gui.keys.local.key_files import KeyFiles, version_number, versioned
from confvm_gui.keys.local.system_keyring import SystemKeyring

T = TypeVar("T")

IN_KEYRING = "system keyring"
IN_FILE = "file readable by this user only (no system keyring on this machine)"
IN_FILE_STILL = "file readable by this user only (made while there was no system keyring)"
UNKNOWN = "not known before a key is used"
ALGORITHM: Final = "AES-256 key wrap with padding (RFC 5649)"

_NAME = re.compile(r"[a-z0-9][-_.a-z0-9]{0,62}")


class LocalKeyStore:
    """`domain.ports.keystore.KeyStore` and `GovernsKeys` for the scheme `local`.

    Making one reads nothing. Methods raise KeyUnavailable, and InvalidInput("disk_key") for a KeyRef that is not one.
    """

    def __init__(self, data_dir: Path, ledger: KeyLedger | None = None) -> None:
        self._files = KeyFiles(data_dir)
        self._ledger = ledger or KeyLedger(data_dir)
        self._keks: dict[str, dict[str, Kek]] = {}
        self._working = threading.Lock()
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
        name = _name(key_ref)
        await _off_loop(lambda: self._load(name, make=True))

    async def wrap(self, key_ref: str, key: bytes) -> bytes:
        check_dek(key)
        name = _name(key_ref)
        return (await _off_loop(lambda: self._load(name)))[-1].wrap(key)

    async def unwrap(self, key_ref: str, wrapped: bytes) -> bytes:
        name = _name(key_ref)
        *older, newest = await _off_loop(lambda: self._load(name))
        for kek in reversed(older):
            with suppress(KeyUnavailable):  # another version's; the newest tells, if it is nobody's
                return kek.unwrap(wrapped)
        return newest.unwrap(wrapped)

    # GovernsKeys ----------------------------------------------------------------------------------------------------

    async def keys(self) -> Sequence[KeyInfo]:
        return await _off_loop(self._all)

    async def info(self, key_ref: str) -> KeyInfo:
        name = _name(key_ref)
        return await _off_loop(lambda: self._info(name))

    async def rotate(self, key_ref: str) -> KeyInfo:
        name = _name(key_ref)

        def work() -> KeyInfo:
            self._load(name)
            with self._working, self._files.making():
                newest = version_number(self._files.versions(name)[-1])
                self._make(name, versioned(name, newest + 1))
            return self._info(name)

        return await _off_loop(work)

    async def disable(self, key_ref: str) -> KeyInfo:
        return await self._change(key_ref, lambda ref: self._disabled(ref, True))

    async def enable(self, key_ref: str) -> KeyInfo:
        return await self._change(key_ref, lambda ref: self._disabled(ref, False))

    async def destroy(self, key_ref: str, *, after_seconds: float) -> KeyInfo:
        def schedule(ref: str) -> None:
            at = self._ledger.now + after_seconds
            self._ledger.put(ref, replace(self._ledger.standing(ref), disabled=True, destroy_at=at))

        return await self._change(key_ref, schedule)

    async def restore(self, key_ref: str) -> KeyInfo:
        def call_off(ref: str) -> None:
            self._ledger.put(ref, replace(self._ledger.standing(ref), destroy_at=None))

        return await self._change(key_ref, call_off)

    async def _change(self, key_ref: str, change: Callable[[str], None]) -> KeyInfo:
        name = _name(key_ref)

        def work() -> KeyInfo:
            if self._info(name).state is KeyState.DESTROYED:
                refuse_ended(key_ref, self._ledger.standing(key_ref))
            with self._ledger.changing():
                change(key_ref)
            return self._info(name)

        return await _off_loop(work)

    def _disabled(self, key_ref: str, disabled: bool) -> None:
        standing = self._ledger.standing(key_ref)
        refuse_ended(key_ref, standing)
        self._ledger.put(key_ref, replace(standing, disabled=disabled))

    def __repr__(self) -> str:
        return f"<LocalKeyStore: {self._protection}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key store is never pickled or copied")

    # In a thread ----------------------------------------------------------------------------------------------------

    def _load(self, name: str, make: bool = False) -> Sequence[Kek]:
        """All versions of the key, the newest last. A thousand launches do not ask the keyring a thousand times."""
        ref = f"local:{name}"
        with self._working:
            self._carry_out(name)
            standing = self._ledger.standing(ref)
            refuse_ended(ref, standing)
            if standing.disabled:
                raise is_disabled(ref)
            # What `Kek` needs, imported here because this thread holds up nobody.
            importlib.import_module("cryptography.hazmat.primitives.keywrap")
            loaded = self._keks.setdefault(name, {})
            if make and not loaded and not self._files.versions(name):
                with self._files.making():
                    # Another console may have made it while this one waited.
                    if not self._files.versions(name):
                        loaded[name] = self._make(name, name)
            for kept in self._files.versions(name):
                if kept not in loaded:
                    loaded[kept] = self._read(name, kept)
            if not loaded:
                raise _absent(name)
            return [loaded[kept] for kept in sorted(loaded, key=version_number)]

    def _read(self, name: str, kept: str) -> Kek:
        if self._files.is_in_file(kept):
            kek = Kek.from_hex(name, self._files.read(kept), str(self._files.path(kept)))
            self._probe()
            return kek
        text = self._keyring(name).read(_account(self._files.directory_id(), kept))
        if text is None:
            raise KeyUnavailable(
                f"The key local:{name} is gone from the system keyring; put back a copy of the keyring, "
                "or use another key for new instances"
            )
        self._protection = IN_KEYRING
        return Kek.from_hex(name, text, "its entry in the system keyring")

    def _make(self, name: str, kept: str) -> Kek:
        keyring = SystemKeyring.find()
        if keyring is None:
            kek = Kek.generate(name)
            self._files.write(kept, kek.to_hex())
            self._protection = IN_FILE
            return kek
        account = _account(self._files.make_directory_id(), kept)
        # It is there already if a console was killed before it made a note of it.
        text = keyring.read(account)
        if text is None:
            text = Kek.generate(name).to_hex()
            keyring.write(account, text)
        kek = Kek.from_hex(name, text, "its entry in the system keyring")
        self._files.note_in_keyring(kept)
        self._protection = IN_KEYRING
        return kek

    def _carry_out(self, name: str) -> None:
        """Erase the key if its time has come. The tombstone is written last: what is interrupted is done again."""
        ref = f"local:{name}"
        standing = self._ledger.standing(ref)
        if standing.destroyed_at is not None or standing.destroy_at is not None:
            self._keks.pop(name, None)
        if not self._ledger.is_due(standing):
            return
        with self._ledger.changing(), self._files.making():
            if not self._ledger.is_due(self._ledger.standing(ref)):
                return  # another console has done it, or called it off
            for kept in self._files.versions(name):
                if self._files.is_in_keyring(kept):
                    self._keyring(name).delete(_account(self._files.directory_id(), kept))
                self._files.erase(kept)
            self._ledger.destroyed(ref)

    def _keyring(self, name: str) -> SystemKeyring:
        keyring = SystemKeyring.find()
        if keyring is None:
            raise KeyUnavailable(
                f"The key local:{name} is in the system keyring, which this session cannot reach; "
                "log in to the desktop session in which it was made"
            )
        return keyring

    def _all(self) -> Sequence[KeyInfo]:
        ended = {ref.removeprefix("local:") for ref in self._ledger.all() if ref.startswith("local:")}
        return [self._info(name) for name in sorted({*self._files.names(), *ended})]

    def _info(self, name: str) -> KeyInfo:
        ref = f"local:{name}"
        with self._working:
            self._carry_out(name)
        versions = self._files.versions(name)
        standing = self._ledger.standing(ref)
        if not versions and standing.destroyed_at is None:
            raise _absent(name)
        state, reason = told_state(standing)
        return KeyInfo(
            ref=ref,
            algorithm=ALGORITHM,
            protection=self._place(versions[-1]) if versions else "erased",
            state=state,
            state_reason=reason,
            primary_version=version_number(versions[-1]) if versions else 0,
            versions=len(versions),
            created_at=self._files.made_at(versions[0]) if versions else None,
            destroy_at=standing.destroy_at,
        )

    def _place(self, kept: str) -> str:
        if not self._files.is_in_file(kept):
            return IN_KEYRING
        return IN_FILE if SystemKeyring.find() is None else IN_FILE_STILL

    def _probe(self) -> str:
        if SystemKeyring.find() is None:
            self._protection = IN_FILE
        else:
            self._protection = IN_FILE_STILL if self._files.any_in_file() else IN_KEYRING
        return self._protection


def _absent(name: str) -> NoSuchKey:
    return NoSuchKey(f"There is no key local:{name} in this data directory; create it, or choose another")


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
    """A keyring may ask its user to unlock it, and wait for ever: not in a thread that holds the console's end."""
    return await in_daemon_thread("local-keys", lambda _stop: work())
