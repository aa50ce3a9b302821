"""AWS Nitro documents, made here under a root of our own: AWS publishes none whose enclave is not somebody's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from confvm_gui.attestation.nitro.cbor import MAX_CBOR_SIZE, Cbor, decode, encode_head
from confvm_gui.attestation.nitro.document import NitroDocument
from confvm_gui.attestation.roots import AWS_ROOTS
from confvm_gui.attestation.verify import evaluate
from confvm_gui.attestation.x509.certificates import fingerprint
from confvm_gui.domain.attestation import Endorsements, Evidence, EvidenceFormat, ReferenceValues, TrustedRoot, Verdict
from confvm_gui.domain.errors import InvalidInput
from tests.unit.attestation.authority import NOW, Party, issue, key_usage, p256_key, p384_key
from tests.unit.attestation.evidence_files import errors, judge, trusted_flips, warnings

AUTHORITY = key_usage(certificates=True, lists=True)
ROOT = issue("aws.nitro-enclaves", p384_key("aws root"), authority=True, usage=AUTHORITY)
REGION = issue("eu-west-1.aws.nitro-enclaves", p384_key("aws region"), ROOT, authority=True, usage=AUTHORITY, serial=2)
HOST = issue("i-0123.eu-west-1", p384_key("aws host"), REGION, authority=True, path_length=0, usage=AUTHORITY, serial=3)
MODULE = issue(
    "i-0123-enc4567.eu-west-1",
    p384_key("aws module"),
    HOST,
    usage=key_usage(sign=True),
    serial=4,
    start=NOW - timedelta(minutes=10),
    end=NOW + timedelta(hours=3),
)
REFERENCE = ReferenceValues(trusted_roots=(TrustedRoot("test root", certificate_sha256=fingerprint(ROOT.der)),))
PCRS = {index: bytes((index + 1,)) * 48 for index in range(16)}


def encode(value: Any) -> bytes:
    match value:
        case None:
            return b"\xf6"
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return encode_head(0, value) if value >= 0 else encode_head(1, -1 - value)
        case bytes():
            return encode_head(2, len(value)) + value
        case str():
            return encode_head(3, len(value.encode())) + value.encode()
        case list():
            return encode_head(4, len(value)) + b"".join(encode(item) for item in value)
        case dict():
            items = b"".join(encode(key) + encode(item) for key, item in value.items())
            return encode_head(5, len(value)) + items
    raise TypeError(value)


def payload(**changes: Any) -> dict[str, Any]:
    value: dict[str, Any] = {
        "module_id": "i-0123-enc4567",
        "digest": "SHA384",
        "timestamp": int(NOW.timestamp() * 1000),
        "pcrs": PCRS,
        "certificate": MODULE.der,
        "cabundle": [ROOT.der, REGION.der, HOST.der],
        "public_key": None,
        "user_data": b"hello",
        "nonce": b"nonce",
    }
    value |= changes
    return {name: item for name, item in value.items() if item != "absent"}


def document(
    fields: dict[str, Any] | None = None,
    *,
    signer: Party = MODULE,
    algorithm: int = -35,
    tag: bytes = b"",
    unprotected: Any = None,
) -> bytes:
    protected, content = encode({1: algorithm}), encode(payload() if fields is None else fields)
    signed = encode(["Signature1", protected, b"", content])
    assert isinstance(signer.key, ec.EllipticCurvePrivateKey)
    r, s = decode_dss_signature(signer.key.sign(signed, ec.ECDSA(hashes.SHA384())))
    signature = r.to_bytes(48, "big") + s.to_bytes(48, "big")
    return tag + encode([protected, unprotected or {}, content, signature])


def judged(data: bytes, reference: ReferenceValues = REFERENCE, **changes: Any) -> Verdict:
    return judge(data, reference=replace(reference, **changes))


@pytest.mark.parametrize("tag", [b"", b"\xd2"])
def test_all_is_well(tag: bytes) -> None:
    verdict = judged(document(tag=tag), report_data=b"nonce", measurements=(PCRS[0],))

    assert verdict.trusted
    assert verdict.findings == ()
    assert verdict.format is EvidenceFormat.NITRO
    assert verdict.claim("pcr.sha384.8") == PCRS[8].hex()
    assert verdict.claim("user_data") == b"hello".hex()
    assert verdict.links[0].name == "aws.nitro-enclaves"


def test_nitro_tpm() -> None:
    fields = payload(pcrs="absent", nitrotpm_pcrs=PCRS)
    verdict = judged(document(fields), measurements=(PCRS[4],))
    assert verdict.trusted
    assert verdict.claim("nitro_tpm") is True


def test_the_root_is_pinned_by_its_fingerprint() -> None:
    assert AWS_ROOTS[0].certificate_sha256 == "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b"
    assert errors(judge(document())) == {"root-not-trusted"}
    # A certificate with the same name and key, made anew, is not the root that was pinned.
    other = issue("aws.nitro-enclaves", p384_key("aws root"), authority=True, usage=AUTHORITY, serial=99)
    fields = payload(cabundle=[other.der, REGION.der, HOST.der])
    assert errors(judged(document(fields))) == {"root-not-trusted"}


def test_debug_enclaves_have_zeros_for_pcrs() -> None:
    data = document(payload(pcrs={index: bytes(48) for index in range(16)}))
    assert errors(judged(data)) == {"debug-allowed"}
    allowed = judged(data, allow_debug=True)
    assert allowed.trusted
    assert "debug-allowed" in warnings(allowed)


def test_times() -> None:
    late = judge(document(), reference=REFERENCE, at=NOW + timedelta(hours=4))
    assert errors(late) == {"certificate-expired"}
    early = judge(document(), reference=REFERENCE, at=NOW - timedelta(minutes=9))
    assert errors(early) == {"timestamp"}
    assert judge(document(), reference=REFERENCE, at=NOW - timedelta(minutes=2)).trusted


def test_signatures() -> None:
    assert errors(judged(document(signer=HOST))) == {"signature-invalid"}
    # ES256 is not what a module signs with; such a document is not recognised as one, so the format is given.
    evidence = Evidence(document(algorithm=-7), EvidenceFormat.NITRO)
    assert "signature-algorithm" in errors(evaluate(evidence, Endorsements(), REFERENCE, NOW))


def test_a_certificate_on_another_curve() -> None:
    module = issue("module", p256_key("module"), HOST, usage=key_usage(sign=True), serial=5)
    data = document(payload(certificate=module.der), signer=MODULE)
    assert errors(judged(data)) == {"signature-invalid"}


@pytest.mark.parametrize(
    ("bundle", "expected"),
    [
        ([ROOT.der, REGION.der], "issuer-missing"),
        ([ROOT.der, b"\x30\x00", HOST.der], "certificate-malformed"),
        ([HOST.der, REGION.der, ROOT.der], None),
    ],
)
def test_bundles(bundle: list[bytes], expected: str | None) -> None:
    verdict = judged(document(payload(cabundle=bundle)))
    assert expected in errors(verdict) if expected else verdict.trusted


def test_a_damaged_certificate_is_a_verdict() -> None:
    assert {"certificate-malformed", "signature-invalid"} == errors(judged(document(payload(certificate=b"\x30\x00"))))


def test_no_bit_can_be_changed() -> None:
    data = document()
    bits = range(0, len(data) * 8, 13)
    assert judged(data).trusted
    assert trusted_flips(data, bits, lambda bad: judged(bad).trusted) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"module_id": "absent"},
        {"module_id": ""},
        {"module_id": 5},
        {"timestamp": 0},
        {"timestamp": "now"},
        {"digest": "SHA256"},
        {"pcrs": "absent"},
        {"pcrs": {}},
        {"pcrs": {32: bytes(48)}},
        {"pcrs": {0: bytes(47)}},
        {"pcrs": {"zero": bytes(48)}},
        {"pcrs": []},
        {"certificate": "absent"},
        {"certificate": "text"},
        {"cabundle": []},
        {"cabundle": ["text"]},
        {"cabundle": "absent"},
        {"nonce": 5},
        {"user_data": bytes(16385)},
    ],
)
def test_malformed_payloads(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        NitroDocument.parse(document(payload(**changes)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        document()[:-1],
        document() + b"\0",
        encode([b"", {}, b"", b""]),
        encode([encode({1: -35}), {4: 5}, encode(payload()), bytes(96)]),
        encode([encode([]), {}, encode(payload()), bytes(96)]),
        encode([encode({1: -35}), {}, encode([]), bytes(96)]),
        encode({}),
        b"\x84\x44\xa1\x01\x38\x22" + bytes(MAX_CBOR_SIZE),
    ],
)
def test_malformed_documents(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        NitroDocument.parse(data)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("00", 0),
        ("1818", 24),
        ("1903e8", 1000),
        ("1bffffffffffffffff", (1 << 64) - 1),
        ("3822", -35),
        ("43010203", b"\1\2\3"),
        ("6161", "a"),
        ("83010203", [1, 2, 3]),
        ("a2016161f6f5", {1: "a"}),
        ("c1f4", False),
    ],
)
def test_cbor_values(data: str, value: Cbor) -> None:
    """Of RFC 8949, appendix A."""
    raw = bytes.fromhex(data)
    if data == "a2016161f6f5":  # null is no name
        with pytest.raises(InvalidInput):
            decode(raw, "The value")
    else:
        assert decode(raw, "The value") == value


@pytest.mark.parametrize(
    "data",
    [
        "1c",
        "5f4101ff",
        "9f01ff",
        "bf0102ff",
        "f97e00",
        "fb3ff0000000000000",
        "61ff",
        "a201010102",
        "81" * 20 + "00",
        "9affffffff",
        "5affffffff",
        "0000",
        "",
        "f7",
    ],
)
def test_cbor_that_is_refused(data: str) -> None:
    with pytest.raises(InvalidInput):
        decode(bytes.fromhex(data), "The value")
