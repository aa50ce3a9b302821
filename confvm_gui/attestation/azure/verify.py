"""Evidence of Azure's confidential VMs, in the order in which the trustee's verifiers do it:

    1. the hardware report is genuine: an SNP report by its VCEK, a TD by its quote (`snp`, `tdx`)
    2. its report data begin with the hash of the HCL's runtime data; an SNP report was asked for at VMPL 0
    3. the vTPM's quote is signed by HCLAkPub, a key of the runtime data
    4. the PCR values hash to the quote's digest

    JSON: {"hcl_report" or "report", "tpm_quote" or "quote": {"message", "signature", "pcrs"}, "vcek" | "td_quote"}

Claims of the hardware have the prefix `hardware.`; `report_data` is the nonce in the vTPM's quote.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from confvm_gui.attestation.azure.hcl_report import HardwareType, HclReport, looks_like_hcl
from confvm_gui.attestation.codes import Code
from confvm_gui.attestation.eventlog.verify import check_tpm_log
from confvm_gui.attestation.inquiry import Inquiry
from confvm_gui.attestation.json_object import JsonReader, parse_object
from confvm_gui.attestation.pem import is_pem, pem_certificates
from confvm_gui.attestation.snp.verify import check_report
from confvm_gui.attestation.tdx.verify import verify_tdx
from confvm_gui.attestation.tpm.keys import jwk_key, key_info
from confvm_gui.attestation.tpm.material import QuoteMaterial, json_quote, quote_material
from confvm_gui.attestation.tpm.structures import TpmQuote
from confvm_gui.attestation.tpm.verify import check_pcrs, check_signature, claim_quote
from confvm_gui.attestation.x509.certificates import key_fingerprint
from confvm_gui.attestation.x509.path import readable
from confvm_gui.domain.attestation import Endorsements, Evidence, EvidencePart, TrustLink

_HCL: Final = "HCL report"
_AK: Final = "HCLAkPub"
_CONFIGURATION: Final = "vm-configuration"


@dataclass(frozen=True, slots=True)
class AzureMaterial:
    """What belongs together."""

    hcl: bytes
    quote: QuoteMaterial | None
    td_quote: bytes
    certificates: tuple[bytes, ...]
    """DER: the VCEK, and perhaps its chain."""
    event_log: bytes


def looks_like_azure(value: dict[str, object]) -> bool:
    """Whether a JSON object is Azure's evidence."""
    return ("hcl_report" in value or "report" in value) and ("tpm_quote" in value or "quote" in value)


def verify_azure(inquiry: Inquiry, evidence: Evidence) -> None:
    """Evaluate an HCL report, alone or with what comes beside it; InvalidInput("evidence")."""
    material = azure_parts(evidence)
    hcl = HclReport.parse(material.hcl)
    holds = _check_hardware(inquiry, hcl, material)
    runtime = hcl.json()
    ak = hcl.key(_AK)
    key = jwk_key(ak)
    inquiry.claim("ak.fingerprint", key_fingerprint(key_info(key)), f"{_HCL}, {_AK}")
    inquiry.link(TrustLink(_AK, _HCL, holds))
    _claim_runtime(inquiry, runtime)
    if material.quote is None:
        inquiry.warning(Code.PART_NOT_VERIFIED, _HCL, expected="the vTPM's quote")
        return
    quote = TpmQuote.parse(material.quote.message)
    claim_quote(inquiry, quote)
    check_signature(inquiry, material.quote, key, _AK)  # 3.
    quoted = check_pcrs(inquiry, quote, material.quote)  # 4.
    if material.event_log:
        check_tpm_log(inquiry, material.event_log, quoted)
    else:
        inquiry.warning(Code.EVENT_LOG_MISSING, "TPM quote")


