"""Real TDX and SGX quotes, and Intel's collateral: every one gives what the manifest says of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from confvm_gui.attestation.dcap.collateral import EnclaveIdentity, TcbInfo, parse_collateral
from confvm_gui.attestation.dcap.quote import MAX_QUOTE_SIZE, BodyType, Quote, TeeType
from confvm_gui.attestation.endorsement_files import gather
from confvm_gui.attestation.tdx.td_report import TdReport
from confvm_gui.attestation.x509.certificates import key_fingerprint, parse_certificate, parse_crl
from confvm_gui.attestation.x509.signature import is_signed_by
from confvm_gui.domain.attestation import EvidenceFormat, EvidencePart, ReferenceValues
from confvm_gui.domain.errors import InvalidInput
from tests.unit.attestation.evidence_files import (
    DCAP,
    DSTACK,
    GO_TDX,
    TRUSTEE,
    Vectors,
    errors,
    flip,
    judge,
    trusted_flips,
    warnings,
)

pytestmark = pytest.mark.vectors

IN_WINDOW = datetime(2025, 7, 1, tzinfo=UTC)
"""Within the validity of the DCAP samples' collateral: 19 June to 19 July 2025."""
INTEL_ROOT = "a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e"

QUOTES = [
    (f"{TRUSTEE}tdx_quote_6.dat", EvidenceFormat.TDX_QUOTE, 4, datetime(2025, 11, 1, tzinfo=UTC)),
    (f"{TRUSTEE}az-tdx-vtpm/td-quote.bin", EvidenceFormat.TDX_QUOTE, 4, IN_WINDOW),
    (f"{DSTACK}ra-tls/assets/tdx_quote", EvidenceFormat.TDX_QUOTE, 4, IN_WINDOW),
    (f"{DCAP}tdx_quote", EvidenceFormat.TDX_QUOTE, 4, IN_WINDOW),
    (f"{GO_TDX}quote_v5_sample.dat", EvidenceFormat.TDX_QUOTE, 5, datetime(2026, 3, 1, tzinfo=UTC)),
    (f"{GO_TDX}ccel/cos-113-tdx-quote.dat", EvidenceFormat.TDX_QUOTE, 4, IN_WINDOW),
    (f"{DCAP}sgx_quote", EvidenceFormat.SGX_QUOTE, 3, IN_WINDOW),
    (f"{TRUSTEE}occlum_quote.dat", EvidenceFormat.SGX_QUOTE, 3, IN_WINDOW),
]


@pytest.fixture
def vectors(vectors_dir: Path) -> Vectors:
    return Vectors(vectors_dir)


@pytest.mark.parametrize(("path", "kind", "version", "at"), QUOTES)
def test_quotes_verify_to_intels_root(
    vectors: Vectors, path: str, kind: EvidenceFormat, version: int, at: datetime
) -> None:
    verdict = judge(vectors.read(path), reference=ReferenceValues(allow_debug=True), at=at)

    assert verdict.trusted, verdict.findings
    assert verdict.format is kind
    assert verdict.claim("quote_version") == version
    assert verdict.links[0].name == "Intel SGX Root CA"
    assert all(link.verified for link in verdict.links)
    assert {"collateral-missing", "revocation-not-checked"} <= warnings(verdict)


def test_the_occlum_enclave_is_a_debug_one(vectors: Vectors) -> None:
    verdict = judge(vectors.read(f"{TRUSTEE}occlum_quote.dat"))
    assert errors(verdict) == {"debug-allowed"}
    assert verdict.claim("attributes.debug") is True


def test_version_5_has_a_td_1_5_body(vectors: Vectors) -> None:
    quote = Quote.parse(vectors.read(f"{GO_TDX}quote_v5_sample.dat"))
    assert quote.body_type is BodyType.TD_15
    assert quote.tee is TeeType.TDX
    assert TdReport.parse(quote.body).mr_service_td == bytes(48)


@pytest.mark.parametrize(
    ("path", "padding"),
    [(f"{GO_TDX}ccel/cos-113-tdx-quote.dat", 3065), (f"{GO_TDX}quote_v5_sample.dat", 0), (f"{DCAP}tdx_quote", 0)],
)
def test_zeros_behind_a_quote_are_padding(vectors: Vectors, path: str, padding: int) -> None:
    data = vectors.read(path)
    stripped = data.rstrip(b"\0")
    assert len(data) - len(stripped) >= padding
    assert Quote.parse(data + bytes(70)).signature == Quote.parse(data).signature
    with pytest.raises(InvalidInput, match="not zero"):
        Quote.parse(data + b"\1")


