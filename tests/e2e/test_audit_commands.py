"""`confvm audit`, `confvm roles` and `confvm approvals`, as somebody types them."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import TypeAlias

import pytest

from confvm_gui.app.cli import main
from confvm_gui.domain.approval import Approval
from confvm_gui.domain.event import Severity
from confvm_gui.fleet.audit.anchor import AnchorFile
from confvm_gui.fleet.audit.checkpoints import Checkpointer
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.identity import current_user
from confvm_gui.keys.local.signer import LocalSigner
from confvm_gui.store import open_store
from tests.unit.fleet.audit.log_rig import SignedLog
from tests.unit.fleet.audit.syslog_server import make_certificate, syslog_server

Run: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def confvm(capsys: pytest.CaptureFixture[str], data_dir: Path, state: Path) -> Run:
    """Runs `confvm` on the data directory: exit code, standard output, standard error."""

    def run(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main([*map(str, words), "--data-dir", str(data_dir)])
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 1
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def fill(data_dir: Path, *messages: str) -> None:
    """One session, signed and anchored as the console does it."""

    async def session() -> None:
        store = await open_store(data_dir)
        events = EventFeed(store.audit, readonly=False)
        checkpoints = Checkpointer(store.audit, LocalSigner(data_dir), AnchorFile(data_dir), events)
        for message in messages:
            events.record("key.wrap", message, subject="vm-1", severity=Severity.WARNING)
        await checkpoints.aclose()
        await store.aclose()

    asyncio.run(session())


def test_a_signed_log_is_verified_with_its_key_and_with_a_given_one(confvm: Run, data_dir: Path) -> None:
    fill(data_dir, "one", "two")
    code, key, _ = confvm("audit", "key")
    assert (code, len(key.strip())) == (0, 64)
    code, out, _ = confvm("audit", "verify", "--strict")
    assert code == 0
    assert f"Signed up to event 2 with the key {key.strip()}" in out
    assert json.loads(confvm("audit", "key", "--json")[1]) == {"key": key.strip()}
    verdict = json.loads(confvm("audit", "verify", "--json", "--key", key.strip())[1])
    assert (verdict["intact"], verdict["signed_to"], verdict["notes"]) == (True, 2, [])
    code, out, _ = confvm("audit", "verify", "--key", "00" * 32)
    assert (code, "another key" in out) == (1, True)
    assert confvm("audit", "verify", "--key", "zz")[0] == 2


def test_an_older_copy_is_found_until_it_is_accepted(confvm: Run, data_dir: Path, state: Path) -> None:
    fill(data_dir, "one")
    shutil.copytree(data_dir, data_dir.with_name("older"))
    fill(data_dir, "two", "three")
    shutil.rmtree(data_dir)
    data_dir.with_name("older").rename(data_dir)
    code, out, err = confvm("audit", "verify")
    assert (code, err) == (1, "")
    assert "does not hold from event 3 on" in out
    assert confvm("audit", "accept")[0] == 0
    code, out, _ = confvm("audit", "verify", "--strict")
    assert code == 0, out
    actions = [json.loads(line)["action"] for line in confvm("audit", "export")[1].splitlines()]
    assert actions == ["key.wrap", "audit.checkpoint", "audit.anchor-accepted", "audit.checkpoint"]


def test_without_an_anchor_that_is_said_and_strict_is_not_content(confvm: Run, data_dir: Path, state: Path) -> None:
    fill(data_dir, "one")
    shutil.rmtree(state)
    code, out, _ = confvm("audit", "verify")
    assert (code, "no anchor" in out) == (0, True)
    assert confvm("audit", "verify", "--strict")[0] == 1


def test_recomputing_the_chain_without_the_key_is_found(confvm: Run, data_dir: Path) -> None:
    fill(data_dir, "one", "two")

    def change(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        rows[0]["message"] = "nothing"
        return rows

    SignedLog(data_dir).rewrite(change, recompute=True)
    code, out, _ = confvm("audit", "verify", "--json")
    assert (code, json.loads(out)["first_bad"]) == (1, 1)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["one", "two", "checkpoint"]),
        (["--action", "key."], ["one", "two"]),
        (["--text", "TWO"], ["two"]),
        (["--severity", "warning", "--subject", "vm-1"], ["one", "two"]),
        (["--severity", "error"], []),
        (["--since", "2020-01-01", "--until", "2020-02-01T00:00:00+01:00"], []),
        (["--actor", "nobody"], []),
        (["--outcome", "failure", "--outcome", "denied"], []),
        (["--outcome", "success", "--text", "one"], ["one"]),
    ],
)
def test_events_are_chosen(confvm: Run, data_dir: Path, options: Sequence[str], expected: Sequence[str]) -> None:
    fill(data_dir, "one", "two")
    code, out, _ = confvm("audit", "export", *options)
    found = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [each["action"].rpartition(".")[2] if "audit" in each["action"] else each["message"] for each in found] == [
        *expected
    ]


def test_the_log_is_written_in_each_form(confvm: Run, data_dir: Path, tmp_path: Path) -> None:
    fill(data_dir, "one")
    assert confvm("audit", "export", "--format", "cef")[1].startswith("CEF:0|ConfVM|")
    event = json.loads(confvm("audit", "export", "--format", "ocsf")[1].splitlines()[0])
    assert event["class_uid"] == 6003
    assert event["actor"]["user"]["name"] == current_user()
    told = [json.loads(line) for line in confvm("audit", "export", "--action", "audit.export")[1].splitlines()]
    assert [each["detail"]["form"] for each in told] == ["cef", "ocsf"], "each time that it is read out is told"
    code, _, err = confvm("audit", "export", "--since", "yesterday")
    assert (code, err.count("\n"), "since" in err) == (2, 1, True)


def test_the_log_is_forwarded_from_where_it_was_left(confvm: Run, data_dir: Path, tmp_path: Path) -> None:
    fill(data_dir, "one")
    certificate = make_certificate(tmp_path / "server.pem")
    with syslog_server(certificate) as server:
        where = ("audit", "forward", "--to", f"localhost:{server.port}", "--ca", certificate)
        assert confvm(*where)[:2] == (0, f"4 events were delivered to localhost:{server.port}\n")
        assert json.loads(confvm(*where, "--json")[1])["sent"] == 0
        fill(data_dir, "two")
        assert json.loads(confvm(*where, "--json")[1])["sent"] == 2
        assert len(server.messages) == 6
    code, out, err = confvm(*where)
    assert (code, out, err) == (0, f"0 events were delivered to localhost:{server.port}\n", "")
    fill(data_dir, "three")
    code, out, err = confvm(*where)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert confvm("audit", "forward", "--to", "host:0")[0] == 2


def test_roles_are_shown_granted_and_taken_away(confvm: Run, data_dir: Path) -> None:
    me = current_user()
    assert json.loads(confvm("roles", "show", "--json")[1])["you"] == {me: ["administrator"]}
    assert not (data_dir / "roles.toml").exists()
    assert confvm("roles", "grant", "bob", "auditor")[0] == 0
    assert confvm("roles", "grant", "staff", "operator", "--group")[0] == 0
    shown = json.loads(confvm("roles", "show", "--json")[1])
    assert (shown["users"], shown["groups"]) == (
        {"bob": ["auditor"], me: ["administrator"]},
        {"staff": ["operator"]},
    )
    code, out, err = confvm("roles", "revoke", me, "administrator")
    assert (code, out, "last administrator" in err) == (1, "", True)
    assert confvm("roles", "revoke", "bob", "viewer")[0] == 2
    assert confvm("roles", "grant", "bob", "king")[0] == 2
    assert confvm("roles", "revoke", "bob", "auditor")[0] == 0
    actions = [json.loads(line)["action"] for line in confvm("audit", "export", "--action", "role.")[1].splitlines()]
    assert actions == ["role.changed"] * 3
    assert confvm("audit", "verify", "--strict")[0] == 0, "what a command records is signed as well"


def test_who_has_no_right_to_it_is_refused(confvm: Run, data_dir: Path) -> None:
    (data_dir / "roles.toml").write_text('[users]\nbob = ["administrator"]\n')
    for words in (("audit", "export"), ("audit", "accept"), ("roles", "grant", "eve", "viewer")):
        code, out, err = confvm(*words)
        assert (code, out, err.count("\n")) == (1, "", 1), words
        assert "viewer here and may not" in err
    (data_dir / "roles.toml").write_text("[users")
    code, _, err = confvm("roles", "show")
    assert (code, err.count("\n"), "roles.toml is wrong" in err) == (2, 1, True)
    assert confvm("audit", "verify")[0] == 0, "whoever may read the files may verify them"


def ask(data_dir: Path, asked_by: str) -> Approval:
    approval = Approval("ab" * 16, "key.destroy", "local:k", "Destroying local:k", {}, asked_by, 1.7e9, 9e9)

    async def put() -> None:
        async with await open_store(data_dir) as store:
            await store.approvals.put(approval)

    asyncio.run(put())
    return approval


def test_requests_are_listed_and_decided(confvm: Run, data_dir: Path) -> None:
    assert confvm("approvals", "list") == (0, "There are no requests.\n", "")
    ask(data_dir, "bob")
    assert "Destroying local:k" in confvm("approvals", "list")[1]
    assert json.loads(confvm("approvals", "list", "--json")[1])[0]["status"] == "waiting"
    code, out, _ = confvm("approvals", "approve", "abab", "--note", "go")
    assert (code, "approved; it is carried out by the next console" in out) == (0, True)
    assert confvm("approvals", "reject", "abab")[0] == 1, "decided already"
    assert confvm("approvals", "approve", "ffff")[0] == 1


def test_ones_own_request_is_not_approved(confvm: Run, data_dir: Path) -> None:
    ask(data_dir, current_user())
    code, _, err = confvm("approvals", "approve", "abab")
    assert (code, "somebody else" in err) == (1, True)


async def test_a_decision_is_left_where_another_console_has_the_directory_open(data_dir: Path, state: Path) -> None:
    from confvm_gui.app.cli import build_parser
    from confvm_gui.app.roles_command import run_approvals

    (data_dir / "approvals").mkdir()
    async with await open_store(data_dir) as store:
        await store.approvals.put(
            Approval("ab" * 16, "key.destroy", "local:k", "Destroying local:k", {}, "bob", 1.7e9, 9e9)
        )
        out = StringIO()
        words = ["approvals", "approve", "abab", "--data-dir", str(data_dir)]
        assert await run_approvals(build_parser().parse_args(words), out) == 0
        assert "left for the console" in out.getvalue()
        assert len(list((data_dir / "approvals").glob("*.decision"))) == 1


def test_operations_are_made_to_need_two(confvm: Run, data_dir: Path) -> None:
    assert confvm("approvals", "require", "instance.delete")[0] == 0
    assert "instance.delete" in confvm("roles", "show")[1]
    assert confvm("approvals", "require", "instance.delete", "--off")[0] == 0
    assert "second person" not in confvm("roles", "show")[1]
    assert confvm("approvals", "require", "everything")[0] == 2
