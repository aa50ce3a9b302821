"""Claims against reference values; reference files; formats and endorsements by content; what is to be fetched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from confvm_gui.attestation.appraise import appraise
from confvm_gui.attestation.endorsement_files import MAX_FILE_SIZE, gather
from confvm_gui.attestation.inquiry import Inquiry
from confvm_gui.attestation.needs import needs
from confvm_gui.attestation.recognise import recognise
from confvm_gui.attestation.reference_file import parse_reference_values
from confvm_gui.attestation.verify import AttestationVerifier
from confvm_gui.domain.attestation import (
    ClaimValue,
    Endorsements,
    Evidence,
    EvidenceFormat,
    ReferenceValues,
    TrustedRoot,
)
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.ports.verifier import Verifier
from confvm_gui.sev.ghcb_certificates import ASK_GUID, VCEK_GUID, CertificateEntry, build_certificate_table
from tests.unit.attestation.authority import NOW
from tests.unit.attestation.evidence_files import (
    DCAP,
    GO_TPM,
    SEV,
    TRUSTEE,
    Vectors,
    errors,
    judge,
)

CLAIMS: dict[str, ClaimValue] = {
    "measurement": "aa" * 48,
    "report_data": b"nonce".ljust(64, b"\0").hex(),
    "reported_tcb.snp": 24,
    "policy.debug": False,
    "product": "Milan",
    "policy.flags": ("SMT", "NODBG"),
}


def found(**changes: Any) -> set[tuple[str, str]]:
    inquiry = Inquiry(EvidenceFormat.SNP_REPORT, Endorsements(), ReferenceValues(**changes), NOW)
    for name, value in CLAIMS.items():
        inquiry.claim(name, value, "test")
    appraise(inquiry)
    return {(finding.severity.value, finding.code) for finding in inquiry.findings}


UNEXPECTED = {("warning", "report-data-not-expected"), ("warning", "measurement-not-expected")}


def test_without_expectations_there_are_warnings() -> None:
    assert found() == UNEXPECTED


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"report_data": b"nonce"}, None),
        ({"report_data": b"nonce".ljust(64, b"\0")}, None),
        ({"report_data": b"nonce\1"}, "report-data-mismatch"),
        ({"report_data": b""}, "report-data-mismatch"),
        ({"measurements": (b"\xaa" * 48,)}, None),
        ({"measurements": (bytes(48), b"\xaa" * 48)}, None),
        ({"measurements": (bytes(48),)}, "measurement-mismatch"),
        ({"expected": {"measurement": ("AA" * 48,)}}, None),
        ({"expected": {"product": ("Genoa", "Milan")}}, None),
        ({"expected": {"product": ("Genoa",)}}, "claim-mismatch"),
        ({"expected": {"policy.debug": (False,)}}, None),
        ({"expected": {"policy.debug": (0,)}}, "claim-mismatch"),
        ({"expected": {"policy.flags": ("SMT",)}}, None),
        ({"expected": {"nothing": ("x",)}}, "claim-missing"),
        ({"expected": {"product": ()}}, "claim-mismatch"),
        ({"forbidden": {"product": ("Milan",)}}, "claim-forbidden"),
        ({"forbidden": {"product": ("Genoa",), "nothing": ("x",)}}, None),
        ({"minimum": {"reported_tcb.snp": 24}}, None),
        ({"minimum": {"reported_tcb.snp": 25}}, "claim-below-minimum"),
        ({"minimum": {"product": 1}}, "claim-missing"),
        ({"minimum": {"policy.debug": 0}}, "claim-missing"),
    ],
)
def test_expectations(changes: dict[str, Any], expected: str | None) -> None:
    unexpected = found(**changes)
    assert {code for severity, code in unexpected if severity == "error"} == ({expected} if expected else set())
    if "report_data" in changes:
        assert ("warning", "report-data-not-expected") not in unexpected
    if "measurements" in changes or "measurement" in changes.get("expected", {}):
        assert ("warning", "measurement-not-expected") not in unexpected


REFERENCE: dict[str, Any] = {
    "report_data": "0102",
    "measurements": ["aa" * 48],
    "allow_debug": True,
    "allow_provisional": False,
    "require_revocation": True,
    "accepted_tcb_statuses": ["SWHardeningNeeded"],
    "trusted_keys": ["AB" * 32],
    "expected": {"policy.debug": False, "product": ["Milan", "Genoa"]},
    "forbidden": {"chip_id": ["00"]},
    "minimum": {"reported_tcb.snp": 24},
    "trusted_roots": [{"name": "mine", "spki_sha256": "cd" * 32, "emulated": True}],
}
TOML = f"""
report_data = "0102"
measurements = ["{"aa" * 48}"]
allow_debug = true
allow_provisional = false
require_revocation = true
accepted_tcb_statuses = ["SWHardeningNeeded"]
trusted_keys = ["{"AB" * 32}"]
[expected]
"policy.debug" = false
product = ["Milan", "Genoa"]
[forbidden]
chip_id = ["00"]
[minimum]
"reported_tcb.snp" = 24
[[trusted_roots]]
name = "mine"
spki_sha256 = "{"cd" * 32}"
emulated = true
"""


@pytest.mark.parametrize("data", [json.dumps(REFERENCE).encode(), TOML.encode()])
def test_reference_files(data: bytes) -> None:
    values = parse_reference_values(data)
    assert values.report_data == b"\1\2"
    assert values.measurements == (b"\xaa" * 48,)
    assert (values.allow_debug, values.allow_provisional, values.require_revocation) == (True, False, True)
    assert values.expected == {"policy.debug": (False,), "product": ("Milan", "Genoa")}
    assert values.forbidden == {"chip_id": ("00",)}
    assert values.minimum == {"reported_tcb.snp": 24}
    assert values.trusted_keys == {"ab" * 32}
    assert values.trusted_roots == (TrustedRoot("mine", "cd" * 32, emulated=True),)
    assert parse_reference_values(b"") == ReferenceValues()
    assert parse_reference_values(b"{}") == ReferenceValues()


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[",
        b"\xff\xfe",
        b'{"measurment": []}',
        b'{"report_data": "xyz"}',
        b'{"measurements": "aa"}',
        b'{"measurements": ["xyz"]}',
        b'{"allow_debug": "yes"}',
        b'{"allow_provisional": 1}',
        b'{"expected": []}',
        b'{"expected": {"a": {}}}',
        b'{"expected": {"a": []}}',
        b'{"expected": {"a": 1.5}}',
        b'{"minimum": {"a": "1"}}',
        b'{"minimum": {"a": -1}}',
        b'{"trusted_keys": ["short"]}',
        b'{"trusted_roots": [{"name": "x"}]}',
        b'{"trusted_roots": [{"spki_sha256": "' + b"00" * 32 + b'"}]}',
        b'{"a": 1, "a": 2}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_malformed_reference_files(data: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_reference_values(data)
    assert caught.value.field == "reference"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"{}",
        b"[]",
        b'{"some": "json"}',
        bytes(100),
        b"-----BEGIN CERTIFICATE-----",
        bytes(range(256)) * 40,
        b"\x7fELF" + bytes(1000),
        b"\x05\0\2\0\x81\0\0\0" + bytes(100),
    ],
)
def test_what_is_no_evidence(data: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        recognise(data)
    assert caught.value.field == "evidence"
    assert "\n" not in str(caught.value)


def test_the_verifier_is_the_port() -> None:
    verifier: Verifier = AttestationVerifier()
    with pytest.raises(InvalidInput):
        verifier.evaluate(Evidence(b"nothing"), Endorsements(), ReferenceValues(), NOW)


@pytest.mark.vectors
def test_formats_by_content(vectors_dir: Path) -> None:
    vectors = Vectors(vectors_dir)
    cases = {
        f"{TRUSTEE}snp/test-report.bin": EvidenceFormat.SNP_REPORT,
        f"{TRUSTEE}tdx_quote_6.dat": EvidenceFormat.TDX_QUOTE,
        f"{TRUSTEE}occlum_quote.dat": EvidenceFormat.SGX_QUOTE,
        f"{TRUSTEE}tpm_evidence.json": EvidenceFormat.TPM_QUOTE,
        f"{TRUSTEE}az-snp-vtpm/evidence-v0.json": EvidenceFormat.AZURE_VTPM,
        f"{TRUSTEE}az-snp-vtpm/hcl-report.bin": EvidenceFormat.AZURE_HCL,
        f"{TRUSTEE}az-snp-vtpm/quote.bin": EvidenceFormat.TPM_QUOTE,
        f"{TRUSTEE}az-snp-vtpm/tpm-quote.msg": EvidenceFormat.TPM_QUOTE,
        f"{TRUSTEE}CCEL_data": EvidenceFormat.CC_EVENT_LOG,
        f"{GO_TPM}internal/test/attestations/gce-cos-85-no-nonce.pb": EvidenceFormat.GCE_VTPM,
        f"{GO_TPM}internal/test/eventlogs/debian-10.bin": EvidenceFormat.TCG_EVENT_LOG,
        "google+go-eventlog/testdata/legacydata/ebs_event_missing_eventlog": EvidenceFormat.TCG_EVENT_LOG,
    }
    assert {path: recognise(vectors.read(path)) for path in cases} == cases


@pytest.mark.vectors
def test_endorsements_by_content(vectors_dir: Path) -> None:
    vectors = Vectors(vectors_dir)
    vcek = vectors.read(f"{SEV}tests/certs_data/vcek_milan.der")
    chain = vectors.read(f"{SEV}tests/certs_data/cert_chain_milan")
    ask = vectors.endorsements(f"{SEV}src/certs/snp/builtin/milan/ask.pem").certificates[0]
    table = build_certificate_table((CertificateEntry(VCEK_GUID, vcek), CertificateEntry(ASK_GUID, ask)))
    collateral = vectors.read(f"{DCAP}tdx_quote_collateral.json")

    both = gather((vcek, chain, table, collateral, vcek))
    assert len(both.certificates) == 3 + 3  # each once: AMD's chain, and Intel's signers with their root
    assert len(both.crls) == 2
    assert len(both.documents) == 2
    assert gather((table,)).certificates == (vcek, ask)
    assert judge(vectors.milan_report(), gather((table, chain))).trusted
    naples = gather((vectors.read(f"{SEV}src/certs/sev/builtin/naples/ark.cert") * 2,))
    assert len(naples.amd_certificates) == 1


@pytest.mark.parametrize("data", [b"", b"x" * 100, bytes(64), bytes(MAX_FILE_SIZE + 1), b"{", b'{"tcbInfo":{}}'])
def test_malformed_endorsement_files(data: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        gather((data,))
    assert caught.value.field == "endorsements"


@pytest.mark.vectors
def test_what_is_to_be_fetched(vectors_dir: Path) -> None:
    vectors = Vectors(vectors_dir)
    report = Evidence(vectors.milan_report())
    urls = [need.url for need in needs(report, Endorsements())]
    chip = report.data[0x1A0:0x1E0].hex()
    # A report of version 2 does not say which product it is of.
    assert f"https://kdsintf.amd.com/vcek/v1/Milan/{chip}?blSPL=03&teeSPL=00&snpSPL=08&ucodeSPL=115" in urls
    assert any("/Genoa/" in url for url in urls)
    known = [(need.kind.value, need.url) for need in needs(report, vectors.milan())]
    assert known == [("crl", "https://kdsintf.amd.com/vcek/v1/Milan/crl")]

    quote = Evidence(vectors.read(f"{DCAP}tdx_quote"))
    kinds = {need.kind.value: need for need in needs(quote, Endorsements())}
    assert kinds["tcb-info"].url.endswith("/tdx/certification/v4/tcb?fmspc=b0c06f000000")
    assert kinds["tcb-info"].chain_header == "TCB-Info-Issuer-Chain"
    assert kinds["qe-identity"].url.endswith("/tdx/certification/v4/qe/identity")
    assert needs(quote, vectors.endorsements(f"{DCAP}tdx_quote_collateral.json")) == ()

    azure = Evidence(vectors.read(f"{TRUSTEE}az-snp-vtpm/evidence-v1.json"))
    assert {need.kind.value for need in needs(azure, Endorsements())} == {"certificate-chain", "crl"}
    tdx = Evidence(vectors.read(f"{TRUSTEE}az-tdx-vtpm/evidence-v1.json"))
    assert {need.kind.value for need in needs(tdx, Endorsements())} == {"tcb-info", "qe-identity", "crl"}
    gce = Evidence(vectors.read(f"{GO_TPM}internal/test/attestations/gce-cos-85-no-nonce.pb"))
    assert [need.url for need in needs(gce, Endorsements())] == [
        "https://pki.goog/cloud_integrity/tpm_ek_intermediate_2.crl"
    ]
    assert errors(judge(gce.data))
