"""The panel's tools in one row; what does not fit moves behind the row's extension button."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeySequence, QShortcut
from PySide6.QtWidgets import QLabel, QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from confvm_gui.domain.memory import Viewer
from confvm_gui.ui.panels.memory import wording
from confvm_gui.ui.panels.memory.colours import Theme, show_kind
from confvm_gui.ui.panels.memory.goto import GoToField
from confvm_gui.ui.widgets.elided_label import ElidedLabel


class MemoryToolBar(QToolBar):
    """Go to, Find, Freeze, Snapshot, Bookmark, Export, View, and a line for what is going on."""

    view_changed = Signal()
    """Other columns or another number of bytes in a row are wanted."""
    goto_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._problem = False
        self.viewers: Sequence[Viewer] = tuple(Viewer)
        """Columns wanted."""
        self.bytes_per_row = 0
        """0: as many as fit."""
        self.setMovable(False)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        label = QLabel(self.tr("Go to"), self)
        label.setContentsMargins(4, 0, 4, 0)
        self.goto = GoToField(self)
        self.goto.setFixedWidth(self.fontMetrics().horizontalAdvance("0") * 20)
        label.setBuddy(self.goto)
        self.addWidget(label)
        self.addWidget(self.goto)
        self.addSeparator()
        self.search = self._action(self.tr("Search"), self.tr("Search RAM for a text or bytes"), "Ctrl+F")
        self.freeze = self._action(self.tr("Freeze"), self.tr("Keep what is shown; the guest runs on"), "F8")
        self.freeze.setCheckable(True)
        self.take_snapshot = self._action(
            self.tr("Snapshot"), self.tr("Keep RAM as it is now, to see what changes afterwards"), "F7"
        )
        self.bookmark = self._action(self.tr("Bookmark"), self.tr("Give the address under the cursor a name"), "Ctrl+D")
        self.export = self._menu_button(self.tr("Export"), self.tr("Write memory to a file"))
        self.view = self._menu_button(self.tr("View"), self.tr("Columns and bytes in a row"))
        self.view.setMenu(self._view_menu())
        self._status = ElidedLabel(parent=self)
        self._status.setObjectName("memory-status")
        self._status.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._status.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._status.setContentsMargins(8, 0, 8, 0)
        self.addWidget(self._status)

    def wire(self, panel: QWidget) -> None:
        """Let the shortcuts work anywhere in `panel`, and only there."""
        for action in (self.search, self.freeze, self.take_snapshot, self.bookmark):
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            panel.addAction(action)
        shortcut = QShortcut(QKeySequence("Ctrl+G"), panel)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self.goto_wanted)

    def say(self, words: str, *, problem: bool = False) -> None:
        """Show one line at the right."""
        if (words, problem) == (self._status.text(), self._problem):
            return
        self._problem = problem
        self._status.setText(words)
        self._colour_status()

    def _colour_status(self) -> None:
        show_kind(self._status, "error" if self._problem else "muted")

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.goto.set_error_colour(theme.error)
        self._colour_status()

    def _action(self, words: str, hint: str, keys: str) -> QAction:
        action = QAction(words, self)
        action.setShortcut(QKeySequence(keys))
        action.setToolTip(f"{hint} ({QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)})")
        self.addAction(action)
        return action

    def _menu_button(self, words: str, hint: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(words)
        button.setToolTip(hint)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setAutoRaise(True)
        self.addWidget(button)
        return button

    def _view_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addSection(self.tr("Columns"))
        columns: list[tuple[str, Callable[[], None]]] = [
            (self.tr("Both views"), partial(self._set_viewers, tuple(Viewer)))
        ]
        for viewer in Viewer:
            words = self.tr("{viewer} only").format(viewer=wording.short_name(viewer))
            columns.append((words, partial(self._set_viewers, (viewer,))))
        self._choices(menu, columns)
        menu.addSection(self.tr("Bytes in a row"))
        rows: list[tuple[str, Callable[[], None]]] = [(self.tr("As many as fit"), partial(self._set_bytes, 0))]
        rows += [(str(count), partial(self._set_bytes, count)) for count in (8, 16, 32)]
        self._choices(menu, rows)
        return menu

    def _choices(self, menu: QMenu, entries: list[tuple[str, Callable[[], None]]]) -> None:
        group = QActionGroup(menu)
        for index, (words, choose) in enumerate(entries):
            action = menu.addAction(words)
            action.setCheckable(True)
            action.setChecked(index == 0)
            action.triggered.connect(lambda _checked=False, choose=choose: choose())
            group.addAction(action)

    def _set_viewers(self, viewers: tuple[Viewer, ...]) -> None:
        self.viewers = viewers
        self.view_changed.emit()

    def _set_bytes(self, count: int) -> None:
        self.bytes_per_row = count
        self.view_changed.emit()
