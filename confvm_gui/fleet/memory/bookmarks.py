"""Named addresses of an instance, kept in the settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from confvm_gui.domain.errors import InvalidInput, NotFound

LONGEST_NAME = 80
"""Characters."""


class SettingsAccess(Protocol):
    """The part of the session's settings that bookmarks need."""

    def get(self, key: str, default: object) -> object: ...

    def put(self, key: str, value: object) -> None: ...


@dataclass(frozen=True, slots=True)
class Bookmark:
    name: str
    gpa: int


class Bookmarks:
    """Bookmarks of one instance, by ascending address. Whatever the settings hold that is no bookmark is ignored."""

    def __init__(self, settings: SettingsAccess, instance_id: str) -> None:
        self._settings = settings
        self._key = f"memory.bookmarks.{instance_id}"

    def all(self) -> Sequence[Bookmark]:
        stored = self._settings.get(self._key, [])
        found = [
            Bookmark(entry["name"], entry["gpa"])
            for entry in (stored if isinstance(stored, list) else [])
            if isinstance(entry, dict)
            and isinstance(entry.get("name"), str)
            and isinstance(entry.get("gpa"), int)
            and entry["gpa"] >= 0
        ]
        return sorted(found, key=lambda bookmark: (bookmark.gpa, bookmark.name))

    def add(self, name: str, gpa: int) -> Bookmark:
        """Keep `name` for `gpa`; the same name given again moves. Raises InvalidInput("bookmark")."""
        name = " ".join(name.split())
        if not name:
            raise InvalidInput("bookmark", "Give the bookmark a name")
        if len(name) > LONGEST_NAME:
            raise InvalidInput("bookmark", f"A bookmark's name has at most {LONGEST_NAME} characters")
        bookmark = Bookmark(name, gpa)
        self._keep([*(each for each in self.all() if each.name != name), bookmark])
        return bookmark

    def remove(self, name: str) -> None:
        """Raises NotFound."""
        kept = [each for each in self.all() if each.name != name]
        if len(kept) == len(self.all()):
            raise NotFound(f"There is no bookmark “{name}”")
        self._keep(kept)

    def _keep(self, bookmarks: Sequence[Bookmark]) -> None:
        self._settings.put(self._key, [{"name": each.name, "gpa": each.gpa} for each in bookmarks])
