"""The emulated hosts' lasting secrets: the emulated root and each chip's fuses, made once for a data directory.

    <data dir>/engine/hosts.sealed    JSON; the secrets are AES-256-GCM under a key that a KeyStore has wrapped

A chip that comes back is the same chip: its id, its certificates and the TCBs that it was seen with go on. What is
sealed here can sign emulated evidence, so it is kept as any key is; no guest's memory key is among it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.daemon_thread import in_daemon_thread
from confvm_gui.domain.errors import InvalidInput, StoreCorrupt, StoreError

if TYPE_CHECKING:
    from confvm_gui.domain.ports.keystore import KeyStore
    from confvm_gui.engine.secure_processor.chip_secret import ChipSecret
    from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot

HOSTS: Final = 2
KEY_REF: Final = "local:emulated-hosts"
_VERSION: Final = 1
_LARGEST: Final = 64 << 10
_NICE: Final = 15
_LABEL: Final = b"confvm-emulated-hosts"


@dataclass(slots=True)
class HostKeys:
    """What outlives the hosts' power. Prints nothing of it: neither part does."""

    root: EmulatedRoot
    chips: tuple[ChipSecret, ...]
    stored: bool = False

    @classmethod
    def generate(cls) -> HostKeys:
        """New hosts. The root's RSA keys come when they are first needed (see EmulatedRoot)."""
        from confvm_gui.engine.secure_processor.chip_secret import ChipSecret
        from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot

        return cls(EmulatedRoot(), tuple(ChipSecret.generate() for _ in range(HOSTS)))


class HostKeyFile:
    """Where they are kept."""

    def __init__(self, data_dir: Path, key_store: KeyStore) -> None:
        self._path = data_dir / "engine" / "hosts.sealed"
        self._key_store = key_store

    async def load(self) -> HostKeys | None:
        """None where none were made yet. Raises KeyUnavailable, StoreCorrupt, StoreError."""
        content = await asyncio.to_thread(self._read)
        if content is None:
            return None
        key_ref, wrapped, nonce, sealed = content
        key = await self._key_store.unwrap(key_ref, wrapped)
        return await asyncio.to_thread(self._open, key, nonce, sealed)

    async def key_ref(self) -> str:
        """Of the key that wraps theirs; "" where there are none yet. Raises StoreCorrupt, StoreError."""
        content = await asyncio.to_thread(self._read)
        return "" if content is None else content[0]

    async def rewrap(self) -> None:
        """Seal them anew, under the newest version of their key. Raises KeyUnavailable, StoreCorrupt, StoreError."""
        keys = await self.load()
        if keys is not None:
            await self.save(keys)

    async def save(self, keys: HostKeys) -> None:
        """Makes the root's keys if they are not there yet, which takes seconds. Raises KeyUnavailable, StoreError."""
        await _aside(keys.root.prepare)
        await self._key_store.create(KEY_REF)
        key = os.urandom(32)
        wrapped = await self._key_store.wrap(KEY_REF, key)
        await asyncio.to_thread(self._write, keys, key, wrapped)
        keys.stored = True

    # In a thread ----------------------------------------------------------------------------------------------------

    def _read(self) -> tuple[str, bytes, bytes, bytes] | None:
        try:
            with self._path.open("rb") as file:
                text = file.read(_LARGEST + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{self._path} cannot be read: {error.strerror}") from error
        try:
            if len(text) > _LARGEST:
                raise ValueError("too large")
            value = json.loads(text)
            if value["version"] != _VERSION or not isinstance(value["key"], str):
                raise ValueError("version")
            parts = [base64.b64decode(value[name], validate=True) for name in ("wrapped", "nonce", "sealed")]
        except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
            raise self._damaged() from None
        return value["key"], parts[0], parts[1], parts[2]

    def _open(self, key: bytes, nonce: bytes, sealed: bytes) -> HostKeys:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        from confvm_gui.engine.secure_processor.chip_secret import ChipSecret
        from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot

        try:
            plain = AESGCM(key).decrypt(nonce, sealed, _LABEL)
            chips = tuple(ChipSecret(plain[at : at + ChipSecret.SIZE]) for at in range(0, HOSTS * 32, 32))
            return HostKeys(EmulatedRoot.from_pem(plain[HOSTS * ChipSecret.SIZE :]), chips, stored=True)
        except (InvalidTag, ValueError, InvalidInput):
            raise self._damaged() from None

    def _write(self, keys: HostKeys, key: bytes, wrapped: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        plain = b"".join(chip.reveal() for chip in keys.chips) + keys.root.to_pem()
        nonce = os.urandom(12)
        value = {
            "version": _VERSION,
            "key": KEY_REF,
            "wrapped": base64.b64encode(wrapped).decode(),
            "nonce": base64.b64encode(nonce).decode(),
            "sealed": base64.b64encode(AESGCM(key).encrypt(nonce, plain, _LABEL)).decode(),
        }
        partial = self._path.with_suffix(".partial")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(value, file)
            partial.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise StoreError(f"{self._path} cannot be written: {error.strerror}") from error

    def _damaged(self) -> StoreCorrupt:
        return StoreCorrupt(f"The emulated hosts' keys in {self._path} are damaged; remove the file for new hosts")


async def _aside(work: Callable[[], None]) -> None:
    """Do `work` in a thread of its own that gives way to all others: seconds of arithmetic beside a window."""

    def run(_stop: threading.Event) -> None:
        if sys.platform == "linux":
            os.nice(_NICE)  # on Linux of this thread alone, which is why it is not a thread of the pool
        work()

    await in_daemon_thread("emulated-root", run)
