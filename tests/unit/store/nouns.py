"""Instances, operations, events and samples to store, and hypothesis strategies for them."""

from __future__ import annotations

from hypothesis import strategies as st

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
    return Sample(instance_id, at, 0.25, 4096, 512, 80, 3)
