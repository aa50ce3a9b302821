"""The filter above the fleet table: text, completion of keys and values, and the error where one is looking."""

from __future__ import annotations

from PySide6.QtCore import QRect, QStringListModel, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QCompleter, QLabel, QLineEdit, QListView, QVBoxLayout, QWidget

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.models.fleet_columns import FleetColumn
from confvm_gui.ui.models.fleet_filter import CODED_KEYS, KEYS, NUMBER_KEYS, FleetFilter, format_term, parse_filter
from confvm_gui.ui.models.fleet_table import FleetTable

_MOST = 14
"""Completions shown at once."""


def completions(table: FleetTable, word: str) -> list[str]:
    """What the word under the cursor could become, best first."""
    sign = word[:1] if word[:1] in ("-", "!") else ""
    body = word[len(sign) :]
    key, colon, typed = body.partition(":")
    if not colon:
        found = [f"{sign}{name}:" for name in KEYS if name.startswith(body.lower())]
        return found if body else []
    key = key.lower()
    typed = typed.strip('"').lower()
    if key == "label":
        return _label_completions(table, sign, typed)[:_MOST]
    if key == "confidential":
        values = ["yes", "no"]
    elif key in CODED_KEYS:
        values = [value for value in table.values_in_use(CODED_KEYS[key]) if value]
    elif key in NUMBER_KEYS:
        values = {"load": [">0.5", ">0.1", "0"], "vcpus": [">=4", "2"], "memory": [">=4096", "<=1024"]}[key]
    else:
        return []
    starts = [value for value in values if value.lower().startswith(typed)]
    holds = [value for value in values if typed in value.lower() and value not in starts]
    return [sign + format_term(key, value) for value in [*starts, *holds][:_MOST]]


def _label_completions(table: FleetTable, sign: str, typed: str) -> list[str]:
    name, equals, held = typed.partition("=")
    if not equals:
        return [f"{sign}label:{key}=" for key in table.label_keys() if key.startswith(name)]
    pairs: set[str] = set()
    for text in table.values_in_use(FleetColumn.LABELS):
        pairs.update(pair for pair in text.split(", ") if pair.startswith(f"{name}={held}"))
    return [sign + format_term("label", pair) for pair in sorted(pairs)]


class _FilterEdit(QLineEdit):
    """A line edit in which Escape clears and Down goes to the table."""

    leave = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
            self.leave.emit()
        else:
            super().keyPressEvent(event)


class _Completion(QCompleter):
    """The popup under the field; made at the first key."""

    def __init__(self, edit: QLineEdit) -> None:
        super().__init__(edit)
        self._candidates = QStringListModel(self)
        self._list = QListView()
        self.setModel(self._candidates)
        self.setPopup(self._list)
        self.setWidget(edit)
        self.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self.setMaxVisibleItems(_MOST)

    def offer(self, words: list[str], place: QRect) -> None:
        """Show `words` at `place`, or nothing when there are none."""
        if not words:
            self._list.hide()
            return
        self._candidates.setStringList(words)
        place.setWidth(min(max(220, self._list.sizeHintForColumn(0) + 32), 460))
        self.complete(place)


class FilterField(QWidget):
    """Emits `filter_changed` with every filter that can be understood; a wrong one leaves the last good in force."""

    filter_changed = Signal(object)
    leave = Signal()
    """The keyboard focus should go to the table."""

    def __init__(self, table: FleetTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table = table
        self.edit = _FilterEdit()
        self.edit.setObjectName("fleet-filter")
        self.edit.setClearButtonEnabled(True)
        self.edit.setPlaceholderText(self.tr("Filter: name, state:running, region:europe-west1, label:env=prod …"))
        self.edit.setAccessibleName(self.tr("Filter instances"))
        glass = QAction(self)
        bind_icon(glass, "search", "muted")
        self.edit.addAction(glass, QLineEdit.ActionPosition.LeadingPosition)
        self.error = QLabel()
        self.error.setObjectName("fleet-filter-error")
        self.error.setProperty("kind", "error")
        self.error.setWordWrap(True)
        self.error.hide()
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(4)
        rows.addWidget(self.edit)
        rows.addWidget(self.error)
        self._completion: _Completion | None = None
        self.edit.textChanged.connect(self._text_changed)
        self.edit.textEdited.connect(self._offer)
        self.edit.leave.connect(self.leave)
        self.setFocusProxy(self.edit)

    @property
    def text(self) -> str:
        return self.edit.text()

    def set_text(self, text: str) -> None:
        """Filter by `text`, as if it had been typed."""
        self.edit.setText(text)

    def toggle_term(self, term: str) -> None:
        """Add a term, or take it away when it is there."""
        words = self.edit.text().split()
        if term in words:
            words.remove(term)
        else:
            words.append(term)
        self.edit.setText(" ".join(words))

    def _text_changed(self, text: str) -> None:
        try:
            chosen: FleetFilter = parse_filter(text)
        except InvalidInput as problem:
            self.error.setText(problem.message)
            self._show_error(True)
            return
        self._show_error(False)
        self.filter_changed.emit(chosen)

    def _show_error(self, on: bool) -> None:
        if self.error.isHidden() is on:
            self.error.setVisible(on)
            self.edit.setProperty("invalid", "true" if on else "false")
            self.edit.style().unpolish(self.edit)
            self.edit.style().polish(self.edit)

    def _word_bounds(self) -> tuple[int, int]:
        text = self.edit.text()
        at = self.edit.cursorPosition()
        start = text.rfind(" ", 0, at) + 1
        end = text.find(" ", at)
        return start, len(text) if end < 0 else end

    def _offer(self, _text: str) -> None:
        start, end = self._word_bounds()
        word = self.edit.text()[start:end]
        found = [candidate for candidate in completions(self._table, word) if candidate != word]
        if self._completion is None:
            if not found:
                return
            self._completion = _Completion(self.edit)
            self._completion.activated.connect(self._complete)
        self._completion.offer(found, QRect(self.edit.cursorRect().left(), 0, 0, self.edit.height()))

    def _complete(self, chosen: str) -> None:
        start, end = self._word_bounds()
        text = self.edit.text()
        unfinished = chosen.endswith((":", "="))
        tail = text[end:].lstrip()
        head = text[:start] + chosen + ("" if unfinished else " ")
        self.edit.setText(head + tail)
        self.edit.setCursorPosition(len(head))
        if unfinished:
            self._offer(head)
