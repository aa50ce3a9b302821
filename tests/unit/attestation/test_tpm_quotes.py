"""TPM quotes by an attestation key made here: schemes, banks, PCR files, certificates, event logs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.eventlog.event_types import EventType
from confvm_gui.attestation.eventlog.log import parse_event_log
from confvm_gui.attestation.eventlog.replay import replay_pcrs
from confvm_gui.attestation.tpm.keys import key_info, parse_key
from confvm_gui.attestation.tpm.structures import TpmPublic, TpmQuote, TpmSignature
from confvm_gui.attestation.x509.certificates import key_fingerprint
from confvm_gui.domain.attestation import Endorsements, EvidenceFormat, EvidencePart, ReferenceValues, Verdict
from confvm_gui.domain.errors import InvalidInput
from tests.unit.attestation.authority import Key, issue, key_usage, p256_key, p384_key, rsa_key
from tests.unit.attestation.evidence_files import errors, flip, judge, warnings
from tests.unit.attestation.log_builder import LogBuilder, variable

SHA1, SHA256, SHA384 = HashAlgorithm.SHA1, HashAlgorithm.SHA256, HashAlgorithm.SHA384
AK = rsa_key("ak")
RESTRICTED = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 16 | 1 << 18

Selection = Sequence[tuple[HashAlgorithm, Sequence[int]]]


def big(value: int, size: int = 2) -> bytes:
    return value.to_bytes(size, "big")


def sized(data: bytes) -> bytes:
    return big(len(data)) + data


def attest(
    digest: bytes, selections: Selection, *, nonce: bytes = b"nonce", magic: bytes = b"\xffTCG", kind: int = 0x8018
) -> bytes:
    selected = big(len(selections), 4)
    for bank, pcrs in selections:
        selected += big(bank) + b"\3" + sum(1 << pcr for pcr in pcrs).to_bytes(3, "little")
    clock = big(123456, 8) + big(7, 4) + big(2, 4) + b"\1" + big(0x20240101, 8)
    return magic + big(kind) + sized(b"\0\x0bsigner") + sized(nonce) + clock + selected + sized(digest)


def sign(key: Key, message: bytes, scheme: str = "rsassa") -> bytes:
    """TPMT_SIGNATURE with SHA-256."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
        size = key.curve.key_size // 8
        return big(0x18) + big(0x0B) + sized(big(r, size)) + sized(big(s, size))
    if scheme == "rsapss":
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        return big(0x16) + big(0x0B) + sized(key.sign(message, pss, hashes.SHA256()))
    if scheme == "sha1":
        return big(0x14) + big(0x04) + sized(key.sign(message, padding.PKCS1v15(), hashes.SHA1()))
    raw = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return raw if scheme == "bare" else big(0x14) + big(0x0B) + sized(raw)


def public_area(key: Key, attributes: int = RESTRICTED) -> bytes:
    """TPMT_PUBLIC."""
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        size = public.key_size // 8
        parameters = big(0x10) + big(0x14) + big(0x0B) + big(public.key_size) + big(0, 4)
        return (
            big(1)
            + big(0x0B)
            + big(attributes, 4)
            + sized(b"")
            + parameters
            + sized(big(public.public_numbers().n, size))
        )
    numbers = public.public_numbers()
    size = public.curve.key_size // 8
    curve = {256: 3, 384: 4}[public.curve.key_size]
    parameters = big(0x10) + big(0x18) + big(0x0B) + big(curve) + big(0x10)
    unique = sized(big(numbers.x, size)) + sized(big(numbers.y, size))
    return big(0x23) + big(0x0B) + big(attributes, 4) + sized(b"") + parameters + unique


def values(pcrs: Sequence[int], bank: HashAlgorithm = SHA256) -> dict[int, bytes]:
    return {pcr: bank.digest(bytes((pcr,))) for pcr in pcrs}


def digest_of(*banks: dict[int, bytes]) -> bytes:
    return hashlib.sha256(b"".join(value for bank in banks for _, value in sorted(bank.items()))).digest()


def trusting(key: Key = AK, **changes: Any) -> ReferenceValues:
    return ReferenceValues(trusted_keys=frozenset({key_fingerprint(key_info(key.public_key()))}), **changes)


def quoted(
    key: Key = AK,
    *,
    scheme: str = "rsassa",
    pcrs: dict[int, bytes] | None = None,
    reference: ReferenceValues | None = None,
    changes: dict[str, bytes] | None = None,
    **attestation: Any,
) -> Verdict:
    chosen = values(range(8)) if pcrs is None else pcrs
    message = attest(digest_of(chosen), [(SHA256, sorted(chosen))], **attestation)
    parts: dict[str, bytes] = {
        EvidencePart.SIGNATURE: sign(key, message, scheme),
        EvidencePart.PCRS: b"".join(value for _, value in sorted(chosen.items())),
        EvidencePart.AK_PUBLIC: public_area(key),
    }
    return judge(message, reference=reference or trusting(key), parts=parts | (changes or {}))


