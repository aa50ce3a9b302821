"""Two people at the real window: one asks for a deletion, another one decides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton

from confvm_gui.domain.approval import ApprovalStatus
from confvm_gui.domain.event import AuditFilter, EventOutcome
from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.operation import OperationKind
from confvm_gui.domain.roles import Role
from confvm_gui.fleet.approvals.decisions import found_decisions
from confvm_gui.fleet.identity import current_user
from confvm_gui.fleet.roles.assignments import Assignments, save_assignments
from confvm_gui.ui.access.page import AccessPage
from confvm_gui.ui.approvals.view import ApprovalsView
from tests.support.fake_provider import make_instance
from tests.support.runners import Run
from tests.support.shell_driver import until
from tests.support.stored_window import StoredWindow, stored_window

WEB = make_instance("web", state=InstanceState.STOPPED)
DB = make_instance("db", state=InstanceState.STOPPED)
ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
PEOPLE = Assignments(
    {"ann": ADMINISTRATOR, "bob": ADMINISTRATOR, "eve": frozenset({Role.OPERATOR}), current_user(): ADMINISTRATOR},
    needed=frozenset({"instance.delete"}),
    by_file=True,
)


@asynccontextmanager
async def office(data_dir: Path, instances: Sequence[Instance] = (WEB, DB)) -> AsyncIterator[StoredWindow]:
    """ann at the window."""
    save_assignments(data_dir, PEOPLE)
    async with stored_window(data_dir, instances) as opened:
        opened.session.access.user = "ann"
        yield opened


def view_of(opened: StoredWindow) -> ApprovalsView:
    opened.window.show_page("access")
    return opened.find(AccessPage, "access-page").approvals


async def ask_for_deletion(opened: StoredWindow, name: str) -> ApprovalsView:
    """As somebody does it: chosen in the fleet, confirmed, and on to the requests."""
    window = opened.window
    instance_id = opened.session.inventory.find(name).id
    await until(lambda: window.model.table.find(instance_id) is not None)
    window.open_instance(instance_id)
    window.actions_.on_instances[OperationKind.DELETE].trigger()
    question = window.banners.banner("confirm")
    assert question is not None
    assert question.action_button is not None
    question.action_button.click()
    await until(lambda: window.banners.banner("approval") is not None)
    told = window.banners.banner("approval")
    assert told is not None
    assert told.action_button is not None
    told.action_button.click()
    assert window.page == "access"
    view = view_of(opened)
    await until(lambda: view.model.rowCount() > 0)
    return view


def texts(view: ApprovalsView) -> list[str]:
    """What the detail says."""
    return [label.text() for label in view.detail.findChildren(QLabel) if label.isVisible()]


def badge(opened: StoredWindow) -> str:
    label = opened.find(QLabel, "badge-access")
    return label.text() if not label.isHidden() else ""


def test_a_deletion_waits_for_somebody_else_and_is_carried_out(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with office(data_dir) as opened:
            view = await ask_for_deletion(opened, "web")
            approve, refuse = (
                opened.find(QPushButton, "approvals-approve"),
                opened.find(QPushButton, "approvals-refuse"),
            )
            assert opened.session.inventory.find("web").state is InstanceState.STOPPED, "nothing was done yet"
            assert badge(opened) == "1"
            assert not approve.isEnabled()
            assert "ann asked for it" in approve.toolTip()
            assert "ann asked for it" in view.said.text()
            assert refuse.text().replace("&", "") == "Take back"
            opened.session.access.user = "bob"
            view.refresh()
            await until(approve.isEnabled)
            opened.find(QLineEdit, "approvals-note").setText("agreed by phone")
            approve.click()
            await until(lambda: view.said.text() == "Approved and carried out.")
            assert [instance.name for instance in opened.session.inventory.all()] == ["db"]
            await until(lambda: badge(opened) == "")
            (kept,) = await opened.session.approvals.recent()
            assert (kept.status, kept.asked_by, kept.decided_by, kept.note) == (
                ApprovalStatus.DONE,
                "ann",
                "bob",
                "agreed by phone",
            )
            await until(lambda: not opened.find(QPushButton, "approvals-approve").isVisible())
            await opened.session.store.flush()
            told = await opened.session.events.search(AuditFilter(action="approval."), limit=9)
            assert [record.event.action for record in told] == ["approval.done", "approval.approved", "approval.asked"]
            assert told[2].event.outcome is EventOutcome.PENDING

    qasync_run(scenario())


def test_refusing_takes_a_reason_that_whoever_asked_can_read(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with office(data_dir) as opened:
            view = await ask_for_deletion(opened, "web")
            opened.session.access.user = "bob"
            view.refresh()
            refuse = opened.find(QPushButton, "approvals-refuse")
            await until(lambda: refuse.text().replace("&", "") == "Refuse")
            refuse.click()
            assert "Say why" in view.problem.text()
            view.note.setText("It is still needed")
            assert view.problem.isHidden()
            refuse.click()
            await until(lambda: view.said.text() == "Refused; nothing was done.")
            assert opened.session.inventory.find("web")
            opened.session.access.user = "ann"
            await until(lambda: "It is still needed" in texts(view))
            assert any(text.startswith("bob, ") for text in texts(view))

    qasync_run(scenario())


def test_ones_own_request_is_taken_back_without_a_reason(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with office(data_dir) as opened:
            view = await ask_for_deletion(opened, "web")
            opened.find(QPushButton, "approvals-refuse").click()
            await until(lambda: view.said.text() == "Refused; nothing was done.")
            (kept,) = await opened.session.approvals.recent()
            assert (kept.status, kept.decided_by) == (ApprovalStatus.REJECTED, "ann")

    qasync_run(scenario())


def test_who_may_not_approve_sees_why(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with office(data_dir) as opened:
            view = await ask_for_deletion(opened, "web")
            opened.session.access.user = "eve"
            view.refresh()
            approve, refuse = (
                opened.find(QPushButton, "approvals-approve"),
                opened.find(QPushButton, "approvals-refuse"),
            )
            await until(lambda: "eve has no role" in approve.toolTip())
            assert not approve.isEnabled()
            assert not refuse.isEnabled()
            assert not view.note.isEnabled()

    qasync_run(scenario())


def test_each_of_several_deletions_is_a_request(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with office(data_dir) as opened:
            window = opened.window
            ids = [instance.id for instance in opened.session.inventory.all()]
            window.requests.perform(OperationKind.DELETE, opened.session.inventory.all(), lambda: None)
            question = window.banners.banner("confirm")
            assert question is not None
            assert question.action_button is not None
            question.action_button.click()
            await until(lambda: window.banners.banner("approval") is not None)
            view = view_of(opened)
            await until(lambda: view.model.rowCount() == 2)
            assert badge(opened) == "2"
            assert {approval.subject for approval in await opened.session.approvals.recent()} == set(ids)
            assert len(opened.session.inventory.all()) == 2

    qasync_run(scenario())


def test_a_request_expires_after_its_hours(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with office(data_dir) as opened:
            view = await ask_for_deletion(opened, "web")
            (asked,) = await opened.session.approvals.recent()
            assert round(asked.expires_at - asked.asked_at) == 24 * 3600
            assert any("23 h 59 min" in label.text() for label in view.detail.findChildren(QLabel))
            await opened.session.store.approvals.put(replace(asked, expires_at=asked.asked_at - 1))
            await opened.session.approvals.take_in()
            await until(lambda: any(label.text() == "expired" for label in view.detail.findChildren(QLabel)))
            assert not opened.find(QPushButton, "approvals-approve").isVisible()
            assert badge(opened) == ""
            assert opened.session.inventory.find("web")

    qasync_run(scenario())


def test_a_console_that_only_reads_leaves_its_decision(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with office(data_dir) as opened:
            await ask_for_deletion(opened, "web")
            await until((data_dir / "approvals").is_dir)
            async with stored_window(data_dir, readonly=True) as other:
                view = view_of(other)
                await until(lambda: view.model.rowCount() == 1)
                approve = other.find(QPushButton, "approvals-approve")
                await until(approve.isEnabled)
                approve.click()
                await until(lambda: "is left for the console" in view.said.text())
                await until(lambda: "web" not in [one.name for one in opened.session.inventory.all()])
                await until(lambda: not list(found_decisions(data_dir)))
            (kept,) = await opened.session.approvals.recent()
            assert (kept.status, kept.decided_by) == (ApprovalStatus.DONE, current_user())

    qasync_run(scenario())
