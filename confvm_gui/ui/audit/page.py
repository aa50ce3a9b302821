"""The page `Events`: the whole audit log, filtered, one record in full, verified, exported, forwarded.

Object names for tests and the tour: `events-page`, `events-who`, `events-action`, `events-outcome`, `events-instance`,
`events-span`, `events-clear`, `events-export`, `events-forward`, `events-detail`, and those of its parts.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QSplitter, QToolButton, QVBoxLayout, QWidget

from confvm_gui.domain.event import AuditRecord
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.audit.export import ExportForm, export_file
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.audit.detail import RecordDetail
from confvm_gui.ui.audit.filter_bar import FilterBar
from confvm_gui.ui.audit.forward_form import ForwardForm
from confvm_gui.ui.banner import Banner, Tone
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.panels.events import EventsPanel
from confvm_gui.ui.theme import UNIT

_SUFFIXES = {ExportForm.JSONL: "jsonl", ExportForm.CEF: "cef", ExportForm.OCSF: "ocsf.jsonl"}
_BESIDE_DETAIL = (3, 5)
"""Columns of the table that stand in the detail as well: action and number."""


class AuditPage(QWidget):
    """Emits `problem` with a sentence for what went wrong."""

    problem = Signal(str)

    def __init__(self, session: FleetSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("events-page")
        self._session = session
        self._subscriptions = Subscriptions()
        self.events = EventsPanel(session, everything=True)
        self.events.problem.connect(self.problem)
        self.filter = FilterBar(session)
        self._forward: ForwardForm | None = None
        self.detail = RecordDetail(session)
        self.detail.hide()
        self.export = QToolButton()
        self.export.setObjectName("events-export")
        self.export.setText(self.tr("Export"))
        self.export.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.export.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        bind_icon(self.export, "save")
        menu = QMenu(self.export)
        for form, words in self._forms():
            menu.addAction(words).triggered.connect(partial(self._ask_for_file, form))
        self.export.setMenu(menu)
        self.forwarding = QPushButton(self.tr("Forwarding"))
        self.forwarding.setObjectName("events-forward")
        self.forwarding.setCheckable(True)
        bind_icon(self.forwarding, "arrow")
        self.forwarding.toggled.connect(self._show_forward)
        self.events.top.addWidget(self.export)
        self.events.top.addWidget(self.forwarding)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.addWidget(self.events)
        self._splitter.addWidget(self.detail)
        self._splitter.setStretchFactor(0, 1)
        self._splitter.setStretchFactor(1, 0)
        rows = self._rows = QVBoxLayout(self)
        rows.setContentsMargins(UNIT * 2, UNIT + 4, UNIT * 2, 0)
        rows.setSpacing(UNIT)
        rows.addWidget(self.filter)
        rows.addWidget(self._splitter, 1)
        inside = self.events.layout()
        if inside is not None:
            inside.setContentsMargins(0, 0, 0, UNIT)
        self.filter.changed.connect(lambda: self.events.set_filter(self.filter.wanted))
        self.events.selected.connect(self._show_record)
        self.events.model.rowsInserted.connect(self._note_people)
        self.detail.closed.connect(self._close_detail)
        self._subscriptions.add(session.access.changes, lambda _: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        """Offer what the present user may do, and the instances that there are now."""
        denied = self._session.access.reason_denied(Permission.EXPORT_AUDIT)
        self.export.setEnabled(not denied)
        self.export.setToolTip(denied or self.tr("Write what is shown to a file"))
        unreadable = self._session.access.reason_denied(Permission.READ_AUDIT)
        self.filter.setEnabled(not unreadable)
        self.filter.refresh()

    async def aclose(self) -> None:
        """Stop listening, and what runs."""
        self._subscriptions.clear()
        if self._forward is not None:
            self._forward.subscriptions.clear()
        await self.events.aclose()

    def _show_forward(self, on: bool) -> None:
        if self._forward is None:  # made with the rest, it would hold up the window
            self._forward = ForwardForm(self._session, self.events.tasks)
            self._rows.insertWidget(0, self._forward)
        self._forward.setVisible(on)

    # One record

    def _show_record(self, record: AuditRecord | None) -> None:
        if record is None:
            self.detail.hide()
        else:
            self.detail.show_record(record)
            if self.detail.isHidden():
                self.detail.show()
                width = self._splitter.width()
                wanted = min(max(round(width * 0.36), 320), 520)
                self._splitter.setSizes([width - wanted, wanted])
        for column in _BESIDE_DETAIL:
            self.events.table.setColumnHidden(column, record is not None)

    def _close_detail(self) -> None:
        self.events.table.setCurrentIndex(self.events.model.index(-1, -1))
        self.events.table.clearSelection()
        self._show_record(None)

    def _note_people(self) -> None:
        model = self.events.model
        self.filter.note_people([model.record(row) for row in range(model.rowCount())])

    # Writing it to a file

    def _forms(self) -> tuple[tuple[ExportForm, str], ...]:
        return (
            (ExportForm.JSONL, self.tr("JSON Lines …")),
            (ExportForm.CEF, self.tr("CEF, for ArcSight and others …")),
            (ExportForm.OCSF, self.tr("OCSF …")),
        )

    def _ask_for_file(self, form: ExportForm) -> None:
        dialog = QFileDialog(self, self.tr("Export the audit log"))
        dialog.setObjectName("events-export-file")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        # An existing file is not written over: the answer says so, and takes another name.
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        dialog.selectFile(f"confvm-audit.{_SUFFIXES[form]}")
        dialog.fileSelected.connect(lambda name: self.export_to(form, Path(name)))
        dialog.open()

    def export_to(self, form: ExportForm, path: Path) -> None:
        """Write what is shown, all of it and not only what is loaded, to a new file."""
        session = self._session
        work = export_file(session.store.audit, form, self.events.wanted, path, session.access, session.events)
        self.events.tasks.start("export", work, on_done=lambda _: self._exported(path), on_error=self._not_exported)

    def _exported(self, path: Path) -> None:
        words = self.tr("What is shown was written to {file}").format(file=path)
        self.events.verdict.put("export", Banner(Tone.SUCCESS, words))

    def _not_exported(self, problem: str) -> None:
        self.events.verdict.put("export", Banner(Tone.ERROR, problem))
