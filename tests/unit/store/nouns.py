"""Instances, operations, events and samples to store, and hypothesis strategies for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from confvm_gui.domain.attestation import (
    Claim,
    ClaimValue,
    Endorsements,
    Evidence,
    EvidenceFormat,
    EvidencePart,
    Finding,
    TrustLink,
    Verdict,
)
from confvm_gui.domain.attestation_record import AttestationRecord, Baseline, BaselineOrigin, Occasion
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.event import Event, Severity
from confvm_gui.domain.instance import Instance, InstanceState, Trust
from confvm_gui.domain.metrics import Sample
from confvm_gui.domain.operation import Operation, OperationKind, OperationStatus, OperationStep

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
"""Any text that UTF-8 can hold, NUL included."""
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
COUNT = st.integers(0, 2**63 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
JSON_OBJECTS = st.dictionaries(TEXT, JSON, max_size=5)

INSTANCES = st.builds(
    Instance,
    id=TEXT,
    name=TEXT,
    provider=TEXT,
    cloud=TEXT,
    region=TEXT,
    zone=TEXT,
    machine_type=TEXT,
    image=TEXT,
    technology=st.sampled_from(Technology),
    state=st.sampled_from(InstanceState),
    vcpus=COUNT,
    memory_mib=COUNT,
    created_at=NUMBER,
    state_reason=TEXT,
    trust=st.sampled_from(Trust),
    trust_at=st.none() | NUMBER,
    trust_by=TEXT,
    compliance=TEXT,
    load=NUMBER,
    emulated=st.booleans(),
    runs=TEXT,
    labels=st.dictionaries(TEXT, TEXT, max_size=4),
    secure_boot=st.booleans(),
    vtpm=st.booleans(),
    integrity_monitoring=st.booleans(),
    host=TEXT,
    attested_at=st.none() | NUMBER,
)
TIMES = st.none() | st.datetimes(timezones=st.just(UTC))
CLAIM_VALUES = TEXT | st.integers() | st.booleans() | st.lists(TEXT, max_size=3).map(tuple)
VERDICTS = st.builds(
    Verdict,
    format=st.sampled_from(EvidenceFormat),
    claims=st.lists(st.builds(Claim, name=TEXT, value=CLAIM_VALUES, source=TEXT), max_size=5).map(tuple),
    findings=st.lists(
        st.builds(Finding, code=TEXT, severity=st.sampled_from(Severity), expected=TEXT, actual=TEXT, source=TEXT),
        max_size=4,
    ).map(tuple),
    links=st.lists(
        st.builds(
            TrustLink,
            name=TEXT,
            issuer=TEXT,
            verified=st.booleans(),
            fingerprint=TEXT,
            not_before=TIMES,
            not_after=TIMES,
            emulated=st.booleans(),
        ),
        max_size=4,
    ).map(tuple),
    at=TIMES,
)
CONTENTS = st.lists(st.binary(max_size=40), max_size=3).map(tuple)
RECORDS = st.builds(
    AttestationRecord,
    id=TEXT,
    instance_id=TEXT,
    occasion=st.sampled_from(Occasion),
    at=NUMBER,
    verdict=VERDICTS,
    evidence=st.builds(
        Evidence,
        data=st.binary(max_size=200),
        format=st.none() | st.sampled_from(EvidenceFormat),
        parts=st.dictionaries(st.sampled_from(EvidencePart).map(str), st.binary(max_size=40), max_size=3),
    ),
    endorsements=st.builds(
        Endorsements, certificates=CONTENTS, crls=CONTENTS, amd_certificates=CONTENTS, documents=CONTENTS
    ),
    nonce=st.binary(max_size=32),
    by=TEXT,
    differs=TEXT,
)
BASELINES = st.builds(
    Baseline,
    instance_id=TEXT,
    format=st.sampled_from(EvidenceFormat),
    at=NUMBER,
    origin=st.sampled_from(BaselineOrigin),
    values=st.dictionaries(TEXT, CLAIM_VALUES, max_size=5),
)
OPERATIONS = st.builds(
    Operation,
    id=TEXT,
    kind=st.sampled_from(OperationKind),
    provider=TEXT,
    instance_id=TEXT,
    instance_name=TEXT,
    status=st.sampled_from(OperationStatus),
    accepted_at=NUMBER,
    intent=JSON_OBJECTS,
    steps=st.lists(st.builds(OperationStep, name=TEXT, at=NUMBER, detail=TEXT), max_size=4).map(tuple),
    progress=NUMBER,
    attempts=COUNT,
    ended_at=st.none() | NUMBER,
    error=TEXT,
)
EVENTS = st.builds(
    Event,
    at=NUMBER,
    actor=TEXT,
    action=TEXT,
    subject=TEXT,
    message=TEXT,
    severity=st.sampled_from(Severity),
    detail=JSON_OBJECTS,
)


def instance(number: int, state: InstanceState = InstanceState.RUNNING) -> Instance:
    return Instance(
        id=f"{number:032x}",
        name=f"vm-{number}",
        provider="embedded",
        cloud="gce",
        region="europe-west1",
        zone="europe-west1-b",
        machine_type="n2d-standard-2",
        image="ubuntu-2004-lts",
        technology=Technology.SEV,
        state=state,
        vcpus=2,
        memory_mib=64,
        created_at=1.6e9 + number,
        labels={"group": "blue"},
    )


def operation(number: int, status: OperationStatus = OperationStatus.PENDING) -> Operation:
    return Operation(
        id=f"op-{number}",
        kind=OperationKind.CREATE,
        provider="embedded",
        instance_id=f"{number:032x}",
        instance_name=f"vm-{number}",
        status=status,
        accepted_at=1.6e9 + number,
        intent={"name": f"vm-{number}", "labels": {"group": "blue"}},
    )


def event(number: int, subject: str = "") -> Event:
    return Event(
        at=1.6e9 + number,
        actor="console",
        action="instance.create",
        subject=subject,
        message=f"Created instance vm-{number}",
        detail={"number": number},
    )


def sample(instance_id: str, at: float) -> Sample:
    return Sample(instance_id, at, 0.25, 4096, 512, 80, 3, 640, 1500, 60)


def record(
    number: int, instance_id: str = "a", *, trusted: bool = True, occasion: Occasion = Occasion.REFRESH
) -> AttestationRecord:
    findings = () if trusted else (Finding("signature-invalid", Severity.ERROR, "", "", "SNP report"),)
    return AttestationRecord(
        id=f"{number:032x}",
        instance_id=instance_id,
        occasion=occasion,
        at=1.6e9 + number,
        verdict=Verdict(
            EvidenceFormat.SNP_REPORT,
            (Claim("measurement", "ab" * 48, "SNP report 0x090"), Claim("policy.flags", ("SMT",), "SNP report 0x008")),
            findings,
            (TrustLink("ARK", "ARK", True, "00", datetime(2020, 1, 1, tzinfo=UTC), emulated=True),),
            datetime(2026, 1, 1, tzinfo=UTC),
        ),
        evidence=Evidence(b"report", EvidenceFormat.SNP_REPORT, {"event-log": b"log"}),
        endorsements=Endorsements((b"certificate", b"issuer"), (b"list",)),
        nonce=bytes(32),
        by="host 1 (emulated Genoa)",
    )


def tcb_record(number: int, snp: int, chip: str = "c0ffee", *, verified: bool = True) -> AttestationRecord:
    """A record whose chip reports this version of SNP firmware."""
    claims: dict[str, ClaimValue] = {"chip_id": chip, "reported_tcb": f"snp {snp}"}
    for name in ("reported_tcb", "committed_tcb", "current_tcb"):
        claims |= {f"{name}.boot_loader": 4, f"{name}.tee": 0, f"{name}.snp": snp, f"{name}.microcode": 200}
    plain = record(number)
    return replace(
        plain,
        verdict=replace(
            plain.verdict,
            claims=tuple(Claim(name, value, "SNP report") for name, value in claims.items()),
            links=(TrustLink("ARK", "ARK", True), TrustLink("SNP report", "VCEK", verified)),
        ),
    )


def baseline(instance_id: str = "a", **values: ClaimValue) -> Baseline:
    return Baseline(instance_id, EvidenceFormat.TPM_QUOTE, 1.6e9, BaselineOrigin.LEARNED, values)
