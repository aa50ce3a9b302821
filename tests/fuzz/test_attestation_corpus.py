"""Every parser of evidence and endorsements, on the reference data with changes: nothing but InvalidInput, and in time.

Whatever is changed, the verdict on it is reached by the same way as on real evidence: with endorsements that fit, so
that all steps are taken.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from confvm_gui.attestation.bundle import Bundle, pack, unpack
from confvm_gui.attestation.endorsement_files import gather
from confvm_gui.attestation.eventlog.canonical import parse_canonical_log
from confvm_gui.attestation.eventlog.log import parse_event_log
from confvm_gui.attestation.needs import needs
from confvm_gui.attestation.nitro.cbor import decode
from confvm_gui.attestation.reference_file import parse_reference_values
from confvm_gui.attestation.verify import evaluate
from confvm_gui.attestation.x509.certificates import crl_urls, parse_certificate
from confvm_gui.domain.attestation import Endorsements, Evidence, EvidenceFormat, EvidencePart, ReferenceValues
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.amd_certificate import AmdCertificate
from confvm_gui.sev.attestation_report import AttestationReport
from confvm_gui.sev.ghcb_certificates import (
    ASK_GUID,
    VCEK_GUID,
    CertificateEntry,
    build_certificate_table,
    parse_certificate_table,
)
from confvm_gui.sev.key_material import TransportKey
from confvm_gui.sev.sev_certificate import SevCertificate
from confvm_gui.sev.snp_report import SnpReport
from confvm_gui.sev.x509_certificate import X509Certificate
from confvm_gui.sev.x509_crl import X509Crl
from tests.fuzz.mutation import hold, inputs_for_each
from tests.unit.attestation.authority import NOW, revocation_list
from tests.unit.attestation.evidence_files import (
    DCAP,
    DSTACK,
    GO_LOG,
    GO_SEV,
    GO_TDX,
    GO_TPM,
    SEV,
    TRUSTEE,
    TRUSTEE_LOGS,
    Vectors,
)
from tests.unit.attestation.test_nitro_documents import ROOT, document, payload
from tests.unit.attestation.test_sev_evidence import Platform, launch
from tests.unit.attestation.test_tpm_vectors import GOOGLE_CAS

pytestmark = pytest.mark.vectors

Target = tuple[Callable[[bytes], object], list[bytes]]
REFERENCE = ReferenceValues(
    report_data=b"nonce", measurements=(bytes(48), bytes(32)), allow_debug=True, launch_key=TransportKey(bytes(16))
)


def verdict_on(
    endorsements: Endorsements | None = None,
    kind: EvidenceFormat | None = None,
    parts: dict[str, bytes] | None = None,
) -> Callable[[bytes], object]:
    """Evaluate the input as evidence, recognised or as `kind`, and ask what it needs."""
    given = endorsements or Endorsements()

    def target(data: bytes) -> object:
        evidence = Evidence(data, kind, parts or {})
        verdict = evaluate(evidence, given, REFERENCE, NOW)
        needs(evidence, given)
        return verdict

    return target


def verdict_with(evidence: bytes, base: Endorsements) -> Callable[[bytes], object]:
    """Evaluate `evidence` with the input as a file of endorsements."""

    def target(data: bytes) -> object:
        return evaluate(Evidence(evidence), gather((data,)) + base, REFERENCE, NOW)

    return target


def part_of(evidence: bytes, part: EvidencePart, endorsements: Endorsements | None = None) -> Callable[[bytes], object]:
    """Evaluate `evidence` with the input beside it."""

    def target(data: bytes) -> object:
        return evaluate(Evidence(evidence, parts={part: data}), endorsements or Endorsements(), REFERENCE, NOW)

    return target


def trimmed(log: bytes) -> bytes:
    """A log without its padding, but for a few bytes."""
    return log[: parse_event_log(log).size + 16]


def snp(vectors: Vectors) -> Target:
    names = (f"{TRUSTEE}snp/test-report.bin", f"{GO_SEV}testdata/attestation.bin")
    corpus = [vectors.milan_report(), *(vectors.read(name) for name in names)]
    return verdict_on(vectors.milan(), EvidenceFormat.SNP_REPORT), corpus


def intel_quotes(vectors: Vectors) -> Target:
    names = (f"{DCAP}tdx_quote", f"{DCAP}sgx_quote", f"{GO_TDX}quote_v5_sample.dat", f"{TRUSTEE}occlum_quote.dat")
    collateral = vectors.endorsements(f"{DCAP}tdx_quote_collateral.json", f"{DCAP}sgx_quote_collateral.json")
    return verdict_on(collateral), [vectors.read(name) for name in names]


def intel_collateral(vectors: Vectors) -> Target:
    names = (
        f"{DCAP}tdx_quote_collateral.json",
        f"{GO_TDX}sample_tcbInfo_response",
        f"{GO_TDX}sample_qeIdentity_response",
        f"{TRUSTEE}tcbInfo.json",
        f"{GO_TDX}pckcrl",
        f"{GO_TDX}rootcrl.der",
        "google+go-tdx-guest/verify/trusted_root.pem",
    )
    return verdict_with(vectors.read(f"{DCAP}tdx_quote"), Endorsements()), [vectors.read(name) for name in names]


def amd_endorsements(vectors: Vectors) -> Target:
    names = (
        f"{SEV}tests/certs_data/vcek_milan.der",
        f"{SEV}tests/certs_data/vcek_turin.der",
        f"{SEV}tests/certs_data/cert_chain_milan",
        f"{SEV}src/certs/sev/builtin/naples/ark.cert",
        f"{SEV}tests/naples/pek.cert",
    )
    corpus = [vectors.read(name) for name in names]
    ask = vectors.milan().certificates[1]
    corpus.append(build_certificate_table((CertificateEntry(VCEK_GUID, corpus[0]), CertificateEntry(ASK_GUID, ask))))
    corpus.append(revocation_list(ROOT, dict.fromkeys(range(1, 40), NOW)))
    return verdict_with(vectors.milan_report(), vectors.milan()), corpus


def tpm_logs(vectors: Vectors) -> Target:
    folder = f"{GO_TPM}internal/test/eventlogs/"
    names = ("arch-linux-workstation", "cos-101-amd-sev", "debian-10", "rhel8-uefi", "gdc-host")
    corpus = [vectors.read(f"{folder}{name}.bin") for name in names]
    legacy = ("sb_cert_eventlog", "option_rom_eventlog", "short_no_action_eventlog", "ebs_event_missing_eventlog")
    corpus += [vectors.read(f"{GO_LOG}legacydata/{name}") for name in legacy]
    return verdict_on(kind=EvidenceFormat.TCG_EVENT_LOG), corpus


def cc_logs(vectors: Vectors) -> Target:
    names = ("CCEL_data_csv", "CCEL_data_grub", "CCEL_data_grub_gke", "CCEL_data_ovmf", "CCEL_AAEL_alibabacloud")
    corpus = [trimmed(vectors.read(f"{TRUSTEE_LOGS}{name}")) for name in names]
    return verdict_on(kind=EvidenceFormat.CC_EVENT_LOG), corpus


def log_of_a_td(vectors: Vectors) -> Target:
    quote = vectors.read(f"{GO_TDX}ccel/cos-113-tdx-quote.dat")
    return part_of(quote, EvidencePart.CC_EVENT_LOG), [trimmed(vectors.read(f"{GO_TDX}ccel/ccel_data.dat"))]


def canonical_logs(vectors: Vectors) -> Target:
    corpus = [base64.b64decode(vectors.read(f"{GO_TPM}agent/testdata/cel.b64"))]
    return verdict_on(kind=EvidenceFormat.CANONICAL_EVENT_LOG), corpus


def gce(vectors: Vectors) -> Target:
    folder = f"{GO_TPM}internal/test/attestations/gce-cos-85-"
    corpus = [vectors.read(f"{folder}{name}.pb") for name in ("no-nonce", "nonce9009")]
    return verdict_on(vectors.endorsements(*GOOGLE_CAS), EvidenceFormat.GCE_VTPM), corpus


def gce_certificates(vectors: Vectors) -> Target:
    folder = f"{GO_TPM}internal/test/certificates/"
    names = ("pca_tpm_ecc_sign_cert", "pca_tpm_rsa_enc_cert", "uca_tpm_ecc_enc_cert", "uca_tpm_rsa_sign_cert")
    corpus = [vectors.endorsements(f"{folder}{name}.pem").certificates[0] for name in names]
    quote = vectors.read(f"{TRUSTEE}az-snp-vtpm/tpm-quote.msg")
    evaluated = part_of(quote, EvidencePart.AK_CERTIFICATE, vectors.endorsements(*GOOGLE_CAS))

    def target(data: bytes) -> None:
        evaluated(data)
        crl_urls(parse_certificate(data))

    return target, corpus


def azure_json(vectors: Vectors) -> Target:
    names = ("az-snp-vtpm/evidence-v1.json", "az-snp-vtpm/evidence-v2.json", "az-tdx-vtpm/evidence-v1.json")
    return verdict_on(vectors.milan()), [vectors.read(f"{TRUSTEE}{name}") for name in names]


def azure_hcl(vectors: Vectors) -> Target:
    quote = vectors.read(f"{TRUSTEE}az-snp-vtpm/quote.bin")
    td_quote = vectors.read(f"{TRUSTEE}az-tdx-vtpm/td-quote.bin")
    parts: dict[str, bytes] = {EvidencePart.TPM_QUOTE: quote, EvidencePart.TD_QUOTE: td_quote}
    corpus = [vectors.read(f"{TRUSTEE}{name}/hcl-report.bin") for name in ("az-snp-vtpm", "az-tdx-vtpm")]
    return verdict_on(vectors.endorsements(f"{TRUSTEE}az-snp-vtpm/vcek.pem"), parts=parts), corpus


def tpm_quotes(vectors: Vectors) -> Target:
    names = (
        f"{TRUSTEE}tpm_evidence.json",
        f"{TRUSTEE}az-snp-vtpm/tpm-quote-v1.json",
        f"{TRUSTEE}az-snp-vtpm/quote.bin",
        f"{TRUSTEE}az-snp-vtpm/tpm-quote.msg",
        f"{DSTACK}tpm-attest/tests/tpm_quote_sample.bin",
    )
    return verdict_on(kind=EvidenceFormat.TPM_QUOTE), [vectors.read(name) for name in names]


def tpm_keys(vectors: Vectors) -> Target:
    evidence = json.loads(vectors.read(f"{TRUSTEE}tpm_evidence.json"))
    public = base64.b64decode(evidence["ak_public"])
    attestation = vectors.read(f"{GO_TPM}internal/test/attestations/gce-cos-85-no-nonce.pb")
    start = 3 if attestation[1] & 0x80 else 2
    area = attestation[start : start + 282]
    quote = vectors.read(f"{TRUSTEE}az-snp-vtpm/tpm-quote.msg")
    return part_of(quote, EvidencePart.AK_PUBLIC), [public, area, area[2:]]


def nitro(_: Vectors) -> Target:
    return verdict_on(), [document(), document(payload(pcrs="absent", nitrotpm_pcrs={4: bytes(48)}), tag=b"\xd2")]


def cbor(_: Vectors) -> Target:
    return lambda data: decode(data, "The value"), [document(), bytes.fromhex("a201820102616143010203")]


def sev_launches(_: Vectors) -> Target:
    return verdict_on(), [launch()]


def sev_platforms(vectors: Vectors) -> Target:
    real = b"".join(vectors.read(f"{SEV}tests/naples/{name}.cert") for name in ("pdh", "pek", "oca", "cek"))
    naples = [f"{SEV}src/certs/sev/builtin/naples/{name}.cert" for name in ("ark", "ask")]
    return verdict_on(vectors.endorsements(*naples), EvidenceFormat.SEV_PLATFORM), [real, Platform().chain()]


def anything(vectors: Vectors) -> Target:
    """Formats are recognised by content, and so may be confused with one another."""
    corpus = [
        vectors.milan_report(),
        vectors.read(f"{DCAP}tdx_quote"),
        vectors.read(f"{TRUSTEE}az-snp-vtpm/hcl-report.bin"),
        vectors.read(f"{TRUSTEE}tpm_evidence.json"),
        vectors.read(f"{GO_TPM}internal/test/eventlogs/debian-10.bin"),
        document(),
        launch(),
        b"",
    ]
    return verdict_on(vectors.milan()), corpus


def reference_files(_: Vectors) -> Target:
    toml = b'report_data = "00"\n[expected]\n"policy.debug" = false\n[[trusted_roots]]\nname = "x"\n'
    text = b'{"measurements": ["00"], "minimum": {"a": 1}, "forbidden": {"chip_id": ["00"]}, "trusted_keys": []}'
    return parse_reference_values, [toml, text]


def bare_parsers(vectors: Vectors) -> Target:
    """The formats of `sev`, and what `evaluate` does not reach with everything."""
    parsers: tuple[Callable[[bytes], object], ...] = (
        SnpReport.parse,
        X509Certificate,
        X509Crl,
        parse_certificate_table,
        AmdCertificate.parse,
        SevCertificate.parse,
        AttestationReport.parse,
        parse_event_log,
        parse_canonical_log,
    )
    corpus = [
        vectors.milan_report(),
        vectors.read(f"{SEV}tests/certs_data/vcek_milan.der"),
        vectors.read(f"{GO_TDX}pckcrl"),
        vectors.read(f"{SEV}src/certs/sev/builtin/naples/ark.cert"),
        vectors.read(f"{SEV}tests/naples/pek.cert"),
    ]

    def target(data: bytes) -> None:
        for parser in parsers:
            with_only_invalid_input(parser, data)

    return target, corpus


def with_only_invalid_input(parser: Callable[[bytes], object], data: bytes) -> None:
    with suppress(InvalidInput):
        parser(data)


def bundles(vectors: Vectors) -> Target:
    packed = pack(Bundle(Evidence(vectors.milan_report()), vectors.milan(), NOW))
    parts: dict[str, bytes] = {EvidencePart.EVENT_LOG: bytes(100)}
    other = pack(Bundle(Evidence(b"x", EvidenceFormat.TPM_QUOTE, parts), Endorsements()))

    def target(data: bytes) -> object:
        bundle = unpack(data)
        return evaluate(bundle.evidence, bundle.endorsements, REFERENCE, NOW)

    return target, [packed, other]


TARGETS = (
    snp,
    intel_quotes,
    intel_collateral,
    amd_endorsements,
    tpm_logs,
    cc_logs,
    log_of_a_td,
    canonical_logs,
    gce,
    gce_certificates,
    azure_json,
    azure_hcl,
    tpm_quotes,
    tpm_keys,
    nitro,
    cbor,
    sev_launches,
    sev_platforms,
    anything,
    reference_files,
    bare_parsers,
    bundles,
)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("make", TARGETS, ids=lambda make: str(make.__name__))
def test_nothing_but_invalid_input_and_in_time(vectors_dir: Path, make: Callable[[Vectors], Target]) -> None:
    target, corpus = make(Vectors(vectors_dir))
    assert hold(target, corpus, make.__name__) == inputs_for_each()


def test_ci_tries_a_hundred_thousand_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONFVM_FUZZ_INPUTS", raising=False)
    monkeypatch.setenv("CI", "true")
    assert len(TARGETS) * inputs_for_each() >= 100_000
