"""The Ed25519 key (RFC 8032) with which a data directory signs, kept as its wrapping keys are.

In the system keyring, or, on a machine that has none, in a file of `data_dir/signing` that only its user can read. Once
there was a key, no other is made: signatures by a new one would prove nothing of what the old one signed.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from confvm_gui.domain.daemon_thread import in_daemon_thread
from confvm_gui.domain.errors import KeyUnavailable
from confvm_gui.keys.local.key_files import KeyFiles
from confvm_gui.keys.local.system_keyring import SystemKeyring

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_NAME = "console"
_KEY_BYTES = 32


class LocalSigner:
    """`domain.ports.signer.Signer`. Making one reads nothing; `make` False never makes a key."""

    def __init__(self, data_dir: Path, *, make: bool = True) -> None:
        self._files = KeyFiles(data_dir, folder="signing")
        self._make = make
        self._key: Ed25519PrivateKey | None = None
        self._loading = threading.Lock()

    async def exists(self) -> bool:
        """Whether this data directory has, or had, a signing key. Raises KeyUnavailable."""
        return await in_daemon_thread("signer", lambda _: self._there_is_one())

    async def public_key(self) -> bytes:
        return await in_daemon_thread("signer", lambda _: self._load().public_key().public_bytes_raw())

    async def sign(self, message: bytes) -> bytes:
        return await in_daemon_thread("signer", lambda _: self._load().sign(message))

    def __repr__(self) -> str:
        return "<LocalSigner>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a signer is never pickled or copied")

    def _there_is_one(self) -> bool:
        return self._files.is_in_file(_NAME) or self._files.is_in_keyring(_NAME)

    def _load(self) -> Ed25519PrivateKey:
        with self._loading:
            if self._key is None:
                text = self._find()
                if text is None:
                    if not self._make:
                        raise KeyUnavailable("There is no signing key in this data directory")
                    with self._files.making():
                        # Another console may have made it while this one waited.
                        text = self._find() or self._generate()
                self._key = _private_key(text)
            return self._key

    def _find(self) -> str | None:
        if self._files.is_in_file(_NAME):
            return self._files.read(_NAME)
        if not self._files.is_in_keyring(_NAME):
            return None
        keyring = SystemKeyring.find()
        if keyring is None:
            raise KeyUnavailable(
                "The signing key is in the system keyring, which this session cannot reach; log in to the desktop "
                "session in which it was made"
            )
        text = keyring.read(self._account(self._files.directory_id()))
        if text is None:
            raise KeyUnavailable("The signing key is gone from the system keyring; put back a copy of the keyring")
        return text

    def _generate(self) -> str:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        keyring = SystemKeyring.find()
        made = Ed25519PrivateKey.generate().private_bytes_raw().hex()
        if keyring is None:
            self._files.write(_NAME, made)
            return made
        account = self._account(self._files.make_directory_id())
        # It is there already if a console was killed before it made a note of it.
        text = keyring.read(account)
        if text is None:
            keyring.write(account, made)
            text = made
        self._files.note_in_keyring(_NAME)
        return text

    @staticmethod
    def _account(directory_id: str) -> str:
        return f"{directory_id}/signing"


def _private_key(text: str) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise KeyUnavailable("The signing key is damaged; put back a copy")
    return Ed25519PrivateKey.from_private_bytes(key)
