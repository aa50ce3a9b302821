"""From a certificate to a root: what RFC 5280 asks of a path, and what keeps the search short."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding

from confvm_gui.attestation.inquiry import Inquiry
from confvm_gui.attestation.x509.certificates import crl_urls, parse_certificate, well_framed
from confvm_gui.attestation.x509.path import MAX_CERTIFICATES, check_path, find_path
from confvm_gui.attestation.x509.signature import is_signed_by, load_public_key
from confvm_gui.domain.attestation import Endorsements, EvidenceFormat, ReferenceValues
from confvm_gui.domain.errors import InvalidInput
from tests.unit.attestation.authority import (
    END,
    NOW,
    START,
    issue,
    key_usage,
    named,
    p256_key,
    p384_key,
    revocation_list,
    rsa_key,
)

AUTHORITY = key_usage(certificates=True, lists=True)
ROOT = issue("root", p256_key("path root"), authority=True, usage=AUTHORITY)
MIDDLE = issue("middle", rsa_key("path middle"), ROOT, authority=True, usage=AUTHORITY, serial=2)
LEAF = issue("leaf", p384_key("path leaf"), MIDDLE, serial=3)


def codes(leaf: bytes, *pool: bytes) -> list[str]:
    path = find_path(leaf, pool, (ROOT.root(),))
    return [str(flaw.code) for flaw in path.flaws]


def test_a_path_of_mixed_algorithms() -> None:
    path = find_path(LEAF.der, (ROOT.der, MIDDLE.der), (ROOT.root(),))
    assert path.root == ROOT.root()
    assert path.flaws == ()
    assert [link.name for link in path.links] == ["root", "middle", "leaf"]
    assert path.anchor.encoded == ROOT.der


def test_what_lacks() -> None:
    assert codes(LEAF.der) == ["issuer-missing"]
    assert codes(LEAF.der, ROOT.der) == ["issuer-missing"]
    assert codes(LEAF.der, MIDDLE.der) == ["issuer-missing"]


def test_another_root_of_the_same_name() -> None:
    impostor = issue("root", p256_key("impostor"), authority=True, usage=AUTHORITY)
    assert codes(LEAF.der, MIDDLE.der, impostor.der) == ["certificate-signature"]
    assert codes(LEAF.der, MIDDLE.der, impostor.der, ROOT.der) == []
    assert codes(impostor.der) == ["root-not-trusted"]


def test_issuers_must_be_authorities() -> None:
    plain = issue("middle", rsa_key("path middle"), ROOT)
    assert codes(issue("leaf", p384_key("path leaf"), plain).der, plain.der, ROOT.der) == ["certificate-constraints"]
    for_signing = issue("middle", rsa_key("path middle"), ROOT, authority=True, usage=key_usage(sign=True))
    leaf = issue("leaf", p384_key("path leaf"), for_signing)
    assert codes(leaf.der, for_signing.der, ROOT.der) == ["certificate-constraints"]


def test_length_of_the_path() -> None:
    short = issue("root", p256_key("path root"), authority=True, usage=AUTHORITY, path_length=0)
    middle = issue("middle", rsa_key("path middle"), short, authority=True, usage=AUTHORITY)
    leaf = issue("leaf", p384_key("path leaf"), middle)
    assert codes(leaf.der, middle.der, short.der) == ["certificate-constraints"]
    assert codes(middle.der, short.der) == []


def test_unknown_critical_extensions() -> None:
    leaf = issue("leaf", p384_key("path leaf"), MIDDLE, extensions={"1.2.3.4": b"\x05\x00"}, critical=True)
    assert codes(leaf.der, MIDDLE.der, ROOT.der) == ["certificate-constraints"]


def test_loops_and_crowds_end() -> None:
    """Authorities that certify one another, and many of one name: the search is bounded."""
    first = issue("loop a", p256_key("a"), issue("loop b", p256_key("b")), authority=True, usage=AUTHORITY)
    crowd = [
        issue(f"loop {which}", p256_key(which), first if which == "b" else issue("loop b", p256_key("b")), serial=n + 1)
        for n in range(MAX_CERTIFICATES // 2)
        for which in ("a", "b")
    ]
    began = time.perf_counter()
    path = find_path(crowd[0].der, tuple(party.der for party in crowd), (ROOT.root(),))
    assert time.perf_counter() - began < 0.5
    assert path.root is None
    with pytest.raises(InvalidInput):
        find_path(LEAF.der, (*(party.der for party in crowd), ROOT.der), (ROOT.root(),))


def inquiry(*crls: bytes, require_revocation: bool = False) -> Inquiry:
    reference = ReferenceValues(trusted_roots=(ROOT.root(),), require_revocation=require_revocation)
    return Inquiry(EvidenceFormat.TPM_QUOTE, Endorsements(crls=crls), reference, NOW)


def test_revocation_of_each_certificate_but_the_root() -> None:
    good = (revocation_list(ROOT), revocation_list(MIDDLE))
    whole = inquiry(*good)
    check_path(whole, LEAF.der, (MIDDLE.der, ROOT.der), ())
    assert whole.findings == []
    for crls, name in (
        ((revocation_list(ROOT, {2: NOW - timedelta(days=1)}), good[1]), "middle"),
        ((good[0], revocation_list(MIDDLE, {3: NOW - timedelta(days=1)})), "leaf"),
    ):
        asked = inquiry(*crls)
        check_path(asked, LEAF.der, (MIDDLE.der, ROOT.der), ())
        assert [(finding.code, finding.source) for finding in asked.findings] == [("certificate-revoked", name)]


def test_an_old_list_still_revokes() -> None:
    old = revocation_list(MIDDLE, {3: START}, start=START, end=START + timedelta(days=30))
    asked = inquiry(revocation_list(ROOT), old)
    check_path(asked, LEAF.der, (MIDDLE.der, ROOT.der), ())
    assert {finding.code for finding in asked.findings} == {"certificate-revoked", "revocation-list-not-current"}


def test_revocation_may_be_asked_for() -> None:
    asked = inquiry(require_revocation=True)
    check_path(asked, LEAF.der, (MIDDLE.der, ROOT.der), ())
    assert {(finding.code, finding.severity.value) for finding in asked.findings} == {
        ("revocation-not-checked", "error")
    }
    none = inquiry(require_revocation=True)
    check_path(none, LEAF.der, (MIDDLE.der, ROOT.der), (), revocable=0)
    assert none.findings == []


def test_crl_addresses() -> None:
    leaf = issue("leaf", p384_key("path leaf"), MIDDLE, crl_url="https://pki.example/list.crl")
    assert crl_urls(parse_certificate(leaf.der)) == ("https://pki.example/list.crl",)
    other = issue("leaf", p384_key("path leaf"), MIDDLE, crl_url="ldap://pki.example/list")
    assert crl_urls(parse_certificate(other.der)) == ()
    assert crl_urls(parse_certificate(LEAF.der)) == ()


def test_signature_algorithms() -> None:
    """Each that manufacturers use is verified, and what is weak or odd verifies nothing."""
    key = rsa_key("path algorithms")
    builder = (
        x509.CertificateBuilder()
        .subject_name(named("x"))
        .issuer_name(named("x"))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(START)
        .not_valid_after(END)
    )
    made = {
        "pkcs1 sha256": builder.sign(key, hashes.SHA256()),
        "pkcs1 sha512": builder.sign(key, hashes.SHA512()),
        "pss sha256": builder.sign(
            key, hashes.SHA256(), rsa_padding=padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        ),
        "pss mask": builder.sign(
            key, hashes.SHA256(), rsa_padding=padding.PSS(padding.MGF1(hashes.SHA384()), padding.PSS.DIGEST_LENGTH)
        ),
        "sha3": builder.sign(key, hashes.SHA3_256()),
    }
    results = {}
    for name, certificate in made.items():
        parsed = parse_certificate(certificate.public_bytes(Encoding.DER))
        results[name] = is_signed_by(
            parsed.public_key_info, parsed.signature_algorithm.encoded, parsed.signature, parsed.signed_part
        )
    assert results == {
        "pkcs1 sha256": True,
        "pkcs1 sha512": True,
        "pss sha256": True,
        "pss mask": False,
        "sha3": False,
    }


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"something else", bytes(300)])
def test_keys_that_are_none(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        load_public_key(data)
    assert is_signed_by(data, b"", b"", b"") is False


@pytest.mark.parametrize(
    ("data", "whole"),
    [(LEAF.der, True), (LEAF.der[:-1], False), (LEAF.der + b"\0", False), (b"", False), (b"\x30", False)],
)
def test_framing(data: bytes, whole: bool) -> None:
    assert well_framed(data) is whole
