"""What Compute Engine itself tells of launches and boots: asked for, and verified as far as it can be."""

from __future__ import annotations

import base64
import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.attestation.codes import Code
from confvm_gui.attestation.recognise import recognise
from confvm_gui.attestation.verify import evaluate
from confvm_gui.domain.attestation import Endorsements, Evidence, EvidenceFormat, ReferenceValues, Verdict
from confvm_gui.domain.errors import Forbidden, InvalidInput, Unsupported
from confvm_gui.domain.event import Severity
from confvm_gui.domain.instance import Trust
from tests.support.google_accounts import cloud_session, key_file
from tests.support.google_compute import PROJECT, FakeCompute
from tests.support.google_rig import everything, google_provider
from tests.support.tls_site import TlsSite

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LOG = f"projects/{PROJECT}/logs/compute.googleapis.com%2Fshielded_vm_integrity"


def entry(number: str, boot: int, **event: Any) -> dict[str, Any]:
    return {
        "insertId": str(boot),
        "jsonPayload": {
            "@type": "type.googleapis.com/cloud_integrity.IntegrityEvent",
            "bootCounter": str(boot),
            **event,
        },
        "logName": LOG,
        "resource": {
            "type": "gce_instance",
            "labels": {"instance_id": number, "project_id": PROJECT, "zone": "us-central1-a"},
        },
        "severity": "NOTICE",
        "timestamp": f"2026-11-24T08:0{boot}:00.1Z",
    }


def launch(*, passed: bool = True, debug: bool = False) -> dict[str, Any]:
    policy = {
        "debugEnabled": debug,
        "domainOnly": False,
        "esRequired": False,
        "keySharingAllowed": False,
        "minApiMajor": 0,
        "minApiMinor": 0,
        "sendAllowed": True,
        "sevOnly": True,
    }
    return {"sevLaunchAttestationReportEvent": {"integrityEvaluationPassed": passed, "sevPolicy": policy}}


def boot(*, passed: bool = True, kernel: bytes = b"k" * 20) -> dict[str, Any]:
    def measured(value: bytes) -> list[dict[str, str]]:
        return [
            {"hashAlgo": "SHA1", "pcrNum": "PCR_0", "value": base64.b64encode(b"f" * 20).decode()},
            {"hashAlgo": "SHA1", "pcrNum": "PCR_4", "value": base64.b64encode(value).decode()},
        ]

    report = {
        "actualMeasurements": measured(kernel),
        "policyMeasurements": measured(b"k" * 20),
        "policyEvaluationPassed": passed,
    }
    return {"lateBootReportEvent": report}


def log(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"entries": list(entries)}).encode()


def judged(data: bytes, reference: ReferenceValues | None = None) -> Verdict:
    assert recognise(data) is EvidenceFormat.GCE_INTEGRITY
    return evaluate(Evidence(data), Endorsements(), reference or ReferenceValues(), NOW)


def errors(verdict: Verdict) -> list[str]:
    return [finding.code for finding in verdict.findings if finding.severity is Severity.ERROR]


def test_a_launch_and_a_boot_are_told_and_prove_nothing() -> None:
    verdict = judged(log(entry("7", 1, **boot()), entry("7", 0, **launch())))
    assert not verdict.trusted
    assert errors(verdict) == [Code.NOT_SIGNED]
    assert verdict.claim("gce.launch.passed") is True
    assert verdict.claim("policy.debug") is False
    assert verdict.claim("policy.flags") == ("SEND", "SEV")
    assert verdict.claim("gce.boot.late_passed") is True
    assert verdict.claim("gce.boot.counter") == 1
    assert verdict.claim("pcr.sha1.4") == (b"k" * 20).hex()


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([entry("7", 0, **launch(passed=False))], Code.CLOUD_CHECK_FAILED),
        ([entry("7", 0, **launch(debug=True))], Code.DEBUG_ALLOWED),
        ([entry("7", 1, **boot(passed=False, kernel=b"r" * 20))], Code.CLOUD_CHECK_FAILED),
        ([entry("7", 1, **boot(kernel=b"r" * 20))], Code.EVENT_INVALID),
    ],
)
def test_what_failed_or_contradicts_itself_speaks_against_it(entries: list[dict[str, Any]], code: Code) -> None:
    verdict = judged(log(*entries))
    assert code in errors(verdict)


