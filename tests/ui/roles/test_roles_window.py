"""Roles at the real window: who am I, what may I, what is left out and why; and assignments by administrators."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QSpinBox, QToolButton

from confvm_gui.domain.event import AuditFilter
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.operation import OperationKind
from confvm_gui.domain.roles import PERMISSIONS, Permission, Role
from confvm_gui.fleet.identity import current_groups, current_user
from confvm_gui.fleet.roles.assignments import Assignments, load_assignments, save_assignments
from confvm_gui.ui.access.page import AccessPage
from confvm_gui.ui.access.roles_view import RolesView
from confvm_gui.ui.panels.console import ConsolePanel
from confvm_gui.ui.panels.memory.panel import MemoryPanel
from tests.support.fake_provider import make_instance
from tests.support.runners import Run
from tests.support.shell_driver import until
from tests.support.stored_window import StoredWindow, stored_window

WEB = make_instance("web", state=InstanceState.RUNNING)
ME = current_user()


def become(opened: StoredWindow, role: Role) -> None:
    access = opened.session.access
    access.assignments = Assignments({access.user: frozenset({role}), "root-like": frozenset({Role.ADMINISTRATOR})})


def view_of(opened: StoredWindow) -> RolesView:
    opened.window.show_page("access")
    page = opened.find(AccessPage, "access-page")
    page.show_roles()
    return page.roles


def rows(view: RolesView) -> list[tuple[str, ...]]:
    model = view.model
    return [
        tuple(str(model.index(row, column).data()) for column in range(model.columnCount()))
        for row in range(model.rowCount())
    ]


def _says(opened: StoredWindow, words: str) -> bool:
    return any(words in label.text() for label in opened.window.findChildren(QLabel))


# What a role leaves out ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
def test_the_page_says_who_one_is_and_what_one_may(qasync_run: Run, data_dir: Path, role: Role) -> None:
    async def scenario() -> None:
        async with stored_window(data_dir) as opened:
            become(opened, role)
            view = view_of(opened)
            assert opened.find(QLabel, "access-who").text() == f"You are {ME}, {role.value} here"
            may = {permission for permission, note in view.you.may.items() if not note.toolTip()}
            assert may == PERMISSIONS[role]
            assert view.give.isVisible() is (role is Role.ADMINISTRATOR)
            assert view.take.isVisible() is (role is Role.ADMINISTRATOR)
            assert all(box.isEnabled() is (role is Role.ADMINISTRATOR) for box in view.needs.values())
            assert view.reason.isVisible() is (role is not Role.ADMINISTRATOR)
            if role is not Role.ADMINISTRATOR:
                assert "may not change roles" in view.reason.text()

    qasync_run(scenario())


@pytest.mark.parametrize(
    ("role", "may"),
    [(Role.VIEWER, False), (Role.AUDITOR, False), (Role.OPERATOR, True), (Role.ADMINISTRATOR, True)],
)
def test_who_may_not_run_instances_is_offered_nothing_and_told_why(
    qasync_run: Run, data_dir: Path, role: Role, may: bool
) -> None:
    async def scenario() -> None:
        async with stored_window(data_dir, (WEB,)) as opened:
            window, actions = opened.window, opened.window.actions_
            await until(lambda: window.model.table.find(WEB.id) is not None)
            window.open_instance(WEB.id)
            become(opened, role)
            on_it = [actions.on_instances[kind] for kind in (OperationKind.STOP, OperationKind.DELETE)]
            for action in (actions.new, *on_it):
                assert action.isEnabled() is may, action.text()
                assert ("may not" in action.toolTip()) is not may
            banner = window.banners.banner("role")
            assert (banner is None) is may
            window.requests.perform(OperationKind.STOP, opened.session.inventory.all(), lambda: None)
            window.new_instance()
            if may:
                await until(lambda: window.wizard is not None)
            if not may:
                assert banner is not None
                assert f"{ME} is {role.value} here and may not run instances" in banner.label.text()
                assert opened.session.jobs.active() == ()
                become(opened, Role.ADMINISTRATOR)
                assert actions.new.isEnabled()
                assert "may not" not in actions.new.toolTip()
                assert window.banners.banner("role") is None

    qasync_run(scenario())


def test_a_viewer_reads_why_where_something_is_left_out(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with stored_window(data_dir, (WEB,)) as opened:
            window = opened.window
            await until(lambda: window.model.table.find(WEB.id) is not None)
            become(opened, Role.VIEWER)
            window.open_instance(WEB.id, "overview")
            await until(lambda: window.findChild(QLabel, "query-message") is not None)
            message = opened.find(QLabel, "query-message")
            assert "ask guests" in message.text()
            assert not opened.find(QPushButton, "query-ask").isEnabled()
            await until(lambda: _says(opened, "may not read the audit log"))
            window.show_tab("console")
            await until(lambda: window.findChild(ConsolePanel) is not None)
            console = window.findChild(ConsolePanel)
            assert console is not None
            await until(lambda: "ask guests" in console.status.text())
            window.show_page("settings")
            workers = opened.find(QSpinBox, "setting-workers")
            assert not workers.isEnabled()
            assert "change settings" in workers.toolTip()
            denied = await opened.session.store.audit.search(AuditFilter(action="access.denied"), limit=99)
            assert len(denied) <= 1, "only the console asks, once"

    qasync_run(scenario())


def test_an_operator_sees_the_hosts_view_of_memory_and_why_not_the_guests(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with stored_window(data_dir, (WEB,)) as opened:
            window = opened.window
            await until(lambda: window.model.table.find(WEB.id) is not None)
            become(opened, Role.OPERATOR)
            window.open_instance(WEB.id, "memory")
            await until(lambda: window.findChild(MemoryPanel) is not None)
            panel = window.findChild(MemoryPanel)
            assert panel is not None
            await until(lambda: panel.columns.pane(Viewer.HYPERVISOR).watch is not None)
            guest = panel.columns.pane(Viewer.GUEST)
            assert guest.watch is None
            reason = guest.body.currentWidget()
            assert isinstance(reason, QLabel)
            assert "look into the plaintext memory of guests" in reason.text()
            await opened.session.store.flush()
            told = await opened.session.events.search(AuditFilter(action="memory."), limit=9)
            assert told == []

    qasync_run(scenario())


def test_an_administrators_look_at_plaintext_is_recorded(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with stored_window(data_dir, (WEB,)) as opened:
            window = opened.window
            await until(lambda: window.model.table.find(WEB.id) is not None)
            window.open_instance(WEB.id, "memory")
            await until(lambda: window.findChild(MemoryPanel) is not None)
            panel = window.findChild(MemoryPanel)
            assert panel is not None
            seen: list[str] = []
            opened.session.events.changes.subscribe(lambda event: seen.append(event.action))
            window.resize(1440, 900)
            await until(lambda: panel.columns.pane(Viewer.GUEST).watch is not None and panel.reading.running)
            panel.search.field.setText("anything")
            panel.search.start()
            panel.snapshot.start()
            await until(lambda: {"memory.search-plaintext", "memory.snapshot-plaintext"} <= set(seen))
            await opened.session.store.flush()
            told = await opened.session.events.search(AuditFilter(action="memory.", subject=WEB.id), limit=9)
            assert {record.event.action for record in told} == {
                "memory.view-plaintext",
                "memory.search-plaintext",
                "memory.snapshot-plaintext",
            }

    qasync_run(scenario())


# Assignments ----------------------------------------------------------------------------------------------------------


def test_roles_are_given_and_taken_away(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with stored_window(data_dir) as opened:
            view = view_of(opened)
            assert rows(view) == [("User", ME, "administrator")]
            assert not view.give.isEnabled()
            QTest.keyClicks(opened.find(QLineEdit, "roles-name"), "bob")
            view.role.setCurrentIndex(view.role.findData("auditor"))
            view.give.click()
            await until(lambda: ("User", "bob", "auditor") in rows(view))
            await until(lambda: view.name.text() == "")
            view.kind.setCurrentIndex(1)
            view.name.setText("staff")
            view.role.setCurrentIndex(view.role.findData("operator"))
            QTest.keyClick(view.name, Qt.Key.Key_Return)
            await until(lambda: ("Group", "staff", "operator") in rows(view))
            kept = load_assignments(data_dir)
            assert kept.users["bob"] == {Role.AUDITOR}
            assert kept.groups["staff"] == {Role.OPERATOR}
            view.table.selectRow(rows(view).index(("User", "bob", "auditor")))
            await until(view.take.isEnabled)
            view.take.click()
            await until(lambda: ("User", "bob", "auditor") not in rows(view))
            assert "bob" not in load_assignments(data_dir).users
            await opened.session.store.flush()
            told = await opened.session.events.search(AuditFilter(action="role.changed"), limit=9)
            assert [record.event.message for record in told] == [
                "bob has the role auditor no longer",
                "the group staff has the role operator from now on",
                "bob has the role auditor from now on",
            ]
            assert told[0].event.before != told[0].event.after

    qasync_run(scenario())


def test_the_last_administrator_stays(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        save_assignments(data_dir, Assignments({ME: frozenset({Role.ADMINISTRATOR})}))
        async with stored_window(data_dir) as opened:
            view = view_of(opened)
            view.table.selectRow(0)
            await until(view.take.isEnabled)
            view.take.click()
            await until(lambda: f"{ME} is the last administrator" in view.problem.text())
            view.name.setText("nobody-like-this")
            assert view.problem.isHidden()
            view.role.setCurrentIndex(view.role.findData("administrator"))
            view.give.click()
            await until(lambda: len(rows(view)) == 2)
            view.table.selectRow(rows(view).index(("User", ME, "administrator")))
            await until(view.take.isEnabled)
            view.take.click()
            await until(lambda: "Nobody whom this computer knows" in view.problem.text())
            assert load_assignments(data_dir).users[ME] == {Role.ADMINISTRATOR}
            assert opened.session.access.permits(Permission.MANAGE_ROLES)

    qasync_run(scenario())


def test_giving_the_own_role_away_takes_its_parts_out_of_the_window(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        group = min(current_groups())
        save_assignments(data_dir, Assignments({ME: frozenset({Role.ADMINISTRATOR, Role.AUDITOR})}))
        async with stored_window(data_dir) as opened:
            opened.session.access._groups = frozenset()
            view = view_of(opened)
            view.kind.setCurrentIndex(1)
            view.name.setText(group)
            view.role.setCurrentIndex(view.role.findData("administrator"))
            view.give.click()
            await until(lambda: len(rows(view)) == 3)
            view.table.selectRow(rows(view).index(("User", ME, "administrator")))
            await until(view.take.isEnabled)
            view.take.click()
            await until(lambda: not view.give.isVisible())
            assert opened.find(QLabel, "access-who").text() == f"You are {ME}, auditor here"
            assert not opened.find(QToolButton, "tool-new").isEnabled()

    qasync_run(scenario())


def test_what_needs_two_people_is_chosen_and_for_how_long(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with stored_window(data_dir) as opened:
            view = view_of(opened)
            assert not any(box.isChecked() for box in view.needs.values())
            assert view.hours.value() == 24
            access = opened.session.access
            view.needs["key.destroy"].click()
            await until(lambda: access.assignments.needed == {"key.destroy"})
            assert opened.session.approvals.needed("key.destroy")
            view.hours.setValue(8)
            await until(lambda: access.assignments.hours == 8)
            assert view.needs["key.destroy"].isChecked()
            view.needs["key.destroy"].click()
            await until(lambda: access.assignments.needed == frozenset())
            for box in view.needs.values():  # as fast as one can click
                box.click()
            await until(lambda: access.assignments.needed == set(view.needs))
            assert all(box.isChecked() for box in view.needs.values())
            assert load_assignments(data_dir) == access.assignments

    qasync_run(scenario())


def test_a_name_that_is_none_is_refused_below_the_field(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with stored_window(data_dir) as opened:
            view = view_of(opened)
            view.name.setText("a\u0007b")
            view.give.click()
            await until(lambda: "name of a user or group" in view.problem.text())
            assert not (data_dir / "roles.toml").exists()

    qasync_run(scenario())


def test_a_console_that_only_reads_shows_roles_and_changes_none(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with stored_window(data_dir):
            pass
        async with stored_window(data_dir, readonly=True) as opened:
            view = view_of(opened)
            assert rows(view) == [("User", ME, "administrator")]
            assert not view.give.isVisible()
            assert "for reading only" in view.reason.text()

    qasync_run(scenario())
