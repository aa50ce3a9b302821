"""ID blocks before the launch: the same verdict as the firmware's, and what it lets pass."""

from __future__ import annotations

import functools
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.attestation.id_block_check import LaunchTerms, check_identity, policy_conflicts
from confvm_gui.sev.ecc_format import encode_public_key
from confvm_gui.sev.id_block import IdAuth, IdBlock, check_id_block
from confvm_gui.sev.snp_policy import SnpPolicy
from confvm_gui.sev.status import Status

DIGEST = b"\x11" * 48
POLICY = SnpPolicy(0x30000)
BLOCK = IdBlock(DIGEST, POLICY)


@functools.cache
def key(name: str) -> ec.EllipticCurvePrivateKey:
    assert name
    return ec.generate_private_key(ec.SECP384R1())


@functools.cache
def signed(author: bool = True) -> IdAuth:
    return IdAuth.sign(BLOCK, key("id"), key("author") if author else None)


def codes(block: IdBlock, auth: IdAuth, terms: LaunchTerms) -> list[tuple[str, bool]]:
    return [(finding.code, finding.refused) for finding in check_identity(block, auth, terms)]


def test_what_fits_the_launch_has_no_findings() -> None:
    assert codes(BLOCK, signed(), LaunchTerms(DIGEST, POLICY, author_key_enabled=True)) == []
    assert codes(BLOCK, signed(), LaunchTerms()) == []


@pytest.mark.parametrize(
    ("block", "auth", "terms", "code"),
    [
        (BLOCK, signed(), LaunchTerms(bytes(48)), ("digest-differs", True)),
        (BLOCK, signed(), LaunchTerms(policy=SnpPolicy(0x20000)), ("policy-differs", True)),
        (replace(BLOCK, guest_svn=1), signed(), LaunchTerms(), ("id-block-signature", True)),
        (BLOCK, signed(author=False), LaunchTerms(), ("author-key-missing", False)),
        (BLOCK, signed(author=False), LaunchTerms(author_key_enabled=True), ("author-key-missing", True)),
        (BLOCK, signed(), LaunchTerms(author_key_enabled=False), ("author-key-unused", False)),
        (BLOCK, replace(signed(), id_key_signature=bytes(512)), LaunchTerms(), ("id-key-signature", True)),
        (BLOCK, replace(signed(), author_key_algorithm=2), LaunchTerms(), ("author-key-algorithm", True)),
        (BLOCK, IdAuth.sign(BLOCK, key("id"), key("id")), LaunchTerms(), ("keys-equal", False)),
    ],
)
def test_what_does_not_fit_is_found(block: IdBlock, auth: IdAuth, terms: LaunchTerms, code: tuple[str, bool]) -> None:
    assert code in codes(block, auth, terms)


def test_a_key_on_another_curve_is_found() -> None:
    other = encode_public_key(ec.generate_private_key(ec.SECP256R1()).public_key())
    assert ("id-key-curve", True) in codes(BLOCK, replace(signed(), id_key=other), LaunchTerms())


def test_policies_are_judged_alone() -> None:
    assert policy_conflicts(POLICY) == ()
    assert [finding.code for finding in policy_conflicts(SnpPolicy(0x3F0000))] == ["policy-weak"] * 3
    assert [finding.code for finding in policy_conflicts(SnpPolicy(1 << 40))] == ["policy-reserved-bits"] * 2


@given(
    st.binary(min_size=48, max_size=48) | st.just(DIGEST),
    st.integers(0, (1 << 64) - 1) | st.just(POLICY.value),
    st.booleans(),
    st.booleans(),
    st.integers(0, 0x103),
)
def test_the_firmware_refuses_what_is_found_and_only_that(
    digest: bytes, policy: int, author: bool, enabled: bool, damage: int
) -> None:
    auth = signed(author)
    if damage < 0x48:
        signature = bytearray(auth.id_block_signature)
        signature[damage] ^= 1
        auth = replace(auth, id_block_signature=bytes(signature))
    status = check_id_block(BLOCK, auth, launch_digest=digest, policy=SnpPolicy(policy), author_key_enabled=enabled)
    findings = check_identity(BLOCK, auth, LaunchTerms(digest, SnpPolicy(policy), enabled))
    assert any(finding.refused for finding in findings) is (status is not Status.SUCCESS)
    assert all(finding.text and finding.code for finding in findings)
