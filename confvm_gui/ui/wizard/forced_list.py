"""The list of settings that the checkbox changes: what, from, to, why."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from confvm_gui.fleet.launch import ForcedSetting
from confvm_gui.ui.wizard.field_names import field_title, setting_text
from confvm_gui.ui.wizard.looks import SPACING, Tone, ToneLabel, scaled_font


class ForcedList(QWidget):
    """One row a setting. Each row is also one sentence in the accessible description of the list."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[ForcedSetting, ...] | None = None
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(SPACING)
        self.setAccessibleName(self.tr("Settings that change"))

    def settings(self) -> tuple[ForcedSetting, ...]:
        return self._shown or ()

    def show_settings(self, settings: Sequence[ForcedSetting]) -> None:
        if tuple(settings) == self._shown:
            return
        self._shown = tuple(settings)
        while (item := self._rows.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        sentences = []
        bold = scaled_font(self.font(), 1.0, QFont.Weight.DemiBold)
        width = max(
            (QFontMetrics(bold).horizontalAdvance(field_title(setting.field)) for setting in settings), default=0
        )
        for setting in settings:
            row_widget = QWidget(self)
            title = QLabel(field_title(setting.field), row_widget)
            title.setFont(bold)
            before_text = setting_text(setting.field, setting.before)
            after_text = setting_text(setting.field, setting.after)
            before = ToneLabel(before_text, Tone.MUTED, row_widget)
            before.setWordWrap(False)
            font = before.font()
            font.setStrikeOut(bool(setting.before))
            before.setFont(font)
            after = QLabel("→  " + after_text, row_widget)
            after.setTextFormat(Qt.TextFormat.PlainText)
            after.setFont(bold)
            change = QHBoxLayout()
            change.setSpacing(SPACING)
            change.addWidget(before)
            change.addWidget(after)
            change.addStretch(1)
            lines = QVBoxLayout()
            lines.setSpacing(1)
            lines.addLayout(change)
            lines.addWidget(ToneLabel(setting.reason, Tone.MUTED, row_widget))
            layout = QHBoxLayout(row_widget)
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(SPACING * 2)
            title.setFixedWidth(width)
            layout.addWidget(title, 0, Qt.AlignmentFlag.AlignTop)
            layout.addLayout(lines, 1)
            self._rows.addWidget(row_widget)
            sentences.append(
                self.tr("{0}: {1} becomes {2}. {3}.").format(
                    field_title(setting.field), before_text, after_text, setting.reason.rstrip(".")
                )
            )
        self.setAccessibleDescription("\n".join(sentences))