@pytest.mark.parametrize("scheme", ["rsassa", "rsapss", "bare"])
def test_rsa_schemes(scheme: str) -> None:
    verdict = quoted(scheme=scheme)
    assert verdict.trusted, verdict.findings
    assert verdict.format is EvidenceFormat.TPM_QUOTE
    assert verdict.claim("tpm.reset_count") == 7
    assert verdict.claim("report_data") == b"nonce".hex()


@pytest.mark.parametrize("key", [p256_key("ak"), p384_key("ak")])
def test_ecdsa(key: Key) -> None:
    assert quoted(key).trusted


def test_sha1_signatures_are_not_believed() -> None:
    assert errors(quoted(scheme="sha1")) == {"signature-invalid"}


def test_a_key_that_signs_anything_is_no_attestation_key() -> None:
    loose: dict[str, bytes] = {EvidencePart.AK_PUBLIC: public_area(AK, RESTRICTED & ~(1 << 16))}
    assert errors(quoted(changes=loose)) == {"field-invalid"}


@pytest.mark.parametrize(
    "ak",
    [
        AK.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        AK.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        sized(public_area(AK)),
    ],
)
def test_forms_of_the_key(ak: bytes) -> None:
    assert quoted(changes={EvidencePart.AK_PUBLIC: ak}).trusted


def test_a_wrong_key() -> None:
    other = rsa_key("another ak")
    verdict = quoted(reference=trusting(other), changes={EvidencePart.AK_PUBLIC: public_area(other)})
    assert errors(verdict) == {"signature-invalid"}