def test_sgx_quote_with_collateral(vectors: Vectors) -> None:
    endorsements = vectors.endorsements(f"{DCAP}sgx_quote_collateral.json")
    verdict = judge(vectors.read(f"{DCAP}sgx_quote"), endorsements, at=IN_WINDOW)

    assert verdict.trusted
    assert verdict.claim("tcb_status") == "ConfigurationAndSWHardeningNeeded"
    assert verdict.claim("advisories") == ("INTEL-SA-00289", "INTEL-SA-00615")
    assert {"tcb-needs-hardening", "advisories"} <= warnings(verdict)
    assert not {"collateral-missing", "revocation-not-checked"} & warnings(verdict)
    strict = ReferenceValues(accepted_tcb_statuses=("SWHardeningNeeded",))
    assert errors(judge(vectors.read(f"{DCAP}sgx_quote"), endorsements, strict, at=IN_WINDOW)) == {
        "tcb-needs-hardening"
    }
    lenient = ReferenceValues(accepted_tcb_statuses=("ConfigurationAndSWHardeningNeeded",))
    accepted = judge(vectors.read(f"{DCAP}sgx_quote"), endorsements, lenient, at=IN_WINDOW)
    assert "tcb-needs-hardening" not in warnings(accepted)


def test_tdx_quote_with_collateral(vectors: Vectors) -> None:
    endorsements = vectors.endorsements(f"{DCAP}tdx_quote_collateral.json")
    verdict = judge(vectors.read(f"{DCAP}tdx_quote"), endorsements, at=IN_WINDOW)

    assert verdict.trusted
    assert verdict.claim("tcb_status") == "UpToDate"
    assert verdict.claim("advisories") == ()
    assert warnings(verdict) == {"report-data-not-expected", "measurement-not-expected"}


@pytest.mark.parametrize("at", [datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC)])
def test_collateral_of_another_time(vectors: Vectors, at: datetime) -> None:
    endorsements = vectors.endorsements(f"{DCAP}tdx_quote_collateral.json")
    verdict = judge(vectors.read(f"{DCAP}tdx_quote"), endorsements, at=at)

    assert errors(verdict) == {"collateral-not-current"}
    assert "revocation-list-not-current" in warnings(verdict)


def test_collateral_of_another_processor(vectors: Vectors) -> None:
    endorsements = vectors.endorsements(f"{DCAP}sgx_quote_collateral.json")
    verdict = judge(vectors.read(f"{DCAP}tdx_quote"), endorsements, at=IN_WINDOW)
    assert "collateral-mismatch" in errors(verdict)


@pytest.mark.parametrize("name", ["tdx", "sgx"])
def test_no_bit_of_the_quote_can_be_changed(vectors: Vectors, name: str) -> None:
    data = vectors.read(f"{DCAP}{name}_quote")
    quote = Quote.parse(data)
    # Header, body, signature, attestation key, QE report and its signature; the chain is tested by itself.
    end = data.index(quote.qe_auth, len(quote.signed)) + len(quote.qe_auth)
    bits = range(0, end * 8, 5)
    reference = ReferenceValues(allow_debug=True)

    assert judge(data, reference=reference, at=IN_WINDOW).trusted
    assert trusted_flips(data, bits, lambda bad: judge(bad, reference=reference, at=IN_WINDOW).trusted) == []


@pytest.mark.parametrize("index", [0, 1])
def test_no_bit_of_the_collateral_can_be_changed(vectors: Vectors, index: int) -> None:
    quote = vectors.read(f"{DCAP}tdx_quote")
    endorsements = vectors.endorsements(f"{DCAP}tdx_quote_collateral.json")
    document = endorsements.documents[index]

    def is_trusted(changed: bytes) -> bool:
        documents = tuple(changed if at == index else raw for at, raw in enumerate(endorsements.documents))
        return judge(quote, replace(endorsements, documents=documents), at=IN_WINDOW).trusted

    start = document.index(b":") + 1
    bits = range(start * 8, (len(document) - 2) * 8, 41)
    assert is_trusted(document)
    # A hex digit of the signature or a letter of its name may change its case: that changes no byte of it.
    assert [bit for bit in trusted_flips(document, bits, is_trusted) if bit % 8 != 5] == []


def test_published_collateral_of_other_projects(vectors: Vectors) -> None:
    tcb = parse_collateral(vectors.read(f"{GO_TDX}sample_tcbInfo_response"))
    identity = parse_collateral(vectors.read(f"{GO_TDX}sample_qeIdentity_response"))
    assert isinstance(tcb, TcbInfo)
    assert isinstance(identity, EnclaveIdentity)
    assert (tcb.id, tcb.fmspc.hex(), len(tcb.levels)) == ("TDX", "50806f000000", 2)
    assert (identity.id, identity.isv_prod_id, identity.levels[0].isv_svn) == ("TD_QE", 2, 4)

    root = vectors.endorsements(
        "google+go-tdx-guest/verify/trusted_root.pem", f"{GO_TDX}pckcrl", f"{GO_TDX}rootcrl.der"
    )
    certificate = parse_certificate(root.certificates[0])
    assert key_fingerprint(certificate.public_key_info) == INTEL_ROOT
    lists = [parse_crl(raw) for raw in root.crls]
    assert [crl.issuer.common_name for crl in lists] == ["Intel SGX PCK Platform CA", "Intel SGX Root CA"]
    crl = lists[1]
    encoded = crl.signature_algorithm.encoded
    assert is_signed_by(certificate.public_key_info, encoded, crl.signature, crl.signed_part)


