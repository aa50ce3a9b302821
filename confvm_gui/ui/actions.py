"""All commands of the window as actions: menus, tool bar, keyboard and command palette show the same ones."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from confvm_gui.domain.operation import OperationKind
from confvm_gui.ui.icons import SMALL, bind_icon
from confvm_gui.ui.text import translate

KINDS = (
    OperationKind.START,
    OperationKind.STOP,
    OperationKind.PAUSE,
    OperationKind.RESUME,
    OperationKind.RESET,
    OperationKind.MIGRATE,
    OperationKind.SNAPSHOT,
    OperationKind.CLONE,
    OperationKind.DELETE,
)
"""What can be done to instances that exist, in the order of menus."""
_SELDOM = (OperationKind.MIGRATE, OperationKind.SNAPSHOT, OperationKind.CLONE)
"""In the menus and the palette, not in the tool bar."""
_IN_TOOL_BAR = ("new", "start", "stop", "pause", "resume", "reset", "delete")
PAGES = ("fleet", "events", "evidence", "hosts", "guardrails", "keys", "access", "settings", "help", "about")
"""Keys of the pages of the window."""


class ShellActions:
    """Made once for the window; what they do is connected by the window."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self._menu_icons: list[tuple[QAction, str]] = []
        self._icon_names: dict[str, str] = {}
        self.new = self._make("new", translate("ShellActions", "&New instance …"), "add", "Ctrl+N")
        self.on_instances = {
            OperationKind.START: self._make("start", translate("ShellActions", "&Start"), "start", "Ctrl+R"),
            OperationKind.STOP: self._make("stop", translate("ShellActions", "S&top"), "stop", "Ctrl+."),
            OperationKind.PAUSE: self._make("pause", translate("ShellActions", "&Pause"), "pause", "Ctrl+P"),
            OperationKind.RESUME: self._make("resume", translate("ShellActions", "Res&ume"), "start", "Ctrl+U"),
            OperationKind.RESET: self._make("reset", translate("ShellActions", "&Reset"), "reset", "Ctrl+Shift+R"),
            OperationKind.MIGRATE: self._make(
                "migrate", translate("ShellActions", "&Migrate to another host …"), "migrate", "Ctrl+Shift+M"
            ),
            OperationKind.SNAPSHOT: self._make(
                "snapshot", translate("ShellActions", "Take s&napshot"), "save", "Ctrl+Shift+S"
            ),
            OperationKind.CLONE: self._make("clone", translate("ShellActions", "&Clone …"), "copy", "Ctrl+Shift+D"),
            OperationKind.DELETE: self._make("delete", translate("ShellActions", "&Delete"), "delete", "Ctrl+Del"),
        }
        self.quit = self._make("quit", translate("ShellActions", "&Quit"), "", "Ctrl+Q")
        self.palette = self._make("palette", translate("ShellActions", "Go to &anything …"), "search", "Ctrl+K")
        self.filter = self._make("filter", translate("ShellActions", "&Filter instances"), "search", "Ctrl+F")
        self.jobs = self._make("jobs", translate("ShellActions", "&Jobs"), "jobs", "Ctrl+J")
        self.jobs.setCheckable(True)
        self.maximize = self._make(
            "maximize", translate("ShellActions", "&Maximise the instance page"), "maximize", "Ctrl+M"
        )
        self.close_page = self._make(
            "close-page", translate("ShellActions", "&Close the instance page"), "close", "Ctrl+W"
        )
        self.pages = {
            "fleet": self._make("page-fleet", translate("ShellActions", "&Fleet"), "fleet", "Ctrl+1"),
            "events": self._make("page-events", translate("ShellActions", "&Events"), "events", "Ctrl+2"),
            "evidence": self._make("page-evidence", translate("ShellActions", "E&vidence files"), "evidence", "Ctrl+3"),
            "hosts": self._make("page-hosts", translate("ShellActions", "&Hosts"), "hosts", "Ctrl+4"),
            "guardrails": self._make(
                "page-guardrails", translate("ShellActions", "&Guardrails"), "guardrails", "Ctrl+6"
            ),
            "keys": self._make("page-keys", translate("ShellActions", "&Keys"), "key", "Ctrl+7"),
            "access": self._make("page-access", translate("ShellActions", "&Access"), "access", "Ctrl+8"),
            "settings": self._make("page-settings", translate("ShellActions", "&Settings"), "settings", "Ctrl+,"),
            "help": self._make("page-help", translate("ShellActions", "&Help"), "help", "F1"),
            "about": self._make("page-about", translate("ShellActions", "&About"), "about", ""),
        }
        self.tabs = {
            "overview": self._make("tab-overview", translate("ShellActions", "&Overview"), "overview", "Alt+1"),
            "memory": self._make("tab-memory", translate("ShellActions", "&Memory"), "memory", "Alt+2"),
            "console": self._make("tab-console", translate("ShellActions", "&Console"), "console", "Alt+3"),
            "events": self._make("tab-events", translate("ShellActions", "&Events of the instance"), "events", "Alt+4"),
            "metrics": self._make("tab-metrics", translate("ShellActions", "M&etrics"), "metrics", "Alt+5"),
            "attestation": self._make(
                "tab-attestation", translate("ShellActions", "&Attestation"), "attestation", "Alt+6"
            ),
        }

    def _make(self, name: str, text: str, icon: str, shortcut: str) -> QAction:
        action = QAction(text, self._window)
        action.setObjectName(f"action-{name}")
        self._icon_names[action.objectName()] = icon
        if icon and name in _IN_TOOL_BAR:
            bind_icon(action, icon)
        elif icon:
            self._menu_icons.append((action, icon))
        if shortcut:
            action.setShortcut(QKeySequence(shortcut))
            plain = text.replace("&", "")
            action.setToolTip(f"{plain} ({action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)})")
        self._window.addAction(action)
        return action

    def icon_name(self, action: QAction) -> str:
        """Name of an action's icon, "" for none."""
        return self._icon_names.get(action.objectName(), "")

    def all(self) -> list[QAction]:
        """Every action, in the order of the menus."""
        return [
            self.new,
            *self.on_instances.values(),
            self.palette,
            self.filter,
            *self.pages.values(),
            *self.tabs.values(),
            self.jobs,
            self.maximize,
            self.close_page,
            self.quit,
        ]

    def fill_menus(self) -> None:
        """The menu bar of the window."""
        bar = self._window.menuBar()
        console = bar.addMenu(translate("ShellActions", "&Console"))
        console.addActions([self.new, self.palette])
        console.addSeparator()
        console.addActions([self.pages["settings"], self.quit])
        instance = bar.addMenu(translate("ShellActions", "&Instance"))
        self.fill_instance_menu(instance)
        view = bar.addMenu(translate("ShellActions", "&View"))
        view.addActions([self.pages[key] for key in PAGES[:-3]])
        view.addActions([self.jobs, self.filter])
        view.addSeparator()
        view.addActions(list(self.tabs.values()))
        view.addSeparator()
        view.addActions([self.maximize, self.close_page])
        help_menu = bar.addMenu(translate("ShellActions", "&Help"))
        help_menu.addActions([self.pages["help"], self.pages["about"]])
        for menu in (console, instance, view, help_menu):
            menu.aboutToShow.connect(self.draw_icons)

    def draw_icons(self) -> None:
        """Draw the icons that only menus show; they are not needed for the window to appear."""
        while self._menu_icons:
            action, name = self._menu_icons.pop()
            bind_icon(action, name)

    def fill_instance_menu(self, menu: QMenu) -> None:
        """What can be done to the marked instances or the current one."""
        for kind in KINDS:
            if kind is OperationKind.DELETE:
                menu.addSeparator()
            menu.addAction(self.on_instances[kind])

    def make_tool_bar(self) -> QToolBar:
        """New instance, the actions on instances, and the palette at the far end."""
        bar = QToolBar(translate("ShellActions", "Tools"))
        bar.setObjectName("tool-bar")
        bar.setMovable(False)
        bar.setFloatable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        bar.setIconSize(QSize(SMALL, SMALL))
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        new = QToolButton()
        new.setObjectName("tool-new")
        new.setProperty("kind", "primary")
        new.setText(translate("ShellActions", "New instance"))
        new.setToolTip(self.new.toolTip())
        new.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        bind_icon(new, "add", "on_accent")
        new.clicked.connect(self.new.trigger)
        self.new.enabledChanged.connect(new.setEnabled)
        bar.addWidget(new)
        bar.addSeparator()
        for kind in KINDS:
            if kind in _SELDOM:
                continue
            if kind is OperationKind.DELETE:
                bar.addSeparator()
            bar.addAction(self.on_instances[kind])
        space = QWidget()
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(space)
        go = QToolButton()
        go.setObjectName("tool-palette")
        go.setText(translate("ShellActions", "Go to …  Ctrl+K"))
        go.setToolTip(self.palette.toolTip())
        go.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        bind_icon(go, "search", "muted")
        go.clicked.connect(self.palette.trigger)
        bar.addWidget(go)
        return bar

    def connect_all(self, connections: dict[QAction, Callable[[], None]]) -> None:
        """Let each action do its part."""
        for action, act in connections.items():
            action.triggered.connect(lambda _checked=False, chosen=act: chosen())
