"""Records as JSON Lines, CEF, OCSF and syslog messages: what the formats' own rules ask for."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import confvm_gui
from confvm_gui.domain.event import AuditRecord, Event, EventOutcome, Origin, Severity
from confvm_gui.fleet.audit.actions import is_known
from confvm_gui.fleet.audit.cef import cef_line
from confvm_gui.fleet.audit.ocsf import ocsf_event, ocsf_line
from confvm_gui.fleet.audit.records import json_line, utc
from confvm_gui.fleet.audit.syslog import frame, syslog_message
from confvm_gui.store.audit_chain import digest

ORIGIN = Origin("ann", 1000, "desk-7", 4242, "/dev/pts/3", "window")


def record(
    action: str = "operation.create",
    message: str = "Created",
    severity: Severity = Severity.INFO,
    outcome: EventOutcome = EventOutcome.SUCCESS,
    **changed: object,
) -> AuditRecord:
    """`changed`: before, after."""
    event = Event(
        1_700_000_000.25,
        "ann",
        action,
        "vm-1",
        message,
        severity,
        {"k": "é"},
        outcome,
        ORIGIN,
        changed.get("before"),
        changed.get("after"),
    )
    return AuditRecord(7, event, "a" * 64, "b" * 64)


# CEF -------------------------------------------------------------------------------------------------------------


def test_cef_escapes_what_its_header_and_its_extension_ask_for() -> None:
    line = cef_line(record(message="a|b\\c=d\ne"))
    assert "\n" not in line
    header = re.split(r"(?<!\\)\|", line, maxsplit=7)
    assert header[0] == "CEF:0"
    assert header[4:7] == ["operation.create", r"a\|b\\c=d e", "3"]
    assert r"msg=a|b\\c\=d\ne" in header[7]


def parse_extension(line: str) -> dict[str, str]:
    """A reader of its own, by the standard's rules: seven bars that are not escaped, then keys with values."""
    at = 0
    for _ in range(7):
        while line[at] != "|":
            at += 2 if line[at] == "\\" else 1
        at += 1
    pairs = re.findall(r"(\w+)=((?:\\.|[^\\=])*)(?= \w+=|$)", line[at:], re.DOTALL)
    return {key: re.sub(r"\\(.)", lambda m: {"n": "\n", "r": "\r"}.get(m[1], m[1]), value) for key, value in pairs}


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_whatever_a_message_holds_comes_back_from_cef(message: str) -> None:
    line = cef_line(record(message=message))
    assert "\n" not in line
    extension = parse_extension(line)
    assert extension["msg"] == message
    assert (extension["suser"], extension["suid"], extension["shost"]) == ("ann", "1000", "desk-7")


def test_cef_tells_severity_outcome_and_both_hashes() -> None:
    line = cef_line(record(severity=Severity.ERROR, outcome=EventOutcome.DENIED))
    assert "|8|" in line
    assert "outcome=denied" in line
    assert f"cs2={'b' * 64} cs2Label=hash cs3={'a' * 64} cs3Label=previousHash" in line


# OCSF ------------------------------------------------------------------------------------------------------------

REQUIRED = {
    *("activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"),
    *("actor", "api", "src_endpoint"),
}
"""Of API Activity, class 6003 of schema 1.3.0: those of the base event and its own."""


@pytest.mark.parametrize(
    ("action", "activity"),
    [
        ("operation.create", 1),
        ("memory.view-plaintext", 2),
        ("setting.changed", 3),
        ("operation.delete", 4),
        ("audit.checkpoint", 99),
    ],
)
def test_ocsf_events_have_what_their_class_requires(action: str, activity: int) -> None:
    event = ocsf_event(record(action))
    assert set(event) >= REQUIRED
    assert (event["class_uid"], event["category_uid"]) == (6003, 6)
    assert event["activity_id"] == activity
    assert event["type_uid"] == 6003 * 100 + activity
    assert event["time"] == 1_700_000_000_250, "milliseconds"
    metadata, api, actor, source = (event[name] for name in ("metadata", "api", "actor", "src_endpoint"))
    assert isinstance(metadata, dict)
    assert isinstance(api, dict)
    assert isinstance(actor, dict)
    assert isinstance(source, dict)
    assert metadata["version"] == "1.3.0"
    assert metadata["product"]["vendor_name"]
    assert api["operation"] == action
    assert actor["user"] == {"name": "ann", "uid": "1000"}
    assert source["hostname"] == "desk-7"
    assert json.loads(ocsf_line(record(action))) == event


