"""Keys under which the window keeps its preferences in the session's settings, with their defaults.

Values are JSON-able; whatever is found is checked before use, so that a damaged setting gives its default.
"""

from __future__ import annotations

from confvm_gui.fleet.settings import Settings
from confvm_gui.ui.theme import ThemeChoice

THEME = "ui.theme"
LANGUAGE = "ui.language"
COLUMNS = "fleet.columns"
SORT = "fleet.sort"
SAVED_SEARCHES = "fleet.searches"
GROUP_BY = "fleet.group-by"
GEOMETRY = "ui.geometry"
SPLIT = "ui.split"
MEMORY_REFRESH = "memory.refresh_hz"
WORKERS = "engine.workers"

DEFAULT_MEMORY_REFRESH = 10
HIGHEST_MEMORY_REFRESH = 30
"""Reads a second."""
DEFAULT_WORKERS = 2


def text_setting(settings: Settings, key: str, default: str) -> str:
    """A string, or the default."""
    return settings.get(key, default)


def theme_setting(settings: Settings) -> ThemeChoice:
    """The theme that was chosen, or the system's."""
    try:
        return ThemeChoice(text_setting(settings, THEME, "system"))
    except ValueError:
        return ThemeChoice.SYSTEM


def number_setting(settings: Settings, key: str, default: int, low: int, high: int) -> int:
    """A whole number within bounds, or the default."""
    value = settings.get(key, default)
    return value if not isinstance(value, bool) and low <= value <= high else default


def list_setting(settings: Settings, key: str) -> list[object]:
    """A list, or an empty one."""
    nothing: list[object] = []
    return list(settings.get(key, nothing))
