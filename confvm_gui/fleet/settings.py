"""Preferences of this data directory, in memory with every change written through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from confvm_gui.domain.ports.repositories import SettingRepository

T = TypeVar("T")


class Settings:
    """JSON-able values by key. A value of another type than the default's is treated as absent."""

    def __init__(self, repository: SettingRepository, loaded: Mapping[str, object], *, readonly: bool) -> None:
        self._repository = repository
        self._values = dict(loaded)
        self._readonly = readonly

    def get(self, key: str, default: T) -> T:
        value = self._values.get(key)
        return value if isinstance(value, type(default)) else default

    def put(self, key: str, value: object) -> None:
        """Keep `value`; in a read-only session for this session only. Raises InvalidInput where it is not JSON-able."""
        if not self._readonly:
            self._repository.put(key, value)
        self._values[key] = value
