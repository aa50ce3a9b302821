"""KEKs in the keyring of the user's desktop, through the package `keyring`. All calls block.

`keyring` is imported when a key is first needed: finding its backends takes a tenth of a second.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from confvm_gui.domain.errors import KeyUnavailable

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "confvm-console"
"""Under which name entries stand in the keyring."""


class SystemKeyring:
    """The keyring that the package `keyring` has chosen. Every failure of it is KeyUnavailable."""

    def __init__(self, backend: KeyringBackend) -> None:
        self._backend = backend

    @classmethod
    def find(cls) -> SystemKeyring | None:
        """The system's keyring; None where there is none. Raises KeyUnavailable if there is one that is broken."""
        try:
            import keyring
            from keyring.backends import fail, null
        except ImportError:
            return None
        try:
            backend = keyring.get_keyring()
        except Exception as error:
            # A backend may raise whatever its own libraries raise (D-Bus, the OS …); to us all of it means the same.
            raise _unusable(f"{type(error).__name__}: {error}") from error
        if isinstance(backend, fail.Keyring | null.Keyring):
            return None
        return cls(backend)

    def read(self, account: str) -> str | None:
        """The secret of `account`, None if there is none."""
        try:
            return self._backend.get_password(SERVICE, account)
        except Exception as error:
            # As in `find`.
            raise _unusable(f"{type(error).__name__}: {error}") from error

    def write(self, account: str, secret: str) -> None:
        """Keep `secret`, and make sure that it was kept."""
        # Whatever it raises, as in `find`: whether the secret was kept is seen by reading it. The error itself goes no
        # further, because a backend that runs a program may quote its arguments in it, and the secret with them.
        with contextlib.suppress(Exception):
            self._backend.set_password(SERVICE, account, secret)
        if self.read(account) != secret:
            raise _unusable("it did not keep the key that was put there")

    def delete(self, account: str) -> None:
        """Remove the secret, and make sure that it is gone. One that is not there is success."""
        # As in `write`.
        with contextlib.suppress(Exception):
            self._backend.delete_password(SERVICE, account)
        if self.read(account) is not None:
            raise _unusable("it did not delete the key that was to be destroyed")


def _unusable(why: str) -> KeyUnavailable:
    return KeyUnavailable(
        f"The system keyring cannot be used ({why}); unlock it, or log in to the desktop session, and try again"
    )