@pytest.mark.parametrize("changes", [{"magic": b"\xfeTCG"}, {"kind": 0x8017}])
def test_what_no_tpm_quoted(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        TpmQuote.parse(attest(bytes(32), [(SHA256, [0])], **changes))


def test_several_banks_in_one_quote() -> None:
    first, second = values([0, 1], SHA1), values([0, 7])
    message = attest(digest_of(first, second), [(SHA1, [0, 1]), (SHA256, [0, 7])])
    written = {
        "sha1": {str(pcr): value.hex() for pcr, value in first.items()},
        "sha256": {str(pcr): value.hex() for pcr, value in second.items()},
    }
    parts: dict[str, bytes] = {
        EvidencePart.SIGNATURE: sign(AK, message),
        EvidencePart.PCRS: json.dumps(written).encode(),
        EvidencePart.AK_PUBLIC: public_area(AK),
    }
    verdict = judge(message, reference=trusting(), parts=parts)
    assert verdict.trusted
    assert verdict.claim("pcr.sha1.1") == first[1].hex()
    assert verdict.claim("pcr.sha256.7") == second[7].hex()
    swapped = attest(digest_of(second, first), [(SHA1, [0, 1]), (SHA256, [0, 7])])
    assert "pcr-digest-mismatch" in errors(
        judge(swapped, reference=trusting(), parts=parts | {EvidencePart.SIGNATURE: sign(AK, swapped)})
    )


@pytest.mark.parametrize(
    "pcrs",
    [
        b"short",
        b'{"sha256": {"0": "00"}}',
        b'{"sha256": {"zero": "' + b"00" * 32 + b'"}}',
        b'{"md5": {}}',
        b'{"sha256": []}',
        b'{"sha256": {"0": 1}}',
    ],
)
def test_malformed_pcr_files(pcrs: bytes) -> None:
    with pytest.raises(InvalidInput):
        quoted(changes={EvidencePart.PCRS: pcrs})


def test_pcrs_that_lack() -> None:
    verdict = quoted(changes={EvidencePart.PCRS: b'{"sha256": {"0": "' + b"00" * 32 + b'"}}'})
    assert errors(verdict) == {"pcr-digest-mismatch"}


def test_the_event_log_belongs_to_the_quote() -> None:
    log = LogBuilder((SHA1, SHA256))
    log.add(0, EventType.EV_S_CRTM_VERSION, "1.0".encode("utf-16-le"))
    log.add(7, EventType.EV_EFI_VARIABLE_DRIVER_CONFIG, variable("SecureBoot", b"\0"))
    log.add(8, EventType.EV_IPL, b"kernel_cmdline: /vmlinuz quiet\0", b"/vmlinuz quiet")
    data = log.to_bytes()
    pcrs = replay_pcrs(parse_event_log(data), SHA256)

    verdict = quoted(pcrs=pcrs, changes={EvidencePart.EVENT_LOG: data})
    assert verdict.trusted
    assert verdict.claim("kernel_command_line") == "/vmlinuz quiet"
    assert verdict.claim("secure_boot") is False
    assert "secure-boot-off" in warnings(verdict)
    wrong = quoted(pcrs=pcrs | {8: bytes(32)}, changes={EvidencePart.EVENT_LOG: data})
    assert errors(wrong) == {"event-log-mismatch"}
    assert wrong.claim("kernel_command_line") is None
    sha384 = LogBuilder((SHA384,))
    sha384.add(0, EventType.EV_S_CRTM_VERSION, b"1")
    assert errors(quoted(pcrs=pcrs, changes={EvidencePart.EVENT_LOG: sha384.to_bytes()})) == {"event-log-mismatch"}


def test_facts_come_only_from_registers_that_were_quoted() -> None:
    log = LogBuilder()
    log.add(8, EventType.EV_IPL, b"kernel_cmdline: /vmlinuz quiet\0", b"/vmlinuz quiet")
    log.add(0, EventType.EV_S_CRTM_VERSION, "1.0".encode("utf-16-le"))
    data = log.to_bytes()
    pcrs = {0: replay_pcrs(parse_event_log(data), SHA256)[0]}
    verdict = quoted(pcrs=pcrs, changes={EvidencePart.EVENT_LOG: data})
    assert verdict.trusted
    assert verdict.claim("firmware.version") == "1.0"
    assert verdict.claim("kernel_command_line") is None


def test_the_key_of_the_hosts_own_tpm_is_taken_on_its_word() -> None:
    verdict = quoted(reference=ReferenceValues(host_runs_tpm=True))
    assert verdict.trusted
    assert "key-on-its-word" in warnings(verdict)
    (link,) = [link for link in verdict.links if link.name == "attestation key"]
    assert (link.issuer, link.verified) == ("", False)
    assert "key-not-vouched" in errors(quoted(reference=ReferenceValues()))


def test_the_key_is_certified() -> None:
    root = issue("TPM root", p256_key("tpm root"), authority=True, usage=key_usage(certificates=True))
    ak = issue("AK", AK, root, usage=key_usage(sign=True))
    pcrs = values(range(8))
    message = attest(digest_of(pcrs), [(SHA256, range(8))])
    parts: dict[str, bytes] = {
        EvidencePart.SIGNATURE: sign(AK, message),
        EvidencePart.PCRS: b"".join(pcrs.values()),
        EvidencePart.AK_CERTIFICATE: ak.der,
    }
    reference = ReferenceValues(trusted_roots=(root.root(),))
    chain = Endorsements((root.der,))

    assert judge(message, chain, reference, parts=parts).trusted
    assert errors(judge(message, chain, parts=parts)) == {"root-not-trusted"}
    other = parts | {EvidencePart.AK_PUBLIC: public_area(rsa_key("another ak"))}
    assert "certificate-mismatch" in errors(judge(message, chain, reference, parts=other))
    for_ca = issue("AK", AK, root, usage=key_usage(certificates=True))
    misused = judge(message, chain, reference, parts=parts | {EvidencePart.AK_CERTIFICATE: for_ca.der})
    assert errors(misused) == {"certificate-constraints"}
    damaged = judge(message, chain, reference, parts=parts | {EvidencePart.AK_CERTIFICATE: flip(ak.der, 40)})
    assert not damaged.trusted


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xffTCG\x80\x18",
        attest(bytes(32), [(SHA256, [0])])[:-1],
        attest(bytes(32), [(SHA256, [0])]) + b"\0",
        attest(bytes(65), [(SHA256, [0])]),
        attest(bytes(32), [(SHA256, [0])] * 17),
    ],
)
def test_malformed_quotes(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        TpmQuote.parse(data)


@pytest.mark.parametrize(
    ("parse", "data"),
    [
        (TpmSignature.parse, b""),
        (TpmSignature.parse, big(0x99) + big(0x0B) + sized(b"x")),
        (TpmSignature.parse, big(0x14) + big(0x99) + sized(b"x")),
        (TpmSignature.parse, big(0x14) + big(0x0B) + sized(b"x") + b"\0"),
        (TpmPublic.parse, public_area(AK)[:-1]),
        (TpmPublic.parse, public_area(AK) + b"\0"),
        (TpmPublic.parse, big(8) + public_area(AK)[2:]),
        (parse_key, b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
        (parse_key, public_area(p256_key("ak"))[:-1] + b"\1"),
    ],
)
def test_malformed_structures(parse: Any, data: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse(data)
