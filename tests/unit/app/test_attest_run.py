"""`confvm run --attest`: the embedded instance is asked while it runs, and the exit code tells."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from confvm_gui.app.run_command import RunOptions, run_instance
from confvm_gui.domain.attestation_record import AttestationRecord
from confvm_gui.domain.errors import GuestFault
from confvm_gui.fleet.attest.service import Attestations


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