def test_trustees_collateral_without_its_signer(vectors: Vectors) -> None:
    """TCB information and QE identity for quote 6; nobody's certificate comes with them, so they prove nothing."""
    endorsements = vectors.endorsements(f"{TRUSTEE}tcbInfo.json", f"{TRUSTEE}enclaveIdentity.json")
    at = datetime(2025, 11, 1, tzinfo=UTC)
    quote = vectors.read(f"{TRUSTEE}tdx_quote_6.dat")
    assert "signer-missing" in errors(judge(quote, endorsements, at=at))

    # With Intel's signer (out of another collateral) the signatures hold.
    signer = vectors.endorsements(f"{DCAP}tdx_quote_collateral.json").certificates
    verdict = judge(quote, replace(endorsements, certificates=signer), at=at)
    assert errors(verdict) == {"tcb-out-of-date"}
    assert verdict.claim("tcb_status") == "OutOfDate"


def test_the_event_log_of_a_td_gives_its_rtmrs(vectors: Vectors) -> None:
    quote, log = vectors.read(f"{GO_TDX}ccel/cos-113-tdx-quote.dat"), vectors.read(f"{GO_TDX}ccel/ccel_data.dat")
    verdict = judge(quote, parts={EvidencePart.CC_EVENT_LOG: log})

    assert verdict.trusted
    assert verdict.claim("rtmr3") == "00" * 48
    assert verdict.claim("secure_boot") is False
    assert "/syslinux/vmlinuz.A" in str(verdict.claim("kernel_command_line"))
    position = log.index(b"/syslinux/vmlinuz.A")
    changed = judge(quote, parts={EvidencePart.CC_EVENT_LOG: flip(log, position * 8)})
    assert "event-invalid" in errors(changed)
    # The first digest stands behind the specification event and register, type, count and algorithm of its event.
    start = 32 + int.from_bytes(log[28:32], "little") + 14
    moved = flip(log, start * 8)
    assert "event-log-mismatch" in errors(judge(quote, parts={EvidencePart.CC_EVENT_LOG: moved}))


def test_a_duplicate_separator_is_refused(vectors: Vectors) -> None:
    log = vectors.read("google+go-eventlog/testdata/eventlogs/ccel/cos-113-intel-tdx-dupe-separator.bin")
    verdict = judge(log)
    assert verdict.format is EvidenceFormat.CC_EVENT_LOG
    assert any("second separator at event" in finding.actual for finding in verdict.findings)
    # As go-eventlog's own test has it.
    rtmr0 = (
        b"\xa4\xde-\xf2>\x96\x11)\x91#\xbaCY\xc4*^W\x8b\x0f\x84\x88\xbf\x1b\xba\x8e\xf5`m"
        b"\x9e\xa5\xd8\x1c\x97\xc0d\xb4\x82\xa5\xea\xc57\xd1f\xbd\x0f\x0fu-"
    )
    assert verdict.claim("rtmr0") == rtmr0.hex()


def test_certificate_in_the_quote_is_damaged(vectors: Vectors) -> None:
    data = vectors.read(f"{DCAP}tdx_quote")
    begin = data.index(b"-----BEGIN CERTIFICATE-----") + 40
    changed = bytearray(data)
    changed[begin] = ord("A") if data[begin] != ord("A") else ord("B")
    found = errors(judge(bytes(changed), at=IN_WINDOW))
    assert found & {"certificate-malformed", "certificate-signature", "signer-missing"}


@pytest.mark.parametrize("name", ["tdx_quote", "sgx_quote"])
def test_truncated_and_oversized_quotes(vectors: Vectors, name: str) -> None:
    data = vectors.read(f"{DCAP}{name}").rstrip(b"\0")
    for size in (*range(48, len(data) - 1, 97), len(data) - 1):
        with pytest.raises(InvalidInput):
            judge(data[:size])
    with pytest.raises(InvalidInput):
        judge(data + bytes(MAX_QUOTE_SIZE))


def test_endorsement_files_that_are_cut_short(vectors: Vectors) -> None:
    whole = vectors.read(f"{DCAP}tdx_quote_collateral.json")
    document = vectors.read(f"{GO_TDX}sample_tcbInfo_response")
    for data in (whole[:-100], document[:-10], vectors.read(f"{GO_TDX}pckcrl")[:-1], b"{}", b"", b"something"):
        with pytest.raises(InvalidInput):
            gather((data,))