def azure_parts(evidence: Evidence) -> AzureMaterial:
    """Collect them; InvalidInput("evidence")."""
    parts = evidence.parts
    hcl, td_quote = evidence.data, b""
    quote: QuoteMaterial | None = None
    certificates: tuple[bytes, ...] = ()
    if not looks_like_hcl(evidence.data):
        hcl, quote, td_quote, certificates = _from_json(evidence.data)
    if EvidencePart.TPM_QUOTE in parts:
        quote = quote_material(Evidence(parts[EvidencePart.TPM_QUOTE]))
    return AzureMaterial(
        hcl,
        quote,
        parts.get(EvidencePart.TD_QUOTE, td_quote),
        certificates,
        parts.get(EvidencePart.EVENT_LOG, b""),
    )


def _from_json(data: bytes) -> tuple[bytes, QuoteMaterial, bytes, tuple[bytes, ...]]:
    reader = JsonReader(parse_object(data, "Azure's evidence"), "Azure's evidence")
    hcl = reader.binary("hcl_report" if reader.has("hcl_report") else "report")
    message, signature, banks = json_quote(reader.member("tpm_quote" if reader.has("tpm_quote") else "quote"))
    td_quote = reader.binary("td_quote") if reader.has("td_quote") else b""
    certificates: tuple[bytes, ...] = ()
    if reader.has("vcek"):
        pem = reader.text("vcek").encode("utf-8", "replace")
        certificates = pem_certificates(pem, "evidence") if is_pem(pem) else (reader.binary("vcek"),)
    return hcl, QuoteMaterial(message=message, signature=signature, banks=banks), td_quote, certificates


def _check_hardware(inquiry: Inquiry, hcl: HclReport, material: AzureMaterial) -> bool:
    """1. and 2. Whether the runtime data are bound to genuine hardware's report."""
    before = len(inquiry.found)
    if hcl.type is HardwareType.SNP:
        endorsements = inquiry.endorsements
        certificates = readable(inquiry, material.certificates, "Azure's evidence")
        inquiry.endorsements = Endorsements(certificates=certificates) + endorsements
        inquiry.prefix = "hardware."
        report = check_report(inquiry, hcl.hardware)
        inquiry.prefix = ""
        inquiry.endorsements = endorsements
        report_data, measurement, source = b"", b"", "SNP report"
        if report is not None:
            report_data, measurement = report.report_data, report.measurement
            if report.vmpl:
                inquiry.error(Code.VMPL, "SNP report VMPL", expected="0", actual=str(report.vmpl))
    elif not material.td_quote:
        inquiry.error(Code.SIGNER_MISSING, _HCL, expected="the TD's quote: a TDREPORT proves nothing elsewhere")
        report_data, measurement, source = hcl.td_report_data(), b"", "TDREPORT"
    else:
        inquiry.prefix = "hardware."
        td = verify_tdx(inquiry, Evidence(material.td_quote))
        inquiry.prefix = ""
        report_data, measurement, source = td.report_data, td.mr_td, "TD quote"
    inquiry.claim("hardware", hcl.type.name, _HCL)
    if measurement:
        inquiry.claim("measurement", measurement, source)
    bound = hcl.bound()
    holds = inquiry.equal(
        Code.BINDING_BROKEN, f"{source} report data", expected=bound, actual=report_data[: len(bound)]
    )
    inquiry.reserved(report_data[len(bound) :], f"{source} report data")
    inquiry.link(TrustLink(_HCL, source, holds))
    return holds and len(inquiry.found) == before


def _claim_runtime(inquiry: Inquiry, runtime: JsonReader) -> None:
    """What the runtime data say of the VM: bound to the hardware's report by its hash."""
    if runtime.has("user-data"):
        inquiry.claim("azure.user_data", runtime.text("user-data"), _HCL)
    if not runtime.has(_CONFIGURATION):
        return
    for name, value in runtime.member(_CONFIGURATION).value.items():
        if isinstance(value, str | int | bool) and len(name) <= 64:
            inquiry.claim(f"azure.{name}", value, f"{_HCL}, {_CONFIGURATION}")
