"""Real TPM quotes, GCE's vTPM attestations and Azure's evidence: every one gives what the manifest says of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from confvm_gui.attestation.azure.hcl_report import HardwareType, HclReport
from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.gce.instance_info import instance_info
from confvm_gui.attestation.gce.protobuf import Message
from confvm_gui.attestation.gce.verify import attestation_certificates
from confvm_gui.attestation.roots import GOOGLE_ROOTS
from confvm_gui.attestation.tpm.keys import key_info, parse_key
from confvm_gui.attestation.tpm.structures import TpmPublic, TpmQuote
from confvm_gui.attestation.x509.certificates import key_fingerprint, parse_certificate
from confvm_gui.attestation.x509.path import find_path
from confvm_gui.domain.attestation import Endorsements, EvidenceFormat, EvidencePart, ReferenceValues, TrustedRoot
from confvm_gui.domain.errors import InvalidInput
from tests.unit.attestation.evidence_files import (
    DSTACK,
    GO_TPM,
    SEV,
    TRUSTEE,
    Vectors,
    errors,
    flip,
    judge,
    trusted_flips,
    warnings,
)

pytestmark = pytest.mark.vectors

SNP = f"{TRUSTEE}az-snp-vtpm/"
TDX = f"{TRUSTEE}az-tdx-vtpm/"
GOOGLE_CAS = tuple(
    f"{GO_TPM}server/ca-certs/{name}.crt"
    for name in ("gcp_ek_ak_ca_intermediate_v3", "gcp_ek_ak_ca_root", "tpm_ek_intermediate_2", "tpm_ek_intermediate_3")
)


@pytest.fixture
def vectors(vectors_dir: Path) -> Vectors:
    return Vectors(vectors_dir)


def milan(vectors: Vectors) -> Endorsements:
    return vectors.endorsements(f"{SEV}tests/certs_data/cert_chain_milan")


def attestation(vectors: Vectors, name: str) -> bytes:
    return vectors.read(f"{GO_TPM}internal/test/attestations/gce-cos-85-{name}.pb")


# Google Compute Engine


@pytest.mark.parametrize(("name", "nonce"), [("no-nonce", b""), ("nonce9009", b"\x90\x09")])
def test_gce_attestations(vectors: Vectors, name: str, nonce: bytes) -> None:
    data, endorsements = attestation(vectors, name), vectors.endorsements(*GOOGLE_CAS)
    verdict = judge(data, endorsements, ReferenceValues(report_data=nonce))

    assert verdict.trusted, verdict.findings
    assert verdict.format is EvidenceFormat.GCE_VTPM
    claims = verdict.claim_values()
    assert claims["report_data"] == nonce.hex()
    assert claims["gce.technology"] == "none" or claims["gce.technology"] == "sev"
    assert claims["gce.project_id"]
    assert "/syslinux/vmlinuz.A" in str(claims["kernel_command_line"])
    banks = {name.split(".")[1] for name in claims if name.startswith("pcr.")}
    assert banks == {"sha1", "sha256", "sha384"} or banks == {"sha1", "sha256"}
    assert errors(judge(data, endorsements, ReferenceValues(report_data=b"another"))) == {"report-data-mismatch"}
    assert "issuer-missing" in errors(judge(data))


def test_no_bit_of_a_gce_quote_can_be_changed(vectors: Vectors) -> None:
    data, endorsements = attestation(vectors, "nonce9009"), vectors.endorsements(*GOOGLE_CAS)
    message = Message(data, "attestation")
    signed = [message.raw(1), message.raw(6)]
    for raw in message.all_bytes(2):
        quote = Message(raw, "quote")
        signed += [quote.raw(1), quote.raw(2)]
        signed += [Message(entry, "PCR").raw(2) for entry in Message(quote.raw(3), "PCRs").all_bytes(2)]
    reference = ReferenceValues()

    def is_trusted(changed: bytes) -> bool:
        return judge(changed, endorsements, reference).trusted

    assert is_trusted(data)
    survivors: list[int] = []
    position = 0
    for part in signed:
        start = data.index(part, position if len(part) > 64 else 0) if part else 0
        bits = range(start * 8, (start + len(part)) * 8, 67)
        survivors += trusted_flips(data, bits, is_trusted)
    # PCRs that were not selected for the quote prove nothing, and are not claimed.
    for bit in survivors:
        verdict, original = judge(flip(data, bit), endorsements), judge(data, endorsements)
        assert verdict.claims == original.claims


@pytest.mark.parametrize("key", ["rsa", "ecc"])
@pytest.mark.parametrize("use", ["sign", "enc"])
@pytest.mark.parametrize("authority", ["pca", "uca"])
def test_gce_certificates_name_the_instance(vectors: Vectors, authority: str, key: str, use: str) -> None:
    path = f"{GO_TPM}internal/test/certificates/{authority}_tpm_{key}_{use}_cert.pem"
    (raw,) = vectors.endorsements(path).certificates
    info = instance_info(parse_certificate(raw))

    assert info is not None
    assert (info.zone, info.project_id) == ("us-central1-a", "google.com:wuale-gcp-testing")
    assert info.instance_name
    assert info.instance_id > 0
    assert info.project_number > 0
    found = find_path(raw, vectors.endorsements(*GOOGLE_CAS).certificates, GOOGLE_ROOTS)
    assert found.root is not None
    assert found.flaws == ()


def test_published_ca_certificates(vectors: Vectors) -> None:
    pool = vectors.endorsements(*GOOGLE_CAS).certificates
    for raw in pool:
        assert find_path(raw, pool, GOOGLE_ROOTS).root is not None
    keys = vectors.endorsements(
        *(f"google+gce-tcb-verifier/testing/devkeys/{name}.crt" for name in ("primarySigningKey", "root"))
    ).certificates
    root = TrustedRoot("dev", key_fingerprint(parse_certificate(keys[1]).public_key_info))
    path = find_path(keys[0], keys, (root,))
    assert (path.root, path.flaws) == (root, ())
    assert find_path(keys[0], keys, GOOGLE_ROOTS).root is None


def test_an_instance_that_is_not_the_certificates(vectors: Vectors) -> None:
    data, endorsements = attestation(vectors, "no-nonce"), vectors.endorsements(*GOOGLE_CAS)
    assert attestation_certificates(data)
    instance = b"\x0a\x0ceurope-west4" + b"\x12\x05other"
    verdict = judge(data + b"\x22" + bytes((len(instance),)) + instance, endorsements)
    assert errors(verdict) == {"instance-info-mismatch"}


def test_truncated_attestations(vectors: Vectors) -> None:
    data = attestation(vectors, "no-nonce")
    for size in (0, 1, 40, 300, 1000, len(data) // 2, len(data) - 1):
        with pytest.raises(InvalidInput):
            judge(data[:size])


# Azure

AZURE = [
    (f"{SNP}evidence-v0.json", b"challenge", "Milan"),
    (f"{SNP}evidence-v1.json", b"challenge", "Milan"),
    (f"{SNP}evidence-v2.json", None, "Milan"),
    (f"{TDX}evidence-v0.json", b"challenge", None),
    (f"{TDX}evidence-v1.json", b"challenge", None),
]


@pytest.mark.parametrize(("path", "nonce", "product"), AZURE)
def test_azure_evidence(vectors: Vectors, path: str, nonce: bytes | None, product: str | None) -> None:
    data = vectors.read(path)
    verdict = judge(data, milan(vectors))

    assert verdict.trusted, verdict.findings
    assert verdict.format is EvidenceFormat.AZURE_VTPM
    assert verdict.claim("hardware.product") == product
    assert verdict.claim("measurement") == verdict.claim("hardware.measurement")
    actual = bytes.fromhex(str(verdict.claim("report_data")))
    assert nonce is None or actual == nonce
    assert len(actual) == (48 if nonce is None else 9)
    assert len([name for name in verdict.claim_values() if name.startswith("pcr.sha256.")]) == 24
    assert judge(data, milan(vectors), ReferenceValues(report_data=actual)).trusted
    assert "report-data-mismatch" in errors(judge(data, milan(vectors), ReferenceValues(report_data=b"other")))


def test_hcl_reports_alone_and_with_their_quotes(vectors: Vectors) -> None:
    snp, chain = vectors.read(f"{SNP}hcl-report.bin"), vectors.endorsements(f"{SNP}vcek.pem")
    alone = judge(snp, chain)
    assert alone.trusted
    assert "part-not-verified" in warnings(alone)
    for quote in (vectors.read(f"{SNP}quote.bin"), vectors.read(f"{SNP}tpm-quote-v1.json")):
        verdict = judge(snp, chain, ReferenceValues(report_data=b"challenge"), parts={EvidencePart.TPM_QUOTE: quote})
        assert verdict.trusted, verdict.findings
        assert "part-not-verified" not in warnings(verdict)

    td_quote, quote = vectors.read(f"{TDX}td-quote.bin"), vectors.read(f"{TDX}quote.bin")
    tdx = vectors.read(f"{TDX}hcl-report.bin")
    parts: dict[str, bytes] = {EvidencePart.TD_QUOTE: td_quote, EvidencePart.TPM_QUOTE: quote}
    assert judge(tdx, parts=parts).trusted
    assert judge(tdx, parts=parts | {EvidencePart.TPM_QUOTE: vectors.read(f"{TDX}tpm-quote-v1.json")}).trusted
    assert errors(judge(tdx, parts={EvidencePart.TPM_QUOTE: quote})) == {"signer-missing"}
    crossed = judge(tdx, parts=parts | {EvidencePart.TPM_QUOTE: vectors.read(f"{SNP}quote.bin")})
    assert "signature-invalid" in errors(crossed)


def test_hcl_types(vectors: Vectors) -> None:
    assert HclReport.parse(vectors.read(f"{SNP}hcl-report.bin")).type is HardwareType.SNP
    report = HclReport.parse(vectors.read(f"{TDX}hcl-report.bin"))
    assert report.type is HardwareType.TDX
    assert report.td_report_data()[:32] == report.bound()


def test_trustees_negative_cases(vectors: Vectors) -> None:
    hcl, chain = bytearray(vectors.read(f"{SNP}hcl-report.bin")), vectors.endorsements(f"{SNP}vcek.pem")
    quote = bytearray(vectors.read(f"{SNP}quote.bin"))

    def verdict(hcl: bytes, quote: bytes) -> set[str]:
        return errors(judge(hcl, chain, parts={EvidencePart.TPM_QUOTE: quote}))

    report = hcl.copy()
    report[0x1A6] = 0
    assert {"tcb-mismatch", "signature-invalid"} & verdict(bytes(report), bytes(quote))
    runtime = hcl.copy()
    runtime[0x6E0] += 1
    assert verdict(bytes(runtime), bytes(quote)) == {"binding-broken"}
    signature = quote.copy()
    signature[0x30] = 0
    assert verdict(bytes(hcl), bytes(signature)) == {"signature-invalid"}
    pcrs = quote.copy()
    pcrs[0x1A0] ^= 1
    assert verdict(bytes(hcl), bytes(pcrs)) == {"pcr-digest-mismatch"}


def test_no_bit_of_azures_evidence_can_be_changed(vectors: Vectors) -> None:
    hcl, chain = vectors.read(f"{SNP}hcl-report.bin"), vectors.endorsements(f"{SNP}vcek.pem")
    quote = vectors.read(f"{SNP}quote.bin")
    report = HclReport.parse(hcl)
    reference = ReferenceValues(report_data=b"challenge")

    def is_trusted(changed: bytes) -> bool:
        return judge(changed, chain, reference, parts={EvidencePart.TPM_QUOTE: quote}).trusted

    assert is_trusted(hcl)
    end = 0x4D4 + len(report.runtime_data)
    bits = [*range(0x20 * 8, 0x4C0 * 8, 23), *range(0x4D4 * 8, end * 8, 11)]
    assert trusted_flips(hcl, bits, is_trusted) == []

    def is_trusted_quote(changed: bytes) -> bool:
        return judge(hcl, chain, reference, parts={EvidencePart.TPM_QUOTE: changed}).trusted

    assert trusted_flips(quote, range(0, len(quote) * 8, 5), is_trusted_quote) == []


# Bare TPM quotes


def test_azures_quote_in_files(vectors: Vectors) -> None:
    """Message and signature in files of their own. The key that made them is not among the files."""
    message, signature = vectors.read(f"{SNP}tpm-quote.msg"), vectors.read(f"{SNP}tpm-quote.sig")
    quote = TpmQuote.parse(message)
    assert quote.extra_data == b"challenge"
    assert [(bank.label, len(pcrs)) for bank, pcrs in quote.selections] == [("sha256", 9)]
    assert len(signature) == 256
    verdict = judge(message, parts={EvidencePart.SIGNATURE: signature})
    assert errors(verdict) == {"signer-missing"}
    assert "pcrs-missing" in warnings(verdict)


def test_the_trustees_tpm_evidence(vectors: Vectors) -> None:
    data = vectors.read(f"{TRUSTEE}tpm_evidence.json")
    verdict = judge(data)
    assert errors(verdict) == {"key-not-vouched"}
    fingerprint = str(verdict.claim("ak.fingerprint"))
    known = judge(data, reference=ReferenceValues(trusted_keys=frozenset({fingerprint})))
    assert known.trusted
    assert known.claim("pcr.sha256.0") == "00" * 32

    value = json.loads(data)
    value["tpm_quote"]["pcrs"][3] = "11" * 32
    changed = judge(json.dumps(value).encode(), reference=ReferenceValues(trusted_keys=frozenset({fingerprint})))
    assert errors(changed) == {"pcr-digest-mismatch"}
    assert changed.claim("pcr.sha256.0") is None


def test_dstacks_quote_sample(vectors: Vectors) -> None:
    quote = TpmQuote.parse(vectors.read(f"{DSTACK}tpm-attest/tests/tpm_quote_sample.bin"))
    assert quote.extra_data.hex() == "12345678"
    assert [bank for bank, _ in quote.selections] == [HashAlgorithm.SHA256]


def test_the_ak_of_a_gce_attestation(vectors: Vectors) -> None:
    public = Message(attestation(vectors, "no-nonce"), "attestation").raw(1)
    key, parsed = parse_key(public)
    assert isinstance(parsed, TpmPublic)
    assert parsed.is_attestation_key
    certificate = parse_certificate(attestation_certificates(attestation(vectors, "no-nonce"))[0])
    assert key_info(key) == certificate.public_key_info


def test_at_a_time_before_the_certificate(vectors: Vectors) -> None:
    data, endorsements = attestation(vectors, "no-nonce"), vectors.endorsements(*GOOGLE_CAS)
    early = judge(data, endorsements, at=datetime(2001, 1, 1, tzinfo=UTC))
    assert errors(early) == {"certificate-not-yet-valid"}
    strict = replace(ReferenceValues(), require_revocation=True)
    assert errors(judge(data, endorsements, strict)) == {"revocation-not-checked"}