def test_ocsf_tells_severity_and_status_by_number_and_name() -> None:
    event = ocsf_event(record(severity=Severity.ERROR, outcome=EventOutcome.DENIED))
    assert (event["severity_id"], event["severity"]) == (4, "High")
    assert (event["status_id"], event["status"]) == (2, "Failure")
    event = ocsf_event(record(outcome=EventOutcome.PENDING))
    assert (event["status_id"], event["status"]) == (99, "Pending"), "a status of its own takes 99"


def test_records_without_an_origin_have_all_that_is_required_as_well() -> None:
    old = AuditRecord(1, Event(1.0, "console", "instance.running", "", "It runs"), "0" * 64, "c" * 64, form=1)
    assert set(ocsf_event(old)) >= REQUIRED
    assert "suid" not in cef_line(old)
    assert b" - confvm - instance.running [" in syslog_message(old)


# JSON Lines ------------------------------------------------------------------------------------------------------


def test_an_exported_line_is_enough_to_compute_its_hash() -> None:
    entry = record(before={"a": 1}, after=[2])
    canonical = json.dumps(
        {
            "action": entry.event.action,
            "actor": "ann",
            "after": [2],
            "at": entry.event.at,
            "before": {"a": 1},
            "detail": {"k": "é"},
            "message": entry.event.message,
            "origin": json.loads(json_line(entry))["origin"],
            "outcome": "success",
            "previous_hash": "a" * 64,
            "sequence": 7,
            "severity": "info",
            "subject": "vm-1",
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    line = json.loads(json_line(entry))
    origin = json.dumps(line["origin"], sort_keys=True, separators=(",", ":"))
    content = (
        line["at_seconds"],
        "ann",
        line["action"],
        "vm-1",
        line["message"],
        "info",
        '{"k":"é"}',
        "success",
        origin,
    )
    assert hashlib.sha256(canonical.encode()).hexdigest() == digest(7, *content, '{"a":1}', "[2]", "a" * 64)


def test_a_time_that_no_calendar_has_is_written_nevertheless() -> None:
    assert utc(1e300).startswith("9999-12-31")


# Syslog ----------------------------------------------------------------------------------------------------------

_MESSAGE = re.compile(
    rb"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) "
    rb'([!-~]{1,32}) \[confvm@32473((?: [a-z]+="(?:[^"\\\]]|\\.)*")+)\] (.*)',
    re.DOTALL,
)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_syslog_messages_are_rfc_5424_whatever_they_say(text: str) -> None:
    event = Event(1_700_000_000.25, text or "x", f"a.{text}", text, text, origin=ORIGIN)
    message = syslog_message(AuditRecord(7, event, "a" * 64, "b" * 64))
    found = _MESSAGE.fullmatch(message)
    assert found is not None
    assert int(found[1]) == 13 * 8 + 6
    assert b'hash="' + b"b" * 64 + b'"' in found[7]
    assert found[8].startswith(b"\xef\xbb\xbf")
    assert json.loads(found[8][3:])["message"] == text
    assert frame(message) == b"%d %b" % (len(message), message)


def test_a_denial_is_more_than_information() -> None:
    assert syslog_message(record(outcome=EventOutcome.DENIED)).startswith(b"<109>1 ")
    assert syslog_message(record(severity=Severity.WARNING)).startswith(b"<108>1 ")


# The list of actions ---------------------------------------------------------------------------------------------


def test_every_action_that_is_recorded_by_name_is_listed() -> None:
    named: set[str] = set()
    for path in Path(confvm_gui.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
                continue
            first = node.args[0]
            if node.func.attr == "record" and isinstance(first, ast.Constant) and isinstance(first.value, str):
                named.add(first.value)
    assert len(named) > 10
    assert sorted(action for action in named if not is_known(action)) == []
