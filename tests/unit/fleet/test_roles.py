"""Roles: who has which, what each may do, and that what is refused is refused in the use cases and told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from confvm_gui.domain.errors import Forbidden, InvalidInput, WrongState
from confvm_gui.domain.event import AuditFilter, EventOutcome
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.operation import OperationKind
from confvm_gui.domain.query import Query, QueryVerb
from confvm_gui.domain.roles import Permission, Role
from confvm_gui.fleet.audit.export import ExportForm, export_file
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.identity import current_groups, current_user
from confvm_gui.fleet.roles.access import Access
from confvm_gui.fleet.roles.assignments import Assignments, load_assignments, save_assignments
from confvm_gui.fleet.roles.changes import change_roles
from confvm_gui.fleet.session import FleetSession
from tests.support.embedded_rig import launch_request
from tests.support.fake_provider import make_instance
from tests.support.fake_session import MemoryAudit, fake_session


def access(roles: dict[str, set[Role]], user: str = "ann", groups: frozenset[str] = frozenset()) -> Access:
    users = {name: frozenset(each) for name, each in roles.items()}
    return Access(Assignments(users, by_file=True), EventFeed(MemoryAudit(), readonly=False), user, groups)


def test_without_a_file_the_owner_is_administrator_and_everybody_else_a_viewer(data_dir: Path) -> None:
    assignments = load_assignments(data_dir)
    assert not assignments.by_file
    assert assignments.roles(current_user(), frozenset()) == {Role.ADMINISTRATOR}
    assert assignments.roles("somebody", frozenset({"staff"})) == {Role.VIEWER}


def test_users_and_groups_add_up_and_come_back_from_the_file(data_dir: Path) -> None:
    given = load_assignments(data_dir).with_role("bob", Role.OPERATOR, group=False)
    given = given.with_role('odd "name"', Role.AUDITOR, group=True).with_role("bob", Role.AUDITOR, group=False)
    save_assignments(data_dir, given)
    kept = load_assignments(data_dir)
    assert kept.by_file
    assert kept.roles("bob", frozenset()) == {Role.OPERATOR, Role.AUDITOR}
    assert kept.roles("eve", frozenset({'odd "name"'})) == {Role.AUDITOR}
    assert kept.roles(current_user(), frozenset()) == {Role.ADMINISTRATOR}
    assert kept.roles("eve", frozenset()) == {Role.VIEWER}


def test_the_last_administrator_stays(data_dir: Path) -> None:
    given = load_assignments(data_dir)
    with pytest.raises(WrongState, match="last administrator"):
        given.without_role(current_user(), Role.ADMINISTRATOR, group=False)
    two = given.with_role("wheel", Role.ADMINISTRATOR, group=True)
    assert two.without_role(current_user(), Role.ADMINISTRATOR, group=False).users == {}
    with pytest.raises(InvalidInput, match="has not the role"):
        given.without_role("bob", Role.VIEWER, group=False)


@pytest.mark.parametrize(
    "text",
    [
        "[users",
        "[user]\nann = ['viewer']",
        "[users]\nann = ['root']",
        "[users]\nann = 7",
        "users = 3",
        "[approvals]\nneeded = ['everything']",
        "[approvals]\nhours = 0",
        "[approvals]\nhours = true",
        "[approvals]\nhours = nan",
    ],
)
def test_a_file_that_is_wrong_gives_nobody_a_role(data_dir: Path, text: str) -> None:
    (data_dir / "roles.toml").write_text(text)
    with pytest.raises(InvalidInput) as refused:
        load_assignments(data_dir)
    assert refused.value.field == "roles"


def test_who_runs_the_console_is_not_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    current_user.cache_clear()
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "mallory")
    assert current_user() != "mallory"
    assert current_groups()


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.VIEWER, set()),
        (Role.OPERATOR, {Permission.OPERATE, Permission.DELETE, Permission.ASK_GUEST, Permission.READ_AUDIT}),
        (Role.AUDITOR, {Permission.READ_AUDIT, Permission.EXPORT_AUDIT}),
        (Role.ADMINISTRATOR, set(Permission)),
    ],
)
def test_each_role_may_what_it_may(role: Role, may: set[Permission]) -> None:
    one = access({"ann": {role}})
    assert {each for each in Permission if one.permits(each)} == may
    assert all((one.reason_denied(each) == "") == (each in may) for each in Permission)


async def session_of(role: Role) -> FleetSession:
    session = await fake_session([make_instance("web-1", state=InstanceState.RUNNING)])
    session.access.assignments = Assignments({session.access.user: frozenset({role})}, by_file=True)
    return session


WEB = make_instance("web-1").id

Deed = Callable[[FleetSession], Awaitable[object]]


async def look_into(session: FleetSession) -> None:
    session.memory(WEB, Viewer.GUEST)


async def type_into(session: FleetSession) -> None:
    session.console(WEB)


async def set_workers(session: FleetSession) -> None:
    session.settings.put("engine.workers", 3)


@pytest.mark.parametrize(
    ("role", "deed"),
    [
        (Role.VIEWER, lambda session: session.jobs.create(launch_request("new"))),
        (Role.AUDITOR, lambda session: session.jobs.act(OperationKind.STOP, [WEB])),
        (Role.VIEWER, lambda session: session.jobs.act(OperationKind.DELETE, [WEB])),
        (Role.VIEWER, lambda session: session.query(WEB, Query(QueryVerb.COUNT, "name", "x"))),
        (Role.OPERATOR, look_into),
        (Role.VIEWER, type_into),
        (Role.OPERATOR, set_workers),
        (Role.VIEWER, lambda session: session.events.read(limit=1)),
        (Role.VIEWER, lambda session: session.events.search(AuditFilter(), limit=1)),
    ],
)
async def test_what_a_role_does_not_allow_is_refused_and_told(role: Role, deed: Deed) -> None:
    session = await session_of(role)
    with pytest.raises(Forbidden, match=f"{role.value} here and may not"):
        await deed(session)
    told = (await session.store.audit.read(limit=1))[0].event
    assert (told.action, told.outcome, told.actor) == ("access.denied", EventOutcome.DENIED, session.access.user)
    assert session.jobs.active() == ()
    await session.aclose()


async def test_the_first_refusal_of_plaintext_is_told_and_not_every_look_of_a_panel() -> None:
    session = await session_of(Role.OPERATOR)
    for _ in range(3):
        with pytest.raises(Forbidden, match="plaintext memory"):
            session.memory(WEB, Viewer.GUEST)
    told = [record.event for record in await session.store.audit.read(limit=100, text="access.denied")]
    assert [each.subject for each in told] == [WEB]
    assert session.memory(WEB, Viewer.HYPERVISOR).viewer is Viewer.HYPERVISOR, "what the host sees is everybody's"
    await session.aclose()


async def test_what_is_personal_is_everybodys(data_dir: Path) -> None:
    session = await session_of(Role.VIEWER)
    before = len(await session.store.audit.read(limit=100))
    session.settings.put("ui.theme", "dark")
    assert session.settings.get("ui.theme", "") == "dark"
    assert len(await session.store.audit.read(limit=100)) == before, "and no event"
    await session.aclose()


async def test_changed_settings_are_told_with_before_and_after() -> None:
    session = await session_of(Role.ADMINISTRATOR)
    session.settings.put("engine.workers", 3)
    session.settings.put("engine.workers", 4)
    session.settings.put("engine.workers", 4)
    session.settings.put("forward.token", "hunter2")
    events = [record.event for record in await session.events.read(limit=3)]
    assert [(each.action, each.before, each.after) for each in events] == [
        ("setting.changed", None, "(not recorded)"),
        ("setting.changed", 3, 4),
        ("setting.changed", None, 3),
    ]
    assert events[0].origin is not None
    assert events[0].origin.user == session.access.user
    await session.aclose()


async def test_only_administrators_change_roles(data_dir: Path) -> None:
    log = MemoryAudit()
    events = EventFeed(log, readonly=False)
    operator = Access(Assignments({"ann": frozenset({Role.OPERATOR})}), events, "ann", frozenset())
    wanted = Assignments({"ann": frozenset({Role.ADMINISTRATOR})})
    with pytest.raises(Forbidden):
        await change_roles(operator, events, data_dir, wanted, "ann rules")
    assert not (data_dir / "roles.toml").exists()
    ruler = Access(wanted, events, "ann", frozenset())
    changed = wanted.with_role("bob", Role.AUDITOR, group=False)
    await change_roles(ruler, events, data_dir, changed, "bob audits")
    assert load_assignments(data_dir).users == changed.users
    assert ruler.assignments == changed
    told = log.records[-1].event
    assert (told.action, told.message) == ("role.changed", "bob audits")
    assert told.before != told.after


async def test_the_last_administrator_whom_the_computer_knows_stays(data_dir: Path) -> None:
    me, ruler = current_user(), frozenset({Role.ADMINISTRATOR})
    events = EventFeed(MemoryAudit(), readonly=False)
    access_ = Access(Assignments({me: ruler, "nobody-like-this": ruler}), events)
    without = access_.assignments.without_role(me, Role.ADMINISTRATOR, group=False)
    empty_group = without.with_role("no-group-like-this", Role.ADMINISTRATOR, group=True)
    for changed in (without, empty_group):
        with pytest.raises(WrongState, match="Nobody whom this computer knows"):
            await change_roles(access_, events, data_dir, changed, "locked out")
    mine = min(current_groups())
    for changed in (
        without.with_role(mine, Role.ADMINISTRATOR, group=True),
        access_.assignments.without_role("nobody-like-this", Role.ADMINISTRATOR, group=False),
    ):
        await change_roles(access_, events, data_dir, changed, "somebody stays")
        assert load_assignments(data_dir).users == changed.users


async def test_auditors_export_and_operators_do_not(tmp_path: Path) -> None:
    log = MemoryAudit()
    events = EventFeed(log, readonly=False)
    events.record("key.wrap", "Wrapped at qemu+ssh://ann:hunter2@host/system", detail={"password": "hunter2"})
    path = tmp_path / "log.jsonl"
    operator = Access(Assignments({"ann": frozenset({Role.OPERATOR})}), events, "ann", frozenset())
    with pytest.raises(Forbidden):
        await export_file(log, ExportForm.JSONL, AuditFilter(), path, operator, events)
    assert not path.exists()
    auditor = Access(Assignments({"ann": frozenset({Role.AUDITOR})}), events, "ann", frozenset())
    await export_file(log, ExportForm.JSONL, AuditFilter(action="key."), path, auditor, events)
    assert path.read_text().count("\n") == 1
    assert "hunter2" not in path.read_text(), "secrets are in no event"
    assert log.records[-1].event.action == "audit.export"
    with pytest.raises(InvalidInput, match="exists already"):
        await export_file(log, ExportForm.CEF, AuditFilter(), path, auditor, events)
