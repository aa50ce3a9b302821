"""The page Events through the real window: filters, one record in full, verification, export."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import QDate
from PySide6.QtWidgets import QFileDialog, QLabel, QLineEdit, QMenu, QToolButton

from confvm_gui.domain.event import AuditFilter, EventOutcome
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.operation import OperationKind
from confvm_gui.domain.roles import Role
from confvm_gui.fleet.roles.assignments import Assignments
from confvm_gui.ui.audit.changes import changed_rows, detail_rows
from confvm_gui.ui.audit.page import AuditPage
from tests.support.fake_provider import make_instance
from tests.support.runners import Run
from tests.support.shell_driver import until
from tests.support.stored_window import StoredWindow, stored_window

WEB = make_instance("web", state=InstanceState.RUNNING)
DB = make_instance("db", state=InstanceState.STOPPED)


def page_of(opened: StoredWindow) -> AuditPage:
    opened.window.show_page("events")
    return opened.find(AuditPage, "events-page")


def fill(opened: StoredWindow) -> None:
    record = opened.session.events.record
    record("key.rotate", "disks has a new version", before={"versions": 1}, after={"versions": 2})
    record("key.wrap", "disks wrapped", subject=WEB.id, actor="ann")
    record("access.denied", "eve may not", subject=DB.id, actor="eve", outcome=EventOutcome.DENIED)
    record("memory.view-plaintext", "The plaintext of db was opened", subject=DB.id, actor="ann")


def shown(page: AuditPage) -> set[str]:
    """Actions of the rows, without what the session itself tells."""
    model = page.events.model
    found = {model.record(row).event.action for row in range(model.rowCount())}
    return {action for action in found if not action.startswith(("audit.", "instance."))}


def test_each_filter_leaves_what_it_asks_for(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with stored_window(data_dir, (WEB, DB)) as opened:
            fill(opened)
            page = page_of(opened)
            everything = {"key.rotate", "key.wrap", "access.denied", "memory.view-plaintext"}
            await until(lambda: shown(page) == everything)
            bar = page.filter
            assert [bar.who.itemText(row) for row in range(bar.who.count())][:2] == ["ann", "console"]
            bar.who.setEditText("ann")
            await until(lambda: shown(page) == {"key.wrap", "memory.view-plaintext"})
            bar.action.setCurrentIndex(bar.action.findText("Keys"))
            await until(lambda: shown(page) == {"key.wrap"})
            bar.reset()
            await until(lambda: shown(page) == everything)
            bar.action.setEditText("memory.view")
            await until(lambda: shown(page) == {"memory.view-plaintext"})
            bar.clear.click()
            bar.outcome.setCurrentIndex(bar.outcome.findText("Denied"))
            await until(lambda: shown(page) == {"access.denied"})
            bar.clear.click()
            bar.instance.setEditText("db")
            await until(lambda: shown(page) == {"access.denied", "memory.view-plaintext"})
            opened.find(QLineEdit, "events-search").setText("PLAINTEXT")
            await until(lambda: shown(page) == {"memory.view-plaintext"})
            opened.find(QLineEdit, "events-search").clear()
            bar.instance.setEditText(WEB.id)
            await until(lambda: shown(page) == {"key.wrap"})
            bar.clear.click()
            assert bar.wanted == AuditFilter()
            assert not bar.clear.isEnabled()
            await until(lambda: shown(page) == everything)

    qasync_run(scenario())


def test_a_span_of_time_is_asked_for(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with stored_window(data_dir) as opened:
            fill(opened)
            page = page_of(opened)
            bar = page.filter
            assert bar.first_day.isHidden()
            bar.span.setCurrentIndex(bar.span.findText("Between two days"))
            assert not bar.first_day.isHidden()
            long_ago = QDate.currentDate().addYears(-1)
            bar.last_day.setDate(long_ago)
            bar.first_day.setDate(long_ago.addDays(-3))
            await until(lambda: page.events.model.rowCount() == 0 and not page.events.count.isVisible())
            bar.first_day.setDate(QDate.currentDate())  # either order
            await until(lambda: "key.wrap" in shown(page))
            bar.span.setCurrentIndex(bar.span.findText("Last hour"))
            assert bar.wanted.since is not None
            await until(lambda: "key.wrap" in shown(page))

    qasync_run(scenario())


def test_a_record_is_shown_whole_with_before_and_after(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with stored_window(data_dir, (WEB,)) as opened:
            page = page_of(opened)
            (stop,) = await opened.session.jobs.act(OperationKind.STOP, [WEB.id])
            await opened.session.jobs.wait(stop.id)
            page.filter.action.setEditText("operation.succeeded")
            await until(lambda: shown(page) == {"operation.succeeded"})
            assert page.detail.isHidden()
            page.events.table.selectRow(0)
            assert not page.detail.isHidden()
            assert opened.find(QLabel, "before-state").text() == "running"
            assert opened.find(QLabel, "after-state").text() == "stopped"
            assert opened.find(QLabel, "fact-About").text().startswith("web\n")
            assert opened.find(QLabel, "fact-From").text().startswith(opened.session.access.user)
            record = page.events.model.record(0)
            assert opened.find(QLabel, "fact-Hash").accessibleName() == record.hash
            opened.find(QToolButton, "events-detail-close").click()
            assert page.detail.isHidden()
            page.events.table.selectRow(0)
            assert not page.detail.isHidden(), "and can be opened again"

    qasync_run(scenario())


def test_the_chain_is_verified_and_the_first_bad_record_named(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with stored_window(data_dir) as opened:
            fill(opened)
            page = page_of(opened)
            checkpoints = opened.session.checkpoints
            assert checkpoints is not None
            await checkpoints.sign_now()
            page.events.verify.click()
            await until(lambda: page.events.verdict.banner("verdict") is not None)
            banner = page.events.verdict.banner("verdict")
            assert banner is not None
            assert "The log is intact" in banner.label.text()
            assert "Signatures hold up to record" in banner.label.text()
            await opened.session.store.flush()
            with closing(sqlite3.connect(data_dir / "console.db")) as connection:
                for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                    connection.execute(f"DROP TRIGGER {name}")
                connection.execute("UPDATE audit SET actor = 'nobody' WHERE action = 'access.denied'")
                (bad,) = connection.execute("SELECT sequence FROM audit WHERE action = 'access.denied'").fetchone()
                connection.commit()
            page.events.verify.click()
            await until(lambda: page.events.verdict.banner("verdict") not in (None, banner))
            told = page.events.verdict.banner("verdict")
            assert told is not None
            assert f"does not hold from record {bad} on" in told.label.text()
            assert "was altered" in told.label.text()

    qasync_run(scenario())


@pytest.mark.parametrize(("entry", "suffix"), [(0, "jsonl"), (1, "cef"), (2, "ocsf.jsonl")])
def test_what_is_shown_is_exported(qasync_run: Run, data_dir: Path, tmp_path: Path, entry: int, suffix: str) -> None:
    async def scenario() -> None:
        async with stored_window(data_dir, (DB,)) as opened:
            fill(opened)
            page = page_of(opened)
            page.filter.who.setEditText("eve")
            await until(lambda: shown(page) == {"access.denied"})
            menu = opened.find(QToolButton, "events-export").menu()
            assert isinstance(menu, QMenu)
            menu.actions()[entry].trigger()
            dialog = opened.find(QFileDialog, "events-export-file")
            assert dialog.selectedFiles()[0].endswith(f"confvm-audit.{suffix}")
            path = tmp_path / f"log.{suffix}"
            dialog.fileSelected.emit(str(path))
            dialog.close()
            await until(lambda: page.events.verdict.banner("export") is not None)
            (line,) = path.read_text().splitlines()
            assert "eve" in (line if suffix == "cef" else json.dumps(json.loads(line)))
            assert line.startswith("CEF:0|") is (suffix == "cef")
            page.export_to(page._forms()[entry][0], path)
            await until(lambda: "exists already" in _said(page))
            await opened.session.store.flush()
            told = await opened.session.events.search(AuditFilter(action="audit.export"), limit=9)
            assert [record.event.detail["path"] for record in told] == [str(path)]

    qasync_run(scenario())


def test_who_may_not_read_the_log_is_told_why(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with stored_window(data_dir, (WEB,)) as opened:
            fill(opened)
            access = opened.session.access
            access.assignments = Assignments({access.user: frozenset({Role.VIEWER})})
            page = page_of(opened)
            await until(lambda: page.events._empty.text.text().endswith("operator or administrator or auditor"))
            assert page.events.model.rowCount() == 0
            assert not page.filter.isEnabled()
            assert not page.export.isEnabled()
            assert "export or forward" in page.export.toolTip()
            denied = await opened.session.store.audit.search(AuditFilter(text="read the audit log"), limit=9)
            assert denied == [], "a page that is not offered asks for nothing"
            access.assignments = Assignments({access.user: frozenset({Role.AUDITOR})})
            assert page.export.isEnabled()
            page.events.search.setText("wrapped")
            await until(lambda: shown(page) == {"key.wrap"})

    qasync_run(scenario())


def _said(page: AuditPage) -> str:
    banner = page.events.verdict.banner("export")
    return "" if banner is None else banner.label.text()


def test_changes_are_told_name_by_name() -> None:
    before = {"state": "on", "labels": {"env": "prod"}, "list": [1]}
    after = {"state": "off", "labels": {"env": "prod", "tier": "1"}, "list": [1, 2]}
    assert changed_rows(before, after) == [("state", "on", "off"), ("list", "[1]", "[1, 2]"), ("labels.tier", "–", "1")]
    assert changed_rows(None, {"a": True}) == [("a", "–", "true")]
    assert changed_rows(3, 4) == [("", "3", "4")]
    assert changed_rows(None, None) == []
    assert detail_rows({"key": "k", "nothing": None, "empty": ""}) == [("key", "k"), ("empty", "–")]
