"""What the opener needs to know of each cloud."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from confvm_gui.catalog import Catalog
from confvm_gui.fleet.accounts import AccountEntry, AccountKind, PermissionFact, ReadSecret

if TYPE_CHECKING:
    from confvm_gui.providers.cloud.connection import Patience
    from confvm_gui.providers.cloud.provider import CloudProvider


@dataclass(frozen=True, slots=True)
class Tried:
    """What an account may do, and as whom it is known."""

    permissions: tuple[PermissionFact, ...]
    known_as: str = ""


class Cloud(Protocol):
    """One cloud. Implemented by the modules' classes beside this one."""

    def describe(self) -> AccountKind:
        """Looks for the SDK without loading it."""

    def check(self, entry: AccountEntry, secret: str) -> None:
        """Raises InvalidInput("scope") or InvalidInput("credential")."""

    def open(
        self, entry: AccountEntry, secret: ReadSecret, catalog: Catalog, patience: Patience | None
    ) -> CloudProvider:
        """Not connected yet. Raises nothing: what is wrong is told when it is connected."""

    async def try_out(self, provider: CloudProvider, entry: AccountEntry) -> Tried:
        """Ask what the account may do; `provider` is one of `open`."""


def is_there(*modules: str) -> bool:
    """Whether all of these can be loaded."""
    with suppress(ModuleNotFoundError):  # of a package above it
        return all(find_spec(module) is not None for module in modules)
    return False


def facts(wanted: Mapping[str, str], have: frozenset[str]) -> tuple[PermissionFact, ...]:
    """`wanted`: permission and what it is for."""
    return tuple(PermissionFact(name, purpose, name in have) for name, purpose in wanted.items())
