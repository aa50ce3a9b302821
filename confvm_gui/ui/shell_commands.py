"""What the command palette of the window offers: its actions, saved searches, themes, and instances by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from confvm_gui.fleet.settings import Settings
from confvm_gui.ui.actions import ShellActions
from confvm_gui.ui.command_palette import Command
from confvm_gui.ui.fleet_page import FleetPage
from confvm_gui.ui.preferences import THEME
from confvm_gui.ui.text import translate
from confvm_gui.ui.theme import ThemeChoice, theme_controller

_MOST_INSTANCES = 20


class ShellCommands:
    """Collects commands when the palette opens, instances with each key."""

    def __init__(
        self, actions: ShellActions, fleet: FleetPage, settings: Settings, open_instance: Callable[[str], None]
    ) -> None:
        self._actions = actions
        self._fleet = fleet
        self._settings = settings
        self._open_instance = open_instance

    def all(self) -> Sequence[Command]:
        """Everything that can be done now, instances apart."""
        commands = [
            Command(
                action.text().replace("&", "").rstrip(" …"),
                action.trigger,
                action.shortcut().toString(),
                self._actions.icon_name(action) or "arrow",
            )
            for action in self._actions.all()
            if action.isEnabled() and action is not self._actions.palette
        ]
        for search in self._fleet.saved_searches():
            title = translate("ShellCommands", "Search: {text}").format(text=search)
            commands.append(Command(title, partial(self._fleet.filter.set_text, search), "", "star"))
        for title, choice in (
            (translate("ShellCommands", "Light theme"), ThemeChoice.LIGHT),
            (translate("ShellCommands", "Dark theme"), ThemeChoice.DARK),
        ):
            commands.append(Command(title, partial(self._choose_theme, choice), "", "settings"))
        return commands

    def instances(self, typed: str) -> Sequence[Command]:
        """The first instances whose name has all typed words."""
        words = typed.lower().split()
        table = self._fleet.model.table
        found: list[Command] = []
        for slot, name in enumerate(table.names):
            if all(word in name for word in words):
                instance = table.get(slot)
                if instance is not None:
                    go = partial(self._open_instance, instance.id)
                    found.append(Command(instance.name, go, translate("ShellCommands", "instance"), "fleet"))
                    if len(found) >= _MOST_INSTANCES:
                        break
        return found

    def _choose_theme(self, choice: ThemeChoice) -> None:
        self._settings.put(THEME, choice.value)
        theme_controller().apply(choice)
