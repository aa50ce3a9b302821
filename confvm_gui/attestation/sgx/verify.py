"""An SGX quote: the steps of `dcap.verify`, then the enclave itself.

8. ATTRIBUTES: INIT is set; DEBUG is not, unless that is allowed; reserved bytes of the report are zero
"""

from __future__ import annotations

from confvm_gui.attestation.codes import Code
from confvm_gui.attestation.dcap.enclave import EnclaveReport
from confvm_gui.attestation.dcap.quote import Quote, TeeType
from confvm_gui.attestation.dcap.verify import verify_quote
from confvm_gui.attestation.inquiry import Inquiry
from confvm_gui.domain.attestation import Evidence
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.event import Severity

_SOURCE = "enclave report"


def verify_sgx(inquiry: Inquiry, evidence: Evidence) -> None:
    """Evaluate an SGX quote; InvalidInput("evidence")."""
    quote = Quote.parse(evidence.data)
    if quote.tee is not TeeType.SGX:
        raise InvalidInput("evidence", "The quote is a TD's, not an SGX enclave's")
    report = EnclaveReport.parse(quote.body)
    inquiry.claim("measurement", report.mr_enclave, f"{_SOURCE} MRENCLAVE")
    inquiry.claim("mr_signer", report.mr_signer, f"{_SOURCE} MRSIGNER")
    inquiry.claim("report_data", report.report_data, f"{_SOURCE} REPORTDATA")
    inquiry.claim("isv_prod_id", report.isv_prod_id, f"{_SOURCE} ISVPRODID")
    inquiry.claim("isv_svn", report.isv_svn, f"{_SOURCE} ISVSVN")
    inquiry.claim("isv_ext_prod_id", report.isv_ext_prod_id, f"{_SOURCE} ISVEXTPRODID")
    inquiry.claim("isv_family_id", report.isv_family_id, f"{_SOURCE} ISVFAMILYID")
    inquiry.claim("config_id", report.config_id, f"{_SOURCE} CONFIGID")
    inquiry.claim("config_svn", report.config_svn, f"{_SOURCE} CONFIGSVN")
    inquiry.claim("attributes", report.attributes, f"{_SOURCE} ATTRIBUTES")
    inquiry.claim("attributes.debug", report.debug, f"{_SOURCE} ATTRIBUTES")
    inquiry.claim("attributes.provision_key", report.provision_key, f"{_SOURCE} ATTRIBUTES")
    inquiry.claim("misc_select", report.misc_select, f"{_SOURCE} MISCSELECT")
    inquiry.claim("report_cpu_svn", report.cpu_svn, f"{_SOURCE} CPUSVN")
    verify_quote(inquiry, quote)
    # 8.
    inquiry.reserved(report.reserved, _SOURCE)
    if not report.initialised:
        inquiry.error(Code.FIELD_INVALID, f"{_SOURCE} ATTRIBUTES", expected="INIT", actual=f"{report.flags:#x}")
    if report.debug:
        severity = Severity.WARNING if inquiry.reference.allow_debug else Severity.ERROR
        inquiry.add(Code.DEBUG_ALLOWED, severity, f"{_SOURCE} ATTRIBUTES", "a production enclave", f"{report.flags:#x}")
