"""The cache of endorsements: what was fetched, and who asked to wait; to clear, carry away, and add to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.ports.endorsement_source import CacheEntry, EndorsementCache, EntryState
from confvm_gui.ui.banner import Banner, BannerStack, Tone
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.empty_state import EmptyState
from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.models.endorsements_model import EndorsementsModel
from confvm_gui.ui.panels.attestation.claims_view import make_table
from confvm_gui.ui.text import byte_size
from confvm_gui.ui.theme import UNIT

_READ = "endorsements"


class CacheView(QWidget):
    """Empty until `put_cache`."""

    def __init__(self, tasks: TaskKeeper, *, readonly: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("endorsement-cache")
        self._cache: EndorsementCache | None = None
        self._tasks = tasks
        self._readonly = readonly
        self.model = EndorsementsModel(self)
        self.table = make_table("endorsements-table", self.tr("Endorsements"))
        self.table.setModel(self.model)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        for column, width in enumerate((144, 176, 190, 80)):
            self.table.setColumnWidth(column, width)
        self.table.horizontalHeader().setSectionResizeMode(4, QHeaderView.ResizeMode.Stretch)
        self.banners = BannerStack()
        margins = self.banners.layout()
        if margins is not None:
            margins.setContentsMargins(0, 0, 0, 0)
        self.about = QLabel()
        self.about.setObjectName("endorsements-about")
        self.about.setProperty("kind", "muted")
        self.about.setWordWrap(True)
        self.about.setMinimumWidth(80)
        self.clear = self._button("clear", self.tr("Clear"), "delete", self.ask_clear)
        self.export = self._button("export", self.tr("Export …"), "save", self.ask_export)
        self.add = self._button("add", self.tr("Add …"), "add", self.ask_add)
        self.clear.setToolTip(self.tr("Forget the selected endorsements, or all if none is selected"))
        self.export.setToolTip(self.tr("Write all of them as one zip, for a computer that has no network"))
        self.add.setToolTip(self.tr("Take over a zip that another console has exported"))
        self.empty = EmptyState(
            "key",
            self.tr("No endorsements yet"),
            self.tr(
                "What AMD and Intel say of their chips is kept here once it was fetched, so that evidence can be "
                "verified again without a network."
            ),
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.table)
        top = QHBoxLayout()
        top.setSpacing(UNIT)
        top.addWidget(self.about, 1)
        for button in (self.add, self.export, self.clear):
            top.addWidget(button)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, UNIT, 0, UNIT)
        rows.setSpacing(UNIT)
        rows.addLayout(top)
        rows.addWidget(self.banners)
        rows.addWidget(self._stack, 1)
        self._show_entries(())

    def _button(self, name: str, text: str, icon: str, act: Callable[[], object]) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(f"endorsements-{name}")
        bind_icon(button, icon, "text")
        button.clicked.connect(lambda _checked=False: act())
        return button

    def put_cache(self, cache: EndorsementCache | None) -> None:
        """The session's cache; None: it keeps none, and the view says so."""
        self._cache = cache
        if cache is None:
            self.empty.set_texts(
                self.tr("This session keeps no endorsements"), self.tr("Give them as files beside the evidence.")
            )
        self.add.setEnabled(cache is not None and not self._readonly)
        if self.isVisible():
            self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def refresh(self) -> None:
        """Read what is there now; files are read, so not on this thread."""
        if self._cache is not None:
            self._tasks.start(_READ, asyncio.to_thread(self._cache.entries), on_done=self._show_entries)

    def _show_entries(self, entries: Sequence[CacheEntry]) -> None:
        self.model.show_entries(entries)
        self._stack.setCurrentIndex(1 if entries else 0)
        there = [entry for entry in entries if entry.size]
        waiting = sum(entry.state is EntryState.WAITING for entry in entries)
        text = self.tr("%n endorsement(s), {size}", "", len(there)).format(
            size=byte_size(sum(entry.size for entry in there))
        )
        if waiting:
            text += " · " + self.tr("%n address(es) to wait for", "", waiting)
        self.about.setText(text if entries else "")
        self.clear.setEnabled(bool(entries) and not self._readonly)
        self.export.setEnabled(bool(there))
        self.add.setEnabled(self._cache is not None and not self._readonly)

    # Clear, export, add

    def ask_clear(self) -> None:
        """Ask inside the page, then forget the selected endorsements, or all."""
        rows = sorted({index.row() for index in self.table.selectionModel().selectedRows()})
        urls = [self.model.entry(row).url for row in rows] or None
        count = len(urls) if urls is not None else self.model.rowCount()
        text = self.tr(
            "Forget %n endorsement(s)? What is still needed is fetched again, where there is a network.", "", count
        )
        banner = Banner(
            Tone.WARNING,
            text,
            self.tr("Clear"),
            lambda: self._clear(urls),
            dismiss_word=self.tr("Keep"),
            dangerous=True,
        )
        self.banners.put("cache", banner, focus=True)

    def _clear(self, urls: Sequence[str] | None) -> None:
        if self._cache is None:
            return
        self._tasks.start(
            "change endorsements",
            asyncio.to_thread(self._cache.clear, urls),
            on_done=lambda count: self._done(self.tr("%n endorsement(s) forgotten.", "", count)),
            on_error=self._failed,
        )

    def ask_export(self) -> QFileDialog:
        suggested = f"confvm-endorsements-{datetime.now(UTC):%Y%m%d}.zip"
        dialog = self._dialog(self.tr("Export the endorsements"), suggested)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setDefaultSuffix("zip")
        dialog.selectFile(suggested)
        dialog.fileSelected.connect(lambda path: self.write(Path(path)))
        dialog.open()
        return dialog

    def write(self, path: Path) -> None:
        """Export to a file."""
        if self._cache is not None:
            self._tasks.start(
                "change endorsements",
                self._cache.export(path),
                on_done=lambda count: self._done(
                    self.tr("%n endorsement(s) written to {file}.", "", count).format(file=path)
                ),
                on_error=self._failed,
            )

    def ask_add(self) -> QFileDialog:
        dialog = self._dialog(self.tr("Add endorsements"), "")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda path: self.take(Path(path)))
        dialog.open()
        return dialog

    def take(self, path: Path) -> None:
        """Add what a file holds."""
        if self._cache is not None:
            self._tasks.start(
                "change endorsements",
                self._cache.add(path),
                on_done=lambda count: self._done(self.tr("%n endorsement(s) added.", "", count)),
                on_error=self._failed,
            )

    def _dialog(self, title: str, name: str) -> QFileDialog:
        dialog = QFileDialog(self, title, name, "Zip (*.zip)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return dialog

    def _done(self, text: str) -> None:
        self.banners.put("cache", Banner(Tone.SUCCESS, text))
        self.refresh()

    def _failed(self, problem: str) -> None:
        self.banners.put("cache", Banner(Tone.ERROR, problem))
        self.refresh()
