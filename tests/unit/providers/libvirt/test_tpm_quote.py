"""What a guest's agent answers is taken apart with care: it is the guest's word."""

from __future__ import annotations

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.attestation import EvidenceFormat, EvidencePart
from confvm_gui.domain.errors import GuestFault, Unsupported
from confvm_gui.providers.libvirt.guest_agent import Ended, ended_of, read_answer
from confvm_gui.providers.libvirt.tpm_quote import evidence_of

PARTS = {"attest": b"\xffTCG", "signature": b"s", "pcrs": bytes(32), "ak-public": b"key"}


def printed(parts: dict[str, bytes]) -> bytes:
    return b"".join(f"{name} {base64.b64encode(content).decode()}\n".encode() for name, content in parts.items())


def test_a_quote_is_put_together() -> None:
    evidence = evidence_of(Ended(0, printed({**PARTS, "event-log": b"log"}), ""))
    assert (evidence.data, evidence.format) == (PARTS["attest"], EvidenceFormat.TPM_QUOTE)
    assert evidence.parts[EvidencePart.EVENT_LOG] == b"log"
    assert evidence.parts[EvidencePart.AK_PUBLIC] == b"key"
    assert EvidencePart.EVENT_LOG not in evidence_of(Ended(0, printed(PARTS), "")).parts


def test_what_the_guest_lacks_is_named() -> None:
    with pytest.raises(Unsupported, match="install tpm2-tools"):
        evidence_of(Ended(127, b"", ""))
    with pytest.raises(GuestFault, match="no TPM here"):
        evidence_of(Ended(1, b"", "no TPM here"))


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (b"", "lacks"),
        (printed({name: PARTS[name] for name in ("attest", "pcrs")}), "lacks ak-public, signature"),
        (printed(PARTS) + printed(PARTS), "does not belong"),
        (printed(PARTS) + b"more stuff\n", "does not belong"),
        (b"attest !!!\n", "not base64"),
    ],
)
def test_half_a_quote_is_none(output: bytes, message: str) -> None:
    with pytest.raises(GuestFault, match=message):
        evidence_of(Ended(0, output, ""))


def test_how_a_program_ended() -> None:
    errors = base64.b64encode(b"one\n\ntwo\nthree\n").decode()
    assert ended_of({"exited": True, "exitcode": 3, "err-data": errors}) == Ended(3, b"", "two; three")
    assert ended_of({"exited": True, "signal": 9}).code == -1


@pytest.mark.parametrize("answer", ["", "[]", "{}", '{"return": []}', '{"error": {}}', "[" * 100_000, "\ud800"])
def test_what_is_no_answer_is_the_guests_fault(answer: str) -> None:
    with pytest.raises(GuestFault, match="agent answers"):
        read_answer(answer)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
STATUS = st.fixed_dictionaries({}, optional=dict.fromkeys(("exitcode", "signal", "out-data", "err-data"), JSON))


@given(STATUS)
def test_hostile_answers_lead_to_declared_errors(status: dict[str, object]) -> None:
    with contextlib.suppress(GuestFault):
        ended = ended_of(read_answer(json.dumps({"return": status})))
        assert -(1 << 31) <= ended.code < 1 << 31


@given(st.binary(max_size=200), st.integers(0, 200))
def test_hostile_output_leads_to_declared_errors(noise: bytes, at: int) -> None:
    whole = printed(PARTS)
    for output in (noise, whole[:at] + noise + whole[at:]):
        with contextlib.suppress(GuestFault):
            assert evidence_of(Ended(0, output, "")).format is EvidenceFormat.TPM_QUOTE
