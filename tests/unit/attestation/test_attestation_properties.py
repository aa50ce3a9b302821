"""Whatever bytes arrive: a verdict, or InvalidInput. And what was not changed in no way is trusted in no other."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.attestation.bundle import unpack
from confvm_gui.attestation.dcap.collateral import parse_collateral
from confvm_gui.attestation.dcap.pck import parse_pck
from confvm_gui.attestation.dcap.quote import Quote
from confvm_gui.attestation.endorsement_files import gather
from confvm_gui.attestation.eventlog.canonical import parse_canonical_log
from confvm_gui.attestation.eventlog.log import parse_event_log
from confvm_gui.attestation.eventlog.uefi import ImageLoad, UefiVariable, parse_signature_lists
from confvm_gui.attestation.gce.protobuf import Message
from confvm_gui.attestation.needs import needs
from confvm_gui.attestation.nitro.cbor import decode
from confvm_gui.attestation.recognise import recognise
from confvm_gui.attestation.reference_file import parse_reference_values
from confvm_gui.attestation.tpm.keys import parse_key
from confvm_gui.attestation.tpm.structures import TpmPublic, TpmQuote, TpmSignature
from confvm_gui.attestation.verify import evaluate
from confvm_gui.attestation.x509.signature import is_signed_by
from confvm_gui.domain.attestation import Endorsements, Evidence, EvidenceFormat, EvidencePart, ReferenceValues
from confvm_gui.domain.errors import InvalidInput
from tests.unit.attestation.authority import NOW
from tests.unit.attestation.evidence_files import judge
from tests.unit.attestation.test_nitro_documents import REFERENCE, document
from tests.unit.attestation.test_snp_evidence import Hierarchy, report, signed

PARSERS: dict[str, Callable[[bytes], object]] = {
    "bundle": unpack,
    "canonical log": parse_canonical_log,
    "CBOR": lambda data: decode(data, "x"),
    "collateral": parse_collateral,
    "endorsements": lambda data: gather((data,)),
    "event log": parse_event_log,
    "image load": ImageLoad.parse,
    "key": parse_key,
    "PCK": parse_pck,
    "protobuf": lambda data: Message(data, "x"),
    "quote": Quote.parse,
    "recognise": recognise,
    "reference": parse_reference_values,
    "signature lists": parse_signature_lists,
    "TPM public": TpmPublic.parse,
    "TPM quote": TpmQuote.parse,
    "TPM signature": TpmSignature.parse,
    "variable": UefiVariable.parse,
}


@pytest.mark.parametrize("name", PARSERS)
@given(data=st.binary(max_size=600))
def test_parsers_raise_nothing_but_invalid_input(name: str, data: bytes) -> None:
    with suppress(InvalidInput):
        PARSERS[name](data)


@given(
    data=st.binary(max_size=600) | st.binary(min_size=0x4A0, max_size=0x4A0) | st.binary(min_size=0xD0, max_size=0xD0),
    kind=st.none() | st.sampled_from(EvidenceFormat),
    part=st.dictionaries(st.sampled_from([str(item) for item in EvidencePart]), st.binary(max_size=60), max_size=2),
    endorsements=st.builds(
        Endorsements,
        st.lists(st.binary(max_size=60), max_size=2).map(tuple),
        st.lists(st.binary(max_size=60), max_size=2).map(tuple),
        documents=st.lists(st.binary(max_size=60), max_size=2).map(tuple),
    ),
    at=st.datetimes(timezones=st.just(UTC)),
)
def test_random_evidence_is_never_trusted(
    data: bytes, kind: EvidenceFormat | None, part: dict[str, bytes], endorsements: Endorsements, at: datetime
) -> None:
    evidence = Evidence(data, kind, part)
    with suppress(InvalidInput):
        assert not evaluate(evidence, endorsements, ReferenceValues(), at).trusted
    with suppress(InvalidInput):
        needs(evidence, Endorsements())


@given(key=st.binary(max_size=80), algorithm=st.binary(max_size=40), signature=st.binary(max_size=80))
def test_random_signatures_verify_nothing(key: bytes, algorithm: bytes, signature: bytes) -> None:
    assert is_signed_by(key, algorithm, signature, b"data") is False


MILAN = Hierarchy()


@given(
    report_data=st.binary(min_size=64, max_size=64),
    measurement=st.binary(min_size=48, max_size=48),
    host_data=st.binary(min_size=32, max_size=32),
    guest_svn=st.integers(0, 2**32 - 1),
    vmpl=st.integers(0, 3),
    change=st.tuples(st.integers(0, 0x4A0 - 1), st.integers(1, 255)),
)
def test_reports_say_what_was_signed(
    report_data: bytes, measurement: bytes, host_data: bytes, guest_svn: int, vmpl: int, change: tuple[int, int]
) -> None:
    unsigned = replace(
        report(),
        report_data=report_data,
        measurement=measurement,
        host_data=host_data,
        guest_svn=guest_svn,
        vmpl=vmpl,
    )
    data = signed(unsigned, MILAN.vcek)
    expected = {"host_data": (host_data.hex(),), "guest_svn": (guest_svn,), "vmpl": (vmpl,)}
    reference = MILAN.reference(report_data=report_data, measurements=(measurement,), expected=expected)
    assert judge(data, MILAN.endorsements(), reference).trusted

    offset, difference = change
    changed = bytearray(data)
    changed[offset] ^= difference
    with suppress(InvalidInput):  # a version that makes it look like something else
        assert not judge(bytes(changed), MILAN.endorsements(), reference).trusted


DOCUMENT = document()


@given(offset=st.integers(0, len(DOCUMENT) - 1), difference=st.integers(1, 255))
def test_a_changed_nitro_document_is_never_trusted(offset: int, difference: int) -> None:
    changed = bytearray(DOCUMENT)
    changed[offset] ^= difference
    with suppress(InvalidInput):
        assert not judge(bytes(changed), reference=REFERENCE, at=NOW).trusted
