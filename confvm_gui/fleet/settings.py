"""Preferences of this data directory, in memory with every change written through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from confvm_gui.domain.ports.repositories import SettingRepository
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.events import EventFeed, without_secrets
from confvm_gui.fleet.roles.access import Access

T = TypeVar("T")
_PERSONAL: Final = ("ui.", "fleet.", "memory.", "exposure.canaries.")
"""Beginnings of keys that are how somebody works, not how the console does: anybody may, and no event tells of it."""
_TOLD_BY_OWNER: Final = frozenset({"libvirt.hosts", "cloud.accounts", "audit.forward"})
"""Guarded and recorded by the use case that they belong to."""


class Settings:
    """JSON-able values by key. A value of another type than the default's is treated as absent."""

    def __init__(
        self,
        repository: SettingRepository,
        loaded: Mapping[str, object],
        *,
        readonly: bool,
        access: Access | None = None,
        events: EventFeed | None = None,
    ) -> None:
        self._repository = repository
        self._access = access
        self._events = events
        self._values = dict(loaded)
        self._readonly = readonly

    def get(self, key: str, default: T) -> T:
        value = self._values.get(key)
        return value if isinstance(value, type(default)) else default

    def put(self, key: str, value: object) -> None:
        """Keep `value`; in a read-only session for this session only.

        Raises InvalidInput where it is not JSON-able, Forbidden for a setting of the console, which is an event too.
        """
        guarded = not key.startswith(_PERSONAL) and key not in _TOLD_BY_OWNER
        if guarded and self._access is not None:
            self._access.require(Permission.CHANGE_SETTINGS, subject=key)
        if not self._readonly:
            self._repository.put(key, value)
        before = self._values.get(key)
        self._values[key] = value
        if guarded and self._events is not None and before != value:
            self._events.record(
                "setting.changed",
                f"The setting {key} was changed",
                detail={"setting": key},
                before=without_secrets(before, key),
                after=without_secrets(value, key),
            )
