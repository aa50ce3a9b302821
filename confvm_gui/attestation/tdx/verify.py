"""A TDX quote: the steps of `dcap.verify`, then the TD itself.

 8. the module that runs is Intel's: SEAMATTRIBUTES are zero (not a debug module), MRSIGNERSEAM is zero
 9. the TD is a production one: no bit of the group TUD (debug) is set in TDATTRIBUTES, reserved bits are zero
10. RTMRs are what the event log replays to, if one is given
"""

from __future__ import annotations

from confvm_gui.attestation.codes import Code
from confvm_gui.attestation.dcap.quote import BodyType, Quote, TeeType
from confvm_gui.attestation.dcap.verify import verify_quote
from confvm_gui.attestation.eventlog.verify import check_cc_log
from confvm_gui.attestation.inquiry import Inquiry
from confvm_gui.attestation.tdx.td_report import MIGRATABLE, PERFMON, SEPT_VE_DISABLE, TdReport
from confvm_gui.domain.attestation import Evidence, EvidencePart
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.event import Severity

_SOURCE = "TD report"


def verify_tdx(inquiry: Inquiry, evidence: Evidence) -> TdReport:
    """Evaluate a TDX quote, with the event log that may come beside it; InvalidInput("evidence")."""
    quote = Quote.parse(evidence.data)
    if quote.tee is not TeeType.TDX:
        raise InvalidInput("evidence", "The quote is an SGX enclave's, not a TD's")
    report = TdReport.parse(quote.body)
    _claim(inquiry, quote, report)
    verify_quote(inquiry, quote, report.tee_tcb_svn, (report.mr_signer_seam, report.seam_attributes))
    # 8.
    inquiry.reserved(report.seam_attributes, "SEAMATTRIBUTES")
    inquiry.reserved(report.mr_signer_seam, "MRSIGNERSEAM")
    # 9.
    if report.debug:
        severity = Severity.WARNING if inquiry.reference.allow_debug else Severity.ERROR
        inquiry.add(Code.DEBUG_ALLOWED, severity, "TDATTRIBUTES", "a production TD", f"{report.td_attributes:#018x}")
    if report.reserved_attributes:
        inquiry.error(
            Code.RESERVED_NOT_ZERO, "TDATTRIBUTES", expected="zeros", actual=f"{report.reserved_attributes:#018x}"
        )
    if report.td_attributes & MIGRATABLE:
        inquiry.warning(Code.MIGRATION_AGENT, "TDATTRIBUTES", actual="MIGRATABLE")
    # 10.
    log = evidence.parts.get(EvidencePart.CC_EVENT_LOG)
    if log is not None:
        check_cc_log(inquiry, log, report.rtmrs)
    return report


def _claim(inquiry: Inquiry, quote: Quote, report: TdReport) -> None:
    inquiry.claim("measurement", report.mr_td, f"{_SOURCE} MRTD")
    inquiry.claim("report_data", report.report_data, f"{_SOURCE} REPORTDATA")
    for index, value in enumerate(report.rtmrs):
        inquiry.claim(f"rtmr{index}", value, f"{_SOURCE} RTMR{index}")
    inquiry.claim("tdx_version", "1.5" if quote.body_type is BodyType.TD_15 else "1.0", "quote body type")
    inquiry.claim("tee_tcb_svn", report.tee_tcb_svn, f"{_SOURCE} TEE_TCB_SVN")
    inquiry.claim("mr_seam", report.mr_seam, f"{_SOURCE} MRSEAM")
    inquiry.claim("mr_signer_seam", report.mr_signer_seam, f"{_SOURCE} MRSIGNERSEAM")
    inquiry.claim("seam_attributes", report.seam_attributes, f"{_SOURCE} SEAMATTRIBUTES")
    inquiry.claim("td_attributes", f"{report.td_attributes:016x}", f"{_SOURCE} TDATTRIBUTES")
    inquiry.claim("td_attributes.debug", report.debug, f"{_SOURCE} TDATTRIBUTES")
    inquiry.claim(
        "td_attributes.sept_ve_disable", bool(report.td_attributes & SEPT_VE_DISABLE), f"{_SOURCE} TDATTRIBUTES"
    )
    inquiry.claim("td_attributes.migratable", bool(report.td_attributes & MIGRATABLE), f"{_SOURCE} TDATTRIBUTES")
    inquiry.claim("td_attributes.perfmon", bool(report.td_attributes & PERFMON), f"{_SOURCE} TDATTRIBUTES")
    inquiry.claim("xfam", f"{report.xfam:016x}", f"{_SOURCE} XFAM")
    inquiry.claim("mr_config_id", report.mr_config_id, f"{_SOURCE} MRCONFIGID")
    inquiry.claim("mr_owner", report.mr_owner, f"{_SOURCE} MROWNER")
    inquiry.claim("mr_owner_config", report.mr_owner_config, f"{_SOURCE} MROWNERCONFIG")
    if report.tee_tcb_svn_2 is not None and report.mr_service_td is not None:
        inquiry.claim("tee_tcb_svn_2", report.tee_tcb_svn_2, f"{_SOURCE} TEE_TCB_SVN_2")
        inquiry.claim("mr_service_td", report.mr_service_td, f"{_SOURCE} MRSERVICETD")
