"""Jobs, settings, help and about."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import QUrl
from PySide6.QtWidgets import QApplication, QLabel

from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.operation import OperationKind, OperationStatus
from confvm_gui.ui.panels.about import AboutPanel
from confvm_gui.ui.panels.help import HelpPanel
from confvm_gui.ui.panels.jobs import JobsPanel
from confvm_gui.ui.panels.settings import SettingsPanel
from confvm_gui.ui.preferences import LANGUAGE, MEMORY_REFRESH, THEME, WORKERS
from confvm_gui.ui.stall_watchdog import StallReport
from confvm_gui.ui.theme import DARK, current_theme
from tests.support.fake_provider import make_instance
from tests.support.runners import Run
from tests.support.shell_driver import Opened, open_shell, until


def _jobs(opened: Opened) -> JobsPanel:
    opened.window.show_jobs()
    panel = opened.window.findChild(JobsPanel)
    assert panel is not None
    return panel


def test_a_job_can_be_cancelled_and_tried_again(qasync_run: Run) -> None:
    async def scenario() -> None:
        stopped = make_instance("a", state=InstanceState.STOPPED)
        async with open_shell([stopped]) as opened:
            panel = _jobs(opened)
            opened.provider.hold.clear()
            await opened.session.jobs.act(OperationKind.START, [stopped.id])
            await until(lambda: panel.model.rowCount() == 1 and panel.model.operation(0).progress > 0)
            panel.table.selectRow(0)
            assert panel.cancel.isEnabled()
            assert not panel.retry.isEnabled()
            panel.cancel.click()
            opened.provider.hold.set()
            await until(lambda: panel.model.operation(0).status is OperationStatus.CANCELLED)
            assert panel.retry.isEnabled()
            panel.retry.click()
            await until(lambda: panel.model.rowCount() == 2)
            await until(lambda: panel.model.operation(0).status is OperationStatus.SUCCEEDED)

    qasync_run(scenario())


def test_settings_act_and_are_kept(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell() as opened:
            opened.window.show_page("settings")
            panel = opened.window.findChild(SettingsPanel)
            assert panel is not None
            panel.theme.setCurrentIndex(panel.theme.findData("dark"))
            assert current_theme() is DARK
            panel.language.setCurrentIndex(panel.language.findData("fr"))
            panel.refresh.setValue(4)
            panel.workers.setValue(1)
            kept = opened.store.settings.values
            assert (kept[THEME], kept[LANGUAGE], kept[MEMORY_REFRESH], kept[WORKERS]) == ("dark", "fr", 4, 1)
            assert "keyring" in "\n".join(label.text() for label in panel.findChildren(QLabel))

    qasync_run(scenario())


def test_diagnostics_name_no_instance(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([make_instance("very-private-name")]) as opened:
            panel = SettingsPanel(opened.session, lambda: StallReport(61.0, 60.0, 2, 50.0, 100, ()), opened.window)
            text = panel.diagnostics_text()
            assert "very-private-name" not in text
            assert "1 instances" in text
            assert "Longest stall 61 ms" in text
            await asyncio.sleep(0)

    qasync_run(scenario())


def test_help_pages_open_and_link_to_each_other(qapp: QApplication) -> None:
    panel = HelpPanel()
    assert panel.pages.count() >= 4
    for row in range(panel.pages.count()):
        panel.pages.setCurrentRow(row)
        assert len(panel.browser.toPlainText()) > 200
    panel.pages.setCurrentRow(0)
    panel.browser.anchorClicked.emit(QUrl("memory.md"))
    assert panel.pages.currentRow() == 3
    panel.show_page("no-such.md")
    assert panel.pages.currentRow() == 3
    panel.deleteLater()


def test_about_says_what_is_not_claimed(qapp: QApplication) -> None:
    panel = AboutPanel()
    text = "\n".join(label.text() for label in panel.findChildren(QLabel))
    assert "does not protect this computer" in text
    panel.deleteLater()
