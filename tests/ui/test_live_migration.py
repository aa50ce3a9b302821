"""A running instance is moved to the other emulated host from the window, under the eyes of who works with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton, QTableView

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.instance import HostMaintenance, Instance, InstanceState
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.operation import OperationKind
from confvm_gui.domain.query import QueryVerb
from confvm_gui.fleet.memory.needle import text_patterns
from confvm_gui.fleet.memory.search import search
from confvm_gui.ui.banner import Banner
from confvm_gui.ui.panels.memory.panel import MemoryPanel
from tests.support.embedded_rig import SECRET_FIELD, Hosts, ready, write_records
from tests.support.embedded_window import EmbeddedWindow, embedded_window, window_request
from tests.support.runners import Run
from tests.support.shell_driver import until

MOVES = HostMaintenance.MIGRATE


async def _running(
    opened: EmbeddedWindow, tmp_path: Path, technology: Technology, maintenance: HostMaintenance = MOVES
) -> Instance:
    made = await opened.launch(window_request(technology, write_records(tmp_path), maintenance=maintenance))
    await ready(opened.provider, made.id)
    return made


async def _ask(opened: EmbeddedWindow) -> list[str]:
    """Ask the query box for a record; returns its answer, field by field."""
    page = opened.window.instance_page
    verb, value = page.findChild(QComboBox, "query-verb"), page.findChild(QLineEdit, "query-value")
    column, ask = page.findChild(QComboBox, "query-column"), page.findChild(QPushButton, "query-ask")
    table = page.findChild(QTableView, "query-answer")
    assert verb is not None
    assert value is not None
    assert column is not None
    assert ask is not None
    assert table is not None
    await until(verb.isEnabled, "the guest can be asked")
    verb.setCurrentIndex(verb.findData(QueryVerb.FIND))
    column.setEditText("id")
    value.setText("V-7")
    await until(ask.isEnabled, "the question can be asked")
    QTest.mouseClick(ask, Qt.MouseButton.LeftButton)
    await until(lambda: not ask.isEnabled() or table.model().rowCount() == 1, "it is asked")
    await until(lambda: ask.isEnabled() and table.model().rowCount() == 1, "the answer")
    model = table.model()
    return [str(model.index(0, at).data()) for at in range(model.columnCount())]


def _facts(opened: EmbeddedWindow) -> dict[str, str]:
    labels = opened.window.instance_page.findChildren(QLabel)
    return {label.accessibleName(): label.text() for label in labels if label.accessibleName()}


async def _migrate(opened: EmbeddedWindow, instance: Instance) -> Banner | None:
    """By the keyboard; returns what is asked back."""
    opened.window.fleet.view.set_current(instance.id)
    action = opened.window.actions_.on_instances[OperationKind.MIGRATE]
    await until(action.isEnabled, "it can be asked for")
    assert action.shortcut().toString() == "Ctrl+Shift+M"
    action.trigger()
    return opened.window.banners.banner("confirm")


@pytest.mark.parametrize("technology", [Technology.SEV, Technology.SEV_ES])
def test_a_guest_answers_and_is_watched_while_it_moves(
    qasync_run: Run, data_dir: Path, tmp_path: Path, technology: Technology
) -> None:
    async def scenario() -> None:
        async with embedded_window(data_dir, make_site=Hosts()) as opened:
            window, session = opened.window, opened.session
            made = await _running(opened, tmp_path, technology)
            await until(lambda: _facts(opened)["Host"] == "host 1 (emulated Genoa)", "the overview shows the host")
            before = await _ask(opened)
            assert any(SECRET_FIELD in text for text in before)
            window.open_instance(made.id, "memory")
            await until(lambda: window.instance_page.panel("memory"), "the memory panel")
            panel = window.instance_page.panel("memory")
            assert isinstance(panel, MemoryPanel)
            await until(lambda: not panel.is_empty, "memory is seen")
            question = await _migrate(opened, made)
            assert question is not None
            assert "host 2" in question.label.text()
            assert question.action_button is not None
            QTest.mouseClick(question.action_button, Qt.MouseButton.LeftButton)
            await until(lambda: session.inventory.get(made.id).host == "host-2", "it is on host 2", 20)
            await until(lambda: not session.jobs.active(), "the job ended")
            assert session.inventory.get(made.id).state is InstanceState.RUNNING
            assert not panel.is_empty
            patterns = text_patterns(SECRET_FIELD)
            counts = {who: (await search(session.memory(made.id, who), patterns)).count for who in Viewer}
            assert counts[Viewer.HYPERVISOR] == 0
            assert counts[Viewer.GUEST] >= 1
            window.open_instance(made.id, "overview")
            await until(lambda: _facts(opened)["Host"] == "host 2 (emulated Genoa)", "the overview shows the host")
            assert await _ask(opened) == before
            assert window.banners.banner("error") is None

    qasync_run(scenario(), timeout=55)


@pytest.mark.parametrize(
    ("technology", "reason"), [(Technology.SEV_SNP, "migration agent"), (Technology.SEV, "NOSEND")]
)
def test_what_cannot_move_says_why(
    qasync_run: Run, data_dir: Path, tmp_path: Path, technology: Technology, reason: str
) -> None:
    async def scenario() -> None:
        async with embedded_window(data_dir, make_site=Hosts()) as opened:
            made = await _running(opened, tmp_path, technology, HostMaintenance.TERMINATE)
            assert await _migrate(opened, made) is None
            banner = opened.window.banners.banner("error")
            assert banner is not None
            assert "probe" in banner.label.text()
            assert reason in banner.label.text()
            assert opened.session.inventory.get(made.id).host == "host-1"

    qasync_run(scenario(), timeout=50)
