"""Reports of the embedded secure processor, judged by omne-attest, an independent verifier that takes any root."""

from __future__ import annotations

import hashlib

import pytest
from omne_attest import snp

from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from tests.support.snp_evidence import NONCE, SnpEvidence, snp_evidence


@pytest.fixture(scope="module")
def made() -> SnpEvidence:
    return snp_evidence(EmulatedRoot(bits=2048))


def judge(made: SnpEvidence, report: bytes | None = None, *, digest: bytes | None = None) -> snp.Report:
    """Raises snp.Fail."""
    policy = snp.Policy(measurement=digest or made.launch_digest, report_data=NONCE)
    pinned = hashlib.sha256(made.ark).digest()
    return snp.verify(report or made.report, made.vcek, made.ask, made.ark, pinned, policy)


def test_a_report_is_accepted_down_to_the_emulated_root(made: SnpEvidence) -> None:
    assert judge(made).measurement == made.launch_digest


@pytest.mark.parametrize("offset", [0x08, 0x50, 0x90, 0x180, 0x1A0, 0x29F, 0x2A0, 0x2E8])
def test_a_flipped_bit_is_refused(made: SnpEvidence, offset: int) -> None:
    forged = bytearray(made.report)
    forged[offset] ^= 1
    with pytest.raises(snp.Fail) as refused:
        judge(made, bytes(forged))
    assert refused.value.kind is snp.FailKind.REPORT_SIGNATURE


def test_another_image_or_root_is_refused(made: SnpEvidence) -> None:
    with pytest.raises(snp.Fail) as refused:
        judge(made, digest=bytes(48))
    assert refused.value.kind is snp.FailKind.MEASUREMENT
    stranger = snp_evidence(EmulatedRoot(bits=2048))
    with pytest.raises(snp.Fail) as refused:
        judge(made._replace(ask=stranger.ask, ark=stranger.ark))
    assert refused.value.kind is snp.FailKind.CHAIN_SIGNATURE
    with pytest.raises(snp.Fail) as refused:
        judge(made._replace(vcek=stranger.vcek))
    assert refused.value.kind is snp.FailKind.REPORT_SIGNATURE
