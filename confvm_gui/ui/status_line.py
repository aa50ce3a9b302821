"""The line at the bottom: how the providers are, and what jobs run."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QStatusBar, QToolButton, QWidget

from confvm_gui.domain.operation import Operation, OperationStatus
from confvm_gui.fleet.inventory import ProviderStatus
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.icons import bind_icon, role_pixmap
from confvm_gui.ui.text import operation_word
from confvm_gui.ui.theme import UNIT, theme_controller
from confvm_gui.ui.widgets.elided_label import ElidedLabel


class StatusLine(QStatusBar):
    """Providers at the left, jobs at the right."""

    jobs_wanted = Signal()

    def __init__(self, session: FleetSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._session = session
        self._subscriptions = Subscriptions()
        self._active: dict[str, Operation] = {operation.id: operation for operation in session.jobs.active()}
        providers = QWidget()
        row = QHBoxLayout(providers)
        row.setContentsMargins(UNIT + 4, 2, UNIT, 2)
        row.setSpacing(6)
        self._mark = QLabel()
        self._providers = ElidedLabel()
        self._providers.setObjectName("provider-status")
        row.addWidget(self._mark)
        row.addWidget(self._providers, 1)
        self.addWidget(providers, 1)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(120)
        self._bar.setRange(0, 100)
        self._bar.setAccessibleName(self.tr("Progress of all jobs"))
        self.addPermanentWidget(self._bar)
        self.jobs = QToolButton()
        self.jobs.setObjectName("status-jobs")
        self.jobs.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.jobs.setToolTip(self.tr("Show or hide the jobs (Ctrl+J)"))
        bind_icon(self.jobs, "jobs", "muted")
        self.jobs.clicked.connect(self.jobs_wanted)
        self.addPermanentWidget(self.jobs)
        self._subscriptions.add(session.inventory.provider_changes, lambda _: self._show_providers())
        self._subscriptions.add(session.jobs.changes, self._job_changed)
        theme_controller().changed.connect(self._show_providers)
        self._show_providers()
        self._show_jobs()

    def close_subscriptions(self) -> None:
        """Stop listening."""
        self._subscriptions.clear()

    def _show_providers(self) -> None:
        statuses = list(self._session.inventory.providers())
        broken = [status for status in statuses if not status.connected]
        name, role = ("warning", "warning") if broken else ("ok", "success")
        self._mark.setPixmap(role_pixmap(name, role, 14, self.devicePixelRatioF()))
        self._providers.setText("   ·   ".join(self._words(status) for status in statuses))

    def _words(self, status: ProviderStatus) -> str:
        if status.connecting:
            return self.tr("{provider}: connecting …").format(provider=status.title)
        if status.connected:
            return self.tr("{provider}: connected").format(provider=status.title)
        return self.tr("{provider}: not connected ({reason})").format(
            provider=status.title, reason=status.message or self.tr("no reason given")
        )

    def _job_changed(self, operation: Operation) -> None:
        if operation.status.is_final:
            self._active.pop(operation.id, None)
        else:
            self._active[operation.id] = operation
        self._show_jobs()

    def _show_jobs(self) -> None:
        count = len(self._active)
        self._bar.setVisible(count > 0)
        if not count:
            self.jobs.setText(self.tr("No jobs under way"))
            return
        done = sum(operation.progress for operation in self._active.values()) / count
        self._bar.setValue(round(done * 100))
        if count == 1:
            operation = next(iter(self._active.values()))
            step = operation.steps[-1].name if operation.steps else ""
            words = f"{operation_word(operation.kind)} {operation.instance_name}"
            running = operation.status is OperationStatus.RUNNING and step
            self.jobs.setText(f"{words}: {step}" if running else words)
        else:
            self.jobs.setText(self.tr("%n job(s) under way", "", count))
