"""All key stores as one: each KeyRef goes to the store of its scheme, and every use is told.

It satisfies `domain.ports.keystore.KeyStore`, so that a provider asks one store whatever key was chosen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NoReturn, TypeVar

from confvm_gui.domain.errors import ConfvmError, InvalidInput
from confvm_gui.domain.keys import KeyOperation, keys_used_for
from confvm_gui.domain.ports.keystore import KeyStore

T = TypeVar("T")


class KeyRouter:
    """`open_stores`: for each scheme what makes its store, called when a key of it is first asked for."""

    def __init__(self, open_stores: Mapping[str, Callable[[], KeyStore]]) -> None:
        self._open = open_stores
        self._stores: dict[str, KeyStore] = {}
        self.on_use: Callable[[KeyOperation], None] | None = None
        """Told of every use, also of those that fail."""

    @property
    def scheme(self) -> str:
        """None of its own."""
        return ""

    @property
    def schemes(self) -> tuple[str, ...]:
        return tuple(self._open)

    def store(self, scheme: str) -> KeyStore:
        """Raises InvalidInput("disk_key") for a scheme that nobody serves."""
        store = self._stores.get(scheme)
        if store is None:
            if scheme not in self._open:
                raise InvalidInput(
                    "disk_key", f"{scheme!r} is no kind of key; there are " + ", ".join(f"{s}:" for s in self._open)
                )
            store = self._stores[scheme] = self._open[scheme]()
        return store

    def reopen(self, scheme: str) -> None:
        """Make its store anew when it is next asked: what it is opened with has changed."""
        self._stores.pop(scheme, None)

    async def create(self, key_ref: str) -> None:
        await self._told("create", key_ref, lambda store: store.create(key_ref))

    async def wrap(self, key_ref: str, key: bytes) -> bytes:
        return await self._told("wrap", key_ref, lambda store: store.wrap(key_ref, key))

    async def unwrap(self, key_ref: str, wrapped: bytes) -> bytes:
        return await self._told("unwrap", key_ref, lambda store: store.unwrap(key_ref, wrapped))

    async def _told(self, use: str, key_ref: str, work: Callable[[KeyStore], Awaitable[T]]) -> T:
        try:
            result = await work(self.store(key_ref.partition(":")[0]))
        except ConfvmError as error:
            self._tell(use, key_ref, error.message)
            raise
        self._tell(use, key_ref, "")
        return result

    def _tell(self, use: str, key_ref: str, problem: str) -> None:
        if self.on_use is not None:
            self.on_use(KeyOperation(key_ref, use, keys_used_for(), problem))

    def __repr__(self) -> str:
        return f"<KeyRouter: {', '.join(self._open)}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key store is never pickled or copied")
