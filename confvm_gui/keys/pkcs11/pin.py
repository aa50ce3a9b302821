"""PINs of tokens: from the system keyring, or asked of a person. Never logged, never in a reference, never repeated.

A token locks itself after a few wrong PINs, so one that it refused is not tried again in this session.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NoReturn

from confvm_gui.domain.errors import KeyUnavailable
from confvm_gui.keys.local.system_keyring import SystemKeyring

ACCOUNT: Final = "pkcs11-pin/{}"
"""In the keyring, with the token's label."""


class Pins:
    """By the token's label. `ask` is called in a thread, with that label; None or "" where nobody answers."""

    def __init__(self, ask: Callable[[str], str | None] | None) -> None:
        self._ask = ask
        self.__known: dict[str, str] = {}
        self.__refused: dict[str, set[str]] = {}

    def pin(self, label: str) -> str:
        """Raises KeyUnavailable where there is none."""
        refused = self.__refused.get(label, set())
        if label not in self.__known:
            keyring = SystemKeyring.find()
            pin = keyring.read(ACCOUNT.format(label)) if keyring is not None else None
            if (not pin or pin in refused) and self._ask is not None:
                pin = self._ask(label)
            if not pin:
                again = "the right PIN" if refused else "its PIN"
                raise KeyUnavailable(
                    f"The token {label} was not unlocked: {again} is needed. Type it when asked, or keep it in the "
                    f"system keyring, service confvm-console, user {ACCOUNT.format(label)}"
                )
            if pin in refused:
                raise KeyUnavailable(
                    f"The token {label} refused this PIN before; it is not tried again, lest the token lock itself"
                )
            self.__known[label] = pin
        return self.__known[label]

    def refuse(self, label: str) -> None:
        """The token did not take it."""
        pin = self.__known.pop(label, None)
        if pin is not None:
            self.__refused.setdefault(label, set()).add(pin)

    def __repr__(self) -> str:
        return "<Pins>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("PINs are never pickled or copied")
