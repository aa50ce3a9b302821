"""Real SNP reports and certificates: every one gives what the manifest says of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from confvm_gui.attestation.endorsement_files import gather
from confvm_gui.attestation.roots import AMD_ROOTS
from confvm_gui.attestation.x509.certificates import display_name, parse_certificate
from confvm_gui.attestation.x509.path import find_path
from confvm_gui.domain.attestation import EvidenceFormat, ReferenceValues
from confvm_gui.domain.errors import InvalidInput
from tests.unit.attestation.evidence_files import (
    GO_SEV,
    SEV,
    TRUSTEE,
    TRUSTEE_CHAINS,
    Vectors,
    errors,
    flip,
    judge,
    trusted_flips,
    warnings,
)

pytestmark = pytest.mark.vectors


@pytest.fixture
def vectors(vectors_dir: Path) -> Vectors:
    return Vectors(vectors_dir)


def test_milan_report_is_trusted(vectors: Vectors) -> None:
    verdict = judge(vectors.milan_report(), vectors.milan())

    assert verdict.trusted
    assert verdict.format is EvidenceFormat.SNP_REPORT
    claims = verdict.claim_values()
    assert claims["product"] == "Milan"
    parts = [claims[f"reported_tcb.{name}"] for name in ("boot_loader", "tee", "snp", "microcode")]
    assert parts == [3, 0, 8, 115]
    assert claims["certificate.matches"] == ("reported_tcb", "current_tcb", "committed_tcb", "launch_tcb")
    assert [link.name for link in verdict.links] == ["ARK-Milan", "SEV-Milan", "SEV-VCEK", "SNP report"]
    assert all(link.verified for link in verdict.links)
    assert warnings(verdict) == {"revocation-not-checked", "report-data-not-expected", "measurement-not-expected"}


def test_one_bit_of_the_report_breaks_the_signature(vectors: Vectors) -> None:
    report = vectors.milan_report()
    changed = flip(report, 21 * 8 + 7)

    assert errors(judge(changed, vectors.milan())) == {"signature-invalid"}


@pytest.mark.parametrize(
    ("report", "vcek", "byte", "change"),
    [
        (f"{SEV}tests/certs_data/report_milan.hex", f"{SEV}tests/certs_data/vcek_milan.der", 40, 0xFF),
        (f"{TRUSTEE}snp/test-report.bin", f"{TRUSTEE}snp/test-vcek.der", 42, 1),
        (f"{TRUSTEE}snp/test-report.bin", f"{TRUSTEE}snp/test-vcek.der", 700, 1),
    ],
)
def test_a_changed_certificate_breaks_the_chain(
    vectors: Vectors, report: str, vcek: str, byte: int, change: int
) -> None:
    data = vectors.milan_report() if report.endswith(".hex") else vectors.read(report)
    changed = bytearray(vectors.read(vcek))
    changed[byte] ^= change

    # As a file among others, as a person would give it.
    endorsements = gather((bytes(changed), vectors.read(f"{SEV}tests/certs_data/cert_chain_milan")))
    found = errors(judge(data, endorsements))
    assert found & {"certificate-signature", "certificate-malformed"}


def test_no_bit_of_report_or_signature_can_be_changed(vectors: Vectors) -> None:
    report, endorsements = vectors.milan_report(), vectors.milan()
    bits = range(len(report) * 8)

    assert trusted_flips(report, bits, lambda data: judge(data, endorsements).trusted) == []


@pytest.mark.parametrize("which", [0, 1, 2])
def test_no_bit_of_a_certificate_can_be_changed(vectors: Vectors, which: int) -> None:
    report, endorsements = vectors.milan_report(), vectors.milan()

    def is_trusted(changed: bytes) -> bool:
        certificates = list(endorsements.certificates)
        certificates[which] = changed
        return judge(report, replace(endorsements, certificates=tuple(certificates))).trusted

    original = endorsements.certificates[which]
    assert is_trusted(original)
    assert trusted_flips(original, range(which, len(original) * 8, 11), is_trusted) == []


def test_debug_policy_is_refused_unless_allowed(vectors: Vectors) -> None:
    report = vectors.read(f"{GO_SEV}testdata/attestation.bin")
    endorsements = vectors.endorsements(f"{GO_SEV}testdata/vcek.testcer", f"{GO_SEV}testdata/milan.testcer")

    verdict = judge(report, endorsements)
    assert errors(verdict) == {"debug-allowed"}
    assert verdict.claim("policy") == "0xb0000"
    allowed = judge(report, endorsements, ReferenceValues(allow_debug=True))
    assert allowed.trusted
    assert "debug-allowed" in warnings(allowed)


def test_reported_tcb_below_current_tcb(vectors: Vectors) -> None:
    """The certificate is for the reported TCB; the current one is provisional: told, and refused on request."""
    report = vectors.read(f"{TRUSTEE}snp/test-report.bin")
    endorsements = vectors.endorsements(f"{TRUSTEE}snp/test-vcek.der", f"{TRUSTEE_CHAINS}milan_ask_ark_asvk.pem")

    verdict = judge(report, endorsements)
    assert verdict.trusted
    assert verdict.claim("reported_tcb.microcode") == 115
    assert verdict.claim("current_tcb.microcode") == 206
    assert verdict.claim("certificate.matches") == ("reported_tcb", "committed_tcb", "launch_tcb")
    assert "firmware-provisional" in warnings(verdict)
    assert errors(judge(report, endorsements, ReferenceValues(allow_provisional=False))) == {"firmware-provisional"}
    assert "firmware-provisional" not in warnings(judge(report, endorsements, ReferenceValues(allow_provisional=True)))


def test_trustee_negative_cases(vectors: Vectors) -> None:
    report = bytearray(vectors.read(f"{TRUSTEE}snp/test-report.bin"))
    endorsements = vectors.endorsements(f"{TRUSTEE}snp/test-vcek.der", f"{TRUSTEE_CHAINS}milan_ask_ark_asvk.pem")
    policy, tcb = bytearray(report), bytearray(report)
    policy[42] += 1
    tcb[0x180] += 1

    assert "signature-invalid" in errors(judge(bytes(policy), endorsements))
    assert {"signature-invalid", "tcb-mismatch"} <= errors(judge(bytes(tcb), endorsements))
    without_ask = replace(
        endorsements,
        certificates=tuple(
            raw for raw in endorsements.certificates if display_name(parse_certificate(raw)) != "SEV-Milan"
        ),
    )
    assert "issuer-missing" in errors(judge(bytes(report), without_ask))


@pytest.mark.parametrize("name", ["test-vcek-invalid-legacy.der", "test-vcek-invalid-new.der"])
def test_synthetic_vceks_parse_and_do_not_chain(vectors: Vectors, name: str) -> None:
    raw = vectors.read(f"{TRUSTEE}snp/{name}")
    extensions = parse_certificate(raw).amd
    assert extensions is not None
    assert extensions.hwid is not None
    assert len(extensions.hwid) == 64

    pool = vectors.endorsements(f"{TRUSTEE_CHAINS}milan_ask_ark_asvk.pem").certificates
    path = find_path(raw, pool, AMD_ROOTS)
    assert path.root is None
    assert [str(flaw.code) for flaw in path.flaws] == ["certificate-signature"]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (f"{TRUSTEE_CHAINS}milan_ask_ark_asvk.pem", ["SEV-Milan", "SEV-VLEK-Milan"]),
        (f"{TRUSTEE_CHAINS}genoa_ask_ark_asvk.pem", ["SEV-Genoa", "SEV-VLEK-Genoa"]),
        (f"{TRUSTEE_CHAINS}turin_ask_ark_asvk.pem", ["SEV-Turin", "SEV-VLEK-Turin"]),
        (f"{GO_SEV}trust/ask_ark_genoa.pem", ["SEV-Genoa"]),
        (f"{GO_SEV}trust/ask_ark_genoa_vlek.pem", ["SEV-VLEK-Genoa"]),
        (f"{GO_SEV}trust/ask_ark_milan.pem", ["SEV-Milan"]),
        (f"{GO_SEV}trust/ask_ark_milan_vlek.pem", ["SEV-VLEK-Milan"]),
        (f"{GO_SEV}trust/ask_ark_turin_vcek.pem", ["SEV-Turin"]),
        (f"{GO_SEV}trust/ask_ark_turin_vlek.pem", ["SEV-VLEK-Turin"]),
        (f"{GO_SEV}testdata/milanvlek.testcer", ["SEV-VLEK-Milan"]),
        (f"{SEV}tests/certs_data/cert_chain_turin", ["SEV-Turin"]),
    ],
)
def test_published_chains_end_in_the_pinned_ark(vectors: Vectors, path: str, names: list[str]) -> None:
    pool = vectors.endorsements(path).certificates
    leaves = [raw for raw in pool if not display_name(parse_certificate(raw)).startswith("ARK-")]
    assert [display_name(parse_certificate(raw)) for raw in leaves] == names
    for raw in leaves:
        found = find_path(raw, pool, AMD_ROOTS)
        line = display_name(parse_certificate(raw)).rpartition("-")[2]
        assert found.root is not None
        assert found.root.name == f"AMD ARK-{line}"
        assert found.flaws == ()


@pytest.mark.parametrize("line", ["milan", "genoa", "turin"])
def test_single_ark_and_ask_files(vectors: Vectors, line: str) -> None:
    folder = f"{SEV}src/certs/snp/builtin/{line}"
    ask, ark = (vectors.endorsements(f"{folder}/{name}.pem").certificates[0] for name in ("ask", "ark"))
    path = find_path(ask, (ark,), AMD_ROOTS)
    assert path.root is not None
    assert path.flaws == ()


def test_turin_vcek_chains_and_belongs_to_turin(vectors: Vectors) -> None:
    vcek = vectors.read(f"{SEV}tests/certs_data/vcek_turin.der")
    pool = vectors.endorsements(f"{SEV}tests/certs_data/cert_chain_turin").certificates
    assert find_path(vcek, pool, AMD_ROOTS).root is not None

    # A Milan report is not Turin's: neither signature, nor product, nor chip, nor TCB.
    endorsements = vectors.endorsements(
        f"{SEV}tests/certs_data/vcek_turin.der", f"{SEV}tests/certs_data/cert_chain_turin"
    )
    found = errors(judge(vectors.milan_report(), endorsements))
    assert {"signature-invalid", "chip-id-mismatch", "tcb-mismatch"} <= found


def test_expired_at_the_time_asked_for(vectors: Vectors) -> None:
    report, endorsements = vectors.milan_report(), vectors.milan()

    late = judge(report, endorsements, at=datetime(2031, 1, 1, tzinfo=UTC))
    assert errors(late) == {"certificate-expired"}
    early = judge(report, endorsements, at=datetime(2019, 1, 1, tzinfo=UTC))
    assert errors(early) == {"certificate-not-yet-valid"}


@pytest.mark.parametrize("size", [0, 1, 0x49F, 0x4A1, 4096])
def test_other_sizes_are_malformed(vectors: Vectors, size: int) -> None:
    data = vectors.milan_report().ljust(size, b"\0")[:size]
    with pytest.raises(InvalidInput):
        judge(data, vectors.milan())