def test_the_newest_boot_counts() -> None:
    verdict = judged(log(entry("7", 2, **boot()), entry("7", 1, **boot(passed=False, kernel=b"r" * 20))))
    assert errors(verdict) == [Code.NOT_SIGNED]


def test_another_instances_log_is_refused() -> None:
    expected = ReferenceValues(expected={"gce.instance_id": ("8",)})
    assert Code.CLAIM_MISMATCH in errors(judged(log(entry("7", 0, **launch())), expected))
    with pytest.raises(InvalidInput, match="several instances"):
        judged(log(entry("7", 0, **launch()), entry("8", 1, **boot())))


_ENTRY = entry("7", 1, **launch(), **boot())
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_nothing_but_a_clear_error_comes_of_a_damaged_log(data: st.DataObject) -> None:
    damaged = copy.deepcopy(_ENTRY)
    where: Any = damaged
    while True:
        key = data.draw(st.sampled_from(sorted(where) if isinstance(where, dict) else range(len(where))))
        if not isinstance(where[key], dict | list) or not where[key] or data.draw(st.booleans()):
            where[key] = data.draw(_JSON)
            break
        where = where[key]
    try:
        verdict = evaluate(Evidence(log(damaged), EvidenceFormat.GCE_INTEGRITY), Endorsements(), ReferenceValues(), NOW)
    except InvalidInput:
        return
    assert not verdict.trusted


async def test_it_is_asked_of_cloud_logging(service: FakeCompute) -> None:
    number = service.put("theirs", confidentialInstanceConfig={"confidentialInstanceType": "SEV"})
    other = service.put("plain")
    async with google_provider() as provider:
        found = {each.name: each for each in (await everything(provider)).values()}
        theirs, plain = found["theirs"], found["plain"]
        assert provider.evidence_formats(theirs.id) == (EvidenceFormat.GCE_INTEGRITY,)
        assert provider.evidence_formats(plain.id) == ()
        with pytest.raises(Unsupported, match="no integrity events"):
            await provider.evidence(theirs.id, EvidenceFormat.GCE_INTEGRITY, bytes(32))
        service.log = [entry(other, 0, **launch()), entry(number, 0, **launch()), entry(number, 1, **boot())]
        guest = await provider.evidence(theirs.id, EvidenceFormat.GCE_INTEGRITY, bytes(32))
        verdict = evaluate(guest.evidence, guest.endorsements, guest.reference, NOW)
        assert errors(verdict) == [Code.NOT_SIGNED]
        assert verdict.claim("gce.instance_id") == number
        assert verdict.claim("events") == 2
        service.failing = [(403, "forbidden")]
        with pytest.raises(Forbidden):
            await provider.evidence(theirs.id, EvidenceFormat.GCE_INTEGRITY, bytes(32))


async def test_a_failed_launch_makes_the_instance_untrusted(
    google: tuple[TlsSite, FakeCompute], data_dir: Path
) -> None:
    site, fake = google
    number = fake.put("theirs", confidentialInstanceConfig={"confidentialInstanceType": "SEV"})
    fake.log = [entry(number, 0, **launch())]
    async with cloud_session(data_dir) as cloud:
        added = await cloud.accounts.add("gce", PROJECT, secret=key_file(site), own_secret=True)
        await cloud.session.inventory.connected(added.name)
        instance = cloud.session.inventory.find("theirs", added.name)
        await cloud.session.attestations.refresh(instance.id)
        assert cloud.session.inventory.find("theirs", added.name).trust is Trust.UNKNOWN
        fake.log.append(entry(number, 1, **launch(passed=False)))
        record = await cloud.session.attestations.refresh(instance.id)
        assert not record.verdict.trusted
        assert cloud.session.inventory.find("theirs", added.name).trust is Trust.UNTRUSTED
