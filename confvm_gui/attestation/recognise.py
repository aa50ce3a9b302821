"""Which format is this? By content, never by a file's name."""

from __future__ import annotations

from confvm_gui.attestation.azure.hcl_report import looks_like_hcl
from confvm_gui.attestation.azure.verify import looks_like_azure
from confvm_gui.attestation.dcap.quote import TeeType, looks_like_quote
from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.eventlog.canonical import looks_canonical
from confvm_gui.attestation.eventlog.log import log_algorithms, looks_like_event_log
from confvm_gui.attestation.gce.integrity_log import looks_like_integrity_log
from confvm_gui.attestation.gce.verify import looks_like_attestation
from confvm_gui.attestation.json_object import parse_object
from confvm_gui.attestation.nitro.document import looks_like_nitro
from confvm_gui.attestation.sev.launch import looks_like_launch
from confvm_gui.attestation.sev.platform import looks_like_platform
from confvm_gui.attestation.tpm.material import looks_like_bincode_quote
from confvm_gui.attestation.tpm.structures import looks_like_tpm_quote
from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.attestation_report import ATTESTATION_REPORT_SIZE
from confvm_gui.sev.snp_report import SNP_REPORT_SIZE, VERSIONS

_CC_ALGORITHMS = ((HashAlgorithm.SHA384,), (HashAlgorithm.SM3_256,))


def recognise(data: bytes) -> EvidenceFormat:
    """The format of evidence; InvalidInput("evidence") if it is none that is known."""
    if len(data) == SNP_REPORT_SIZE and int.from_bytes(data[:4], "little") in VERSIONS:
        return EvidenceFormat.SNP_REPORT
    for looks, found in (
        (looks_like_nitro, EvidenceFormat.NITRO),
        (looks_like_hcl, EvidenceFormat.AZURE_HCL),
        (looks_like_tpm_quote, EvidenceFormat.TPM_QUOTE),
        (looks_like_bincode_quote, EvidenceFormat.TPM_QUOTE),
        (looks_like_platform, EvidenceFormat.SEV_PLATFORM),
        (looks_like_attestation, EvidenceFormat.GCE_VTPM),
        (looks_canonical, EvidenceFormat.CANONICAL_EVENT_LOG),
    ):
        if looks(data):
            return found
    if looks_like_quote(data):
        tee = int.from_bytes(data[4:8], "little")
        return EvidenceFormat.TDX_QUOTE if tee == TeeType.TDX else EvidenceFormat.SGX_QUOTE
    if data[:256].lstrip()[:1] == b"{":
        return _recognise_json(data)
    if len(data) == SNP_REPORT_SIZE:  # of a version that is not known, which the verdict tells
        return EvidenceFormat.SNP_REPORT
    if len(data) == ATTESTATION_REPORT_SIZE:
        return EvidenceFormat.SEV_REPORT
    if looks_like_event_log(data):
        confidential = log_algorithms(data) in _CC_ALGORITHMS
        return EvidenceFormat.CC_EVENT_LOG if confidential else EvidenceFormat.TCG_EVENT_LOG
    raise InvalidInput(
        "evidence",
        f"These {len(data)} bytes are no evidence in a known format: SNP report, SEV measurement or certificates, "
        "TDX or SGX quote, TPM quote or event log, vTPM attestation, HCL report or Nitro document",
    )


def _recognise_json(data: bytes) -> EvidenceFormat:
    value = parse_object(data, "The evidence")
    if looks_like_launch(value):
        return EvidenceFormat.SEV_LAUNCH
    if looks_like_azure(value):
        return EvidenceFormat.AZURE_VTPM
    if looks_like_integrity_log(value):
        return EvidenceFormat.GCE_INTEGRITY
    if "tpm_quote" in value or {"message", "signature", "pcrs"} <= value.keys():
        return EvidenceFormat.TPM_QUOTE
    raise InvalidInput("evidence", "The JSON is no evidence in a known form")
