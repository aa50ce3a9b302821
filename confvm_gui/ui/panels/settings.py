"""Settings: looks, language, engine; what protects the keys; and diagnostics to copy into a report."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable

from PySide6 import __version__ as pyside_version
from PySide6.QtCore import Qt, qVersion
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QFormLayout,
    QFrame,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from confvm_gui import __version__
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.preferences import (
    DEFAULT_MEMORY_REFRESH,
    DEFAULT_WORKERS,
    HIGHEST_MEMORY_REFRESH,
    LANGUAGE,
    MEMORY_REFRESH,
    THEME,
    WORKERS,
    number_setting,
    text_setting,
)
from confvm_gui.ui.rights import reason_against
from confvm_gui.ui.stall_watchdog import StallReport
from confvm_gui.ui.theme import UNIT, ThemeChoice, monospace_font, theme_controller


class SettingsPanel(QWidget):
    """Everything acts at once but the language and the number of workers, which say so."""

    def __init__(
        self,
        session: FleetSession,
        stalls: Callable[[], StallReport | None] = lambda: None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("settings-panel")
        self._session = session
        self._stalls = stalls
        content = QWidget()
        content.setObjectName("scrolled")
        rows = QVBoxLayout(content)
        rows.setContentsMargins(UNIT * 2, UNIT * 2, UNIT * 2, UNIT * 2)
        rows.setSpacing(UNIT * 2)
        rows.addWidget(self._make_looks())
        rows.addWidget(self._make_engine())
        rows.addWidget(self._make_data())
        rows.addWidget(self._make_diagnostics())
        rows.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)

    def _card(self, title: str) -> tuple[QFrame, QFormLayout]:
        card = QFrame()
        card.setProperty("kind", "card")
        card.setMaximumWidth(760)
        heading = QLabel(title)
        heading.setProperty("kind", "heading")
        form = QFormLayout()
        form.setHorizontalSpacing(UNIT * 3)
        form.setVerticalSpacing(UNIT + 2)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.FieldsStayAtSizeHint)
        rows = QVBoxLayout(card)
        rows.setContentsMargins(UNIT * 2, UNIT * 2, UNIT * 2, UNIT * 2)
        rows.setSpacing(UNIT + 4)
        rows.addWidget(heading)
        rows.addLayout(form)
        return card, form

    def _make_looks(self) -> QFrame:
        card, form = self._card(self.tr("Appearance"))
        self.theme = QComboBox()
        self.theme.setObjectName("setting-theme")
        for choice, text in (
            (ThemeChoice.SYSTEM, self.tr("As the system")),
            (ThemeChoice.LIGHT, self.tr("Light")),
            (ThemeChoice.DARK, self.tr("Dark")),
        ):
            self.theme.addItem(text, choice.value)
        self.theme.setCurrentIndex(max(0, self.theme.findData(text_setting(self._session.settings, THEME, "system"))))
        self.theme.currentIndexChanged.connect(self._theme_chosen)
        self.language = QComboBox()
        self.language.setObjectName("setting-language")
        for code, text in (("system", self.tr("As the system")), ("en", "English"), ("fr", "Français")):
            self.language.addItem(text, code)
        self.language.setCurrentIndex(
            max(0, self.language.findData(text_setting(self._session.settings, LANGUAGE, "system")))
        )
        self.language.currentIndexChanged.connect(
            lambda _: self._session.settings.put(LANGUAGE, self.language.currentData())
        )
        form.addRow(self.tr("&Theme"), self.theme)
        form.addRow(self.tr("&Language"), self.language)
        form.addRow("", _muted(self.tr("Another language applies when the console is started again.")))
        return card

    def _theme_chosen(self) -> None:
        choice = ThemeChoice(self.theme.currentData())
        self._session.settings.put(THEME, choice.value)
        theme_controller().apply(choice)

    def _make_engine(self) -> QFrame:
        card, form = self._card(self.tr("Memory and engine"))
        self.refresh = QSpinBox()
        self.refresh.setObjectName("setting-memory-refresh")
        self.refresh.setRange(1, 30)
        self.refresh.setSuffix(self.tr(" times a second"))
        self.refresh.setValue(
            number_setting(self._session.settings, MEMORY_REFRESH, DEFAULT_MEMORY_REFRESH, 1, HIGHEST_MEMORY_REFRESH)
        )
        self.refresh.valueChanged.connect(lambda value: self._session.settings.put(MEMORY_REFRESH, value))
        self.workers = QSpinBox()
        self.workers.setObjectName("setting-workers")
        self.workers.setRange(1, max(2, os.cpu_count() or 2))
        self.workers.setValue(number_setting(self._session.settings, WORKERS, DEFAULT_WORKERS, 1, 256))
        self.workers.valueChanged.connect(lambda value: self._session.settings.put(WORKERS, value))
        self._offer_workers()
        for spin in (self.refresh, self.workers):
            # The style sheet's padding does not reach the editor inside a spin box.
            spin.lineEdit().setTextMargins(UNIT - 1, 0, 0, 0)
        form.addRow(self.tr("&Memory is read"), self.refresh)
        form.addRow(self.tr("&Worker processes"), self.workers)
        form.addRow(
            "", _muted(self.tr("Workers run the guests of the embedded engine; a change applies at the next start."))
        )
        return card

    def _make_data(self) -> QFrame:
        card, form = self._card(self.tr("Data and keys"))
        directory = QLabel(str(self._session.data_dir))
        directory.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        directory.setWordWrap(True)
        directory.setMinimumWidth(420)
        form.addRow(self.tr("Data directory"), directory)
        protection = QLabel(self._session.key_protection or self.tr("The wrapping key has not been used yet."))
        protection.setWordWrap(True)
        protection.setMinimumWidth(420)
        form.addRow(self.tr("Key protection"), protection)
        if self._session.readonly:
            reason = QLabel(self._session.readonly_reason)
            reason.setWordWrap(True)
            reason.setMinimumWidth(420)
            form.addRow(self.tr("Read-only"), reason)
        return card

    def _make_diagnostics(self) -> QFrame:
        card, form = self._card(self.tr("Diagnostics"))
        self.diagnostics = QPlainTextEdit()
        self.diagnostics.setObjectName("diagnostics")
        self.diagnostics.setAccessibleName(self.tr("Diagnostics"))
        self.diagnostics.setReadOnly(True)
        self.diagnostics.setFont(monospace_font())
        self.diagnostics.setMinimumSize(560, 190)
        self.diagnostics.setPlainText(self.diagnostics_text())
        copy = QPushButton(self.tr("Copy"))
        bind_icon(copy, "copy")
        copy.clicked.connect(lambda: QApplication.clipboard().setText(self.diagnostics_text()))
        form.addRow(self.diagnostics)
        form.addRow(copy)
        return card

    def _offer_workers(self) -> None:
        denied = reason_against(self._session, Permission.CHANGE_SETTINGS)
        self.workers.setEnabled(not denied)
        self.workers.setToolTip(denied)

    def refresh_diagnostics(self) -> None:
        """Read the figures again, and offer what the present user may change."""
        self._offer_workers()
        self.diagnostics.setPlainText(self.diagnostics_text())

    def diagnostics_text(self) -> str:
        """What a report of a fault should say; no names of instances, no secrets."""
        lines = [
            f"ConfVM Console {__version__}",
            f"Python {sys.version.split()[0]}, PySide6 {pyside_version}, Qt {qVersion()}",
            f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} CPUs",
            f"Platform plug-in {QApplication.platformName()}",
            f"{len(self._session.inventory.all())} instances, {len(self._session.jobs.active())} jobs under way",
        ]
        for status in self._session.inventory.providers():
            state = "connected" if status.connected else f"not connected: {status.message}"
            lines.append(f"Provider {status.name}: {state}")
        report = self._stalls()
        if report is not None:
            lines.append(f"Longest stall {report.longest_ms:.0f} ms, {report.count} over {report.threshold_ms:.0f} ms")
        return "\n".join(lines)


def _muted(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("kind", "muted")
    label.setWordWrap(True)
    label.setMinimumWidth(420)
    return label
