"""`confvm run --attest`: the embedded instance is asked while it runs, and the exit code tells."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from confvm_gui.app import run_command
from confvm_gui.app.run_command import RunOptions, run_instance
from confvm_gui.domain.attestation_record import AttestationRecord
from confvm_gui.domain.errors import GuestFault
from confvm_gui.fleet.attest.service import Attestations
from confvm_gui.fleet.session import FleetSession
from tests.support.embedded_rig import SECRET_FIELD, write_records


def options(data_dir: Path, *, as_json: bool, technology: str = "sev") -> RunOptions:
    return RunOptions(
        name="probe",
        cloud="gce",
        region=None,
        machine_type=None,
        image=None,
        technology=technology,
        records=None,
        seconds=0.01,
        find=None,
        as_json=as_json,
        data_dir=data_dir,
        attest=True,
    )


def verdicts(out: StringIO) -> list[dict[str, Any]]:
    values = [json.loads(line) for line in out.getvalue().splitlines()]
    return [value for value in values if value["event"] == "verdict"]


async def test_the_verdict_is_printed_last(data_dir: Path) -> None:
    out = StringIO()
    assert await run_instance(options(data_dir, as_json=True), out) == 0
    (verdict,) = verdicts(out)
    assert json.loads(out.getvalue().splitlines()[-1]) == verdict
    assert (verdict["verdict"], verdict["emulated"]) == ("trusted", True)
    assert verdict["claims"]["policy.debug"] is False
    out = StringIO()
    assert await run_instance(options(data_dir, as_json=False), out) == 0
    assert "sev-report: trusted (its root is emulated" in out.getvalue()


async def test_without_a_verdict_it_has_failed(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def deaf(*_: object) -> AttestationRecord:
        raise GuestFault("The guest did not answer")

    monkeypatch.setattr(Attestations, "refresh", deaf)
    out = StringIO()
    assert await run_instance(options(data_dir, as_json=True), out) == 1
    assert "The guest did not answer" in out.getvalue()
    assert verdicts(out) == []


async def test_a_guest_that_never_gets_ready_ends_the_run_with_an_error(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And without a search: what was never read would pass for well hidden."""

    async def deaf(*_: object) -> None:
        raise GuestFault("The guest does not listen yet")

    monkeypatch.setattr(FleetSession, "query", deaf)
    monkeypatch.setattr(run_command, "_RECORDS_SECONDS", 0.2)
    out = StringIO()
    asked = replace(options(data_dir, as_json=True), records=write_records(tmp_path), find=SECRET_FIELD, attest=False)
    assert await run_instance(asked, out) == 1
    events = [json.loads(line) for line in out.getvalue().splitlines()]
    (failed,) = [event for event in events if event["event"] == "failed"]
    assert failed["error"] == "The guest did not index its records within 0 seconds"
    assert not [event for event in events if event["event"] == "search"]
    assert "instance.deleting" in [event.get("action") for event in events]


async def test_a_step_that_never_ends_is_given_up(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(FleetSession, "connect", never)
    monkeypatch.setattr(run_command, "_STEP_SECONDS", 0.05)
    with pytest.raises(GuestFault, match="Connecting to the embedded host took more than 0 seconds and was given up"):
        await run_instance(options(data_dir, as_json=True), StringIO())
