"""Sessions of a PKCS#11 module's tokens, and what happens when a token is taken out.

A module is loaded once for the process and used by one thread at a time: its sessions, its login and C_Finalize are the
process's own. Where a call fails on a session that was open before, or finds nothing there, the module is initialised
anew and the call made once more: a token that was put back works again, and one that is gone is told.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from confvm_gui.domain.errors import KeyUnavailable, NotFound

if TYPE_CHECKING:
    from pkcs11 import Session, Token
    from pkcs11.exceptions import PKCS11Error

    from confvm_gui.keys.pkcs11.pin import Pins
    from confvm_gui.keys.pkcs11.uri import Pkcs11Uri

T = TypeVar("T")

_MODULES: Final[dict[str, Module]] = {}
_OPENING: Final = threading.Lock()


class Module:
    """One loaded module. All calls block; failures of module and token are KeyUnavailable with the reason."""

    def __init__(self, path: str) -> None:
        import pkcs11

        self._lib = pkcs11.lib(path)
        self._using = threading.Lock()
        self._sessions: dict[bytes, Session] = {}

    def use(self, uri: Pkcs11Uri, pins: Pins, work: Callable[[Session], T]) -> T:
        """What `work` does with a session of the token that `uri` names, logged in."""
        from pkcs11.exceptions import PKCS11Error

        with self._using:
            if self._sessions:
                try:
                    return work(self._session(self._token(uri), pins))
                except (PKCS11Error, NotFound, _Gone):
                    self._sessions.clear()  # the token may have been taken out since: looked at anew below
            try:
                self._lib.reinitialize()
                return work(self._session(self._token(uri), pins))
            except _Gone as gone:
                raise KeyUnavailable(str(gone)) from None
            except PKCS11Error as error:
                raise failed(uri.place, error) from error

    def each_token(self, pins: Pins, work: Callable[[Token, Session], Sequence[T]]) -> Sequence[T]:
        """What `work` finds on all tokens that can be unlocked. Raises KeyUnavailable if there are, and none can."""
        from pkcs11.exceptions import PKCS11Error

        found: list[T] = []
        opened, problem = False, None
        with self._using:
            try:
                self._sessions.clear()
                self._lib.reinitialize()
                tokens = self._tokens()
            except PKCS11Error as error:
                raise failed("of this module", error) from error
            for token in tokens:
                try:
                    found += work(token, self._session(token, pins))
                    opened = True
                except KeyUnavailable as error:
                    problem = error
                except PKCS11Error as error:
                    problem = failed(token.label, error)
        if problem is not None and not opened:
            raise problem
        return found

    def _tokens(self) -> Sequence[Token]:
        from pkcs11 import TokenFlag

        tokens = [slot.get_token() for slot in self._lib.get_slots(token_present=True)]
        return [token for token in tokens if token.flags & TokenFlag.TOKEN_INITIALIZED]

    def _token(self, uri: Pkcs11Uri) -> Token:
        def fits(token: Token) -> bool:
            wanted = (
                (uri.token, token.label),
                (uri.serial, token.serial.decode("utf-8", "replace").strip()),
                (uri.manufacturer, token.manufacturer_id),
                (uri.model, token.model),
            )
            return all(not asked or asked == told for asked, told in wanted)

        found = [token for token in self._tokens() if fits(token)]
        if not found:
            raise _Gone(f"The token {uri.place} is not there; plug it in, or check the module that the settings name")
        if len(found) > 1:
            raise KeyUnavailable(f"There are {len(found)} tokens {uri.place}; name one by its serial=")
        return found[0]

    def _session(self, token: Token, pins: Pins) -> Session:
        from pkcs11.exceptions import PinIncorrect, PinInvalid, PinLenRange, PinLocked, UserAlreadyLoggedIn

        session = self._sessions.get(token.serial)
        if session is not None:
            return session
        try:
            session = token.open(rw=True, user_pin=pins.pin(token.label))
        except UserAlreadyLoggedIn:
            session = token.open(rw=True)  # by an earlier session: a login is the process's
        except PinLocked:
            raise KeyUnavailable(
                f"The token {token.label} has locked its PIN; its security officer unlocks it"
            ) from None
        except (PinIncorrect, PinInvalid, PinLenRange):
            pins.refuse(token.label)
            raise KeyUnavailable(
                f"The token {token.label} refused the PIN; after a few wrong ones it locks itself"
            ) from None
        self._sessions[token.serial] = session
        return session


class _Gone(Exception):
    """The token is not there; the message is for people."""


def open_module(path: str) -> Module:
    """The module at `path`, loaded once. Raises KeyUnavailable where it must not or cannot be loaded."""
    try:
        import pkcs11
    except ImportError:
        raise KeyUnavailable(
            "Keys in an HSM need the package python-pkcs11: install the console with pip install 'confvm-console[hsm]'"
        ) from None
    if not path:
        raise KeyUnavailable("No PKCS#11 module is chosen; set keys.pkcs11_module to the path of your HSM's library")
    with _OPENING:
        module = _MODULES.get(path)
        if module is None:
            check_module(Path(path))
            try:
                module = _MODULES[path] = Module(path)
            except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
                raise KeyUnavailable(
                    f"{path} cannot be used as a PKCS#11 module: {error or type(error).__name__}"
                ) from error
        return module


def check_module(path: Path) -> None:
    """What is loaded runs as the console: raises KeyUnavailable for what others could have put there."""
    try:
        status = path.stat()
    except OSError as error:
        raise KeyUnavailable(f"The PKCS#11 module {path} cannot be read: {error.strerror}") from error
    if not path.is_absolute() or not stat.S_ISREG(status.st_mode):
        raise KeyUnavailable(
            f"{path} is not the whole path of a PKCS#11 module, such as /usr/lib/softhsm/libsofthsm2.so"
        )
    if sys.platform != "win32" and (status.st_mode & 0o022 or status.st_uid not in (0, os.getuid())):
        raise KeyUnavailable(
            f"The PKCS#11 module {path} can be changed by others, and so is not loaded; make it root's or yours, and "
            "take their permissions away with chmod go-w"
        )


def failed(place: str, error: PKCS11Error) -> KeyUnavailable:
    """A token's own error, for people."""
    name = type(error).__name__ + (f" ({error})" if str(error) else "")
    return KeyUnavailable(f"The token {place} failed with {name}; check that it is plugged in and set up")
