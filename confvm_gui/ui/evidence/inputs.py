"""What is verified and with what: the evidence file, and what may stand beside it. It stays until it is changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.theme import UNIT
from confvm_gui.ui.widgets.elided_label import ElidedLabel


class _FileRow(QWidget):
    """What is chosen, a button to choose, and one to take it away."""

    chosen = Signal(list)

    def __init__(self, name: str, title: str, empty: str, *, several: bool = False) -> None:
        super().__init__()
        self._title = title
        self._empty = empty
        self._several = several
        self.paths: list[Path] = []
        self.label = ElidedLabel(empty)
        self.label.setObjectName(f"{name}-label")
        self.label.setAccessibleName(title)
        choose = QPushButton(self.tr("Choose …"))
        choose.setObjectName(f"{name}-choose")
        choose.setAccessibleName(self.tr("Choose: {what}").format(what=title))
        choose.clicked.connect(self.ask)
        self.take_away = QToolButton()
        self.take_away.setObjectName(f"{name}-remove")
        self.take_away.setToolTip(self.tr("Take away"))
        self.take_away.setAccessibleName(self.tr("Take away: {what}").format(what=title))
        bind_icon(self.take_away, "close", "muted")
        self.take_away.clicked.connect(lambda: self.put([]))
        self.take_away.setVisible(False)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(UNIT // 2)
        row.addWidget(self.label, 1)
        row.addWidget(self.take_away)
        row.addWidget(choose)

    def put(self, paths: Sequence[Path]) -> None:
        self.paths = list(paths)
        names = ", ".join(path.name for path in self.paths)
        self.label.setText(names or self._empty)
        self.label.setToolTip("\n".join(str(path) for path in self.paths))
        self.take_away.setVisible(bool(self.paths))
        self.chosen.emit(self.paths)

    def ask(self) -> None:
        folder = str(self.paths[0].parent) if self.paths else ""
        dialog = QFileDialog(self, self._title, folder)
        modes = QFileDialog.FileMode
        dialog.setFileMode(modes.ExistingFiles if self._several else modes.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(lambda files: self.put([Path(file) for file in files]))
        dialog.open()


class EvidenceInputs(QFrame):
    """The card at the left of the page."""

    verify_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("evidence-inputs")
        self.setProperty("kind", "card")
        self.evidence = _FileRow("evidence-file", self.tr("Evidence"), self.tr("Drop a file anywhere"))
        self.endorsements = _FileRow(
            "evidence-endorsements", self.tr("Endorsements"), self.tr("None beside the cache"), several=True
        )
        self.reference = _FileRow("evidence-reference", self.tr("Reference values"), self.tr("None"))
        self.report_data = QLineEdit()
        self.report_data.setObjectName("evidence-report-data")
        self.report_data.setPlaceholderText(self.tr("Hexadecimal, such as the nonce"))
        self.at = QLineEdit()
        self.at.setObjectName("evidence-at")
        self.at.setPlaceholderText(self.tr("Now; or 2026-11-23T12:00:00Z"))
        self.allow_debug = QCheckBox(self.tr("Accept debugging"))
        self.allow_debug.setToolTip(self.tr("Accept a policy that lets the host read the guest's memory"))
        self.allow_debug.setObjectName("evidence-allow-debug")
        self.verify = QPushButton(self.tr("Verify"))
        self.verify.setObjectName("evidence-verify")
        self.verify.setProperty("kind", "primary")
        self.verify.setEnabled(False)
        self.more = QToolButton()
        self.more.setObjectName("evidence-more")
        self.more.setText(self.tr("What is expected"))
        self.more.setCheckable(True)
        self.more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        bind_icon(self.more, "down", "muted")
        self.problem = QLabel()
        self.problem.setObjectName("evidence-problem")
        self.problem.setProperty("kind", "error")
        self.problem.setWordWrap(True)
        self.problem.setMinimumWidth(80)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.hide()
        title = QLabel(self.tr("Verify a file"))
        title.setProperty("kind", "heading")
        self._expectations = QWidget()
        inner = QGridLayout(self._expectations)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setVerticalSpacing(4)
        fields: tuple[tuple[str, QWidget], ...] = (
            (self.tr("Reference values"), self.reference),
            (self.tr("Report data"), self.report_data),
            (self.tr("Time"), self.at),
        )
        row = 0
        for words, field in fields:
            inner.addWidget(_caption(words, field), row, 0)
            inner.addWidget(field, row + 1, 0)
            row += 2
        inner.addWidget(self.allow_debug, row, 0)
        self._expectations.setVisible(False)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(UNIT * 2, UNIT + 4, UNIT * 2, UNIT + 4)
        rows.setSpacing(4)
        rows.addWidget(title)
        rows.addWidget(self.problem)
        rows.addWidget(_caption(self.tr("Evidence"), self.evidence))
        rows.addWidget(self.evidence)
        rows.addWidget(_caption(self.tr("Endorsements"), self.endorsements))
        rows.addWidget(self.endorsements)
        rows.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        rows.addWidget(self._expectations)
        rows.addSpacing(4)
        rows.addWidget(self.verify)
        self.more.toggled.connect(self._expectations.setVisible)
        self.evidence.chosen.connect(self._evidence_chosen)
        self.verify.clicked.connect(self.verify_wanted)
        for edit in (self.report_data, self.at):
            edit.returnPressed.connect(self._return_pressed)
            edit.textChanged.connect(lambda _text, field=edit: _mark(field, False))

    def _evidence_chosen(self, paths: list[Path]) -> None:
        self.verify.setEnabled(bool(paths))
        if paths:
            self.verify_wanted.emit()

    def _return_pressed(self) -> None:
        if self.verify.isEnabled():
            self.verify_wanted.emit()

    def hex_text(self) -> str:
        """The expected report data as plain hex; InvalidInput("report_data")."""
        text = "".join(self.report_data.text().split()).replace(":", "").lower().removeprefix("0x")
        try:
            bytes.fromhex(text)
        except ValueError:
            raise InvalidInput(
                "report_data", self.tr("Give the report data as hexadecimal digits, two for each byte")
            ) from None
        return text

    def moment(self) -> datetime | None:
        """The time to verify as of, None for now; InvalidInput("at")."""
        text = self.at.text().strip()
        if not text:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            problem = self.tr("{text} is not a time; give it as 2026-11-23T12:00:00Z").format(text=repr(text[:40]))
            raise InvalidInput("at", problem) from None
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)

    def say_problem(self, text: str, field: str = "") -> None:
        """One line about what is wrong; "" takes it away. Marks and opens the field that it is about."""
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        fields: dict[str, QLineEdit] = {
            "report_data": self.report_data,
            "report-data": self.report_data,
            "at": self.at,
        }
        for name, edit in fields.items():
            if not text or field == name:
                _mark(edit, field == name)
        if field in (*fields, "reference"):
            self.more.setChecked(True)

    def on_any_change(self, act: Callable[[], None]) -> None:
        """Call `act` whenever a file beside the evidence is chosen or taken away."""
        self.endorsements.chosen.connect(lambda _: act())
        self.reference.chosen.connect(lambda _: act())


def _caption(words: str, field: QWidget) -> QLabel:
    label = QLabel(words)
    label.setProperty("kind", "muted")
    label.setBuddy(field)
    if not field.accessibleName():
        field.setAccessibleName(words)
    return label


def _mark(edit: QLineEdit, wrong: bool) -> None:
    if bool(edit.property("invalid")) is wrong:
        return
    edit.setProperty("invalid", wrong)
    edit.style().unpolish(edit)
    edit.style().polish(edit)
