"""Words for what attestation speaks of: formats, occasions, groups of claims. Translated."""

from __future__ import annotations

from functools import cache

from confvm_gui.domain.attestation import ClaimValue, EvidenceFormat
from confvm_gui.domain.attestation_record import Occasion
from confvm_gui.ui.text import translate


@cache
def format_word(form: EvidenceFormat) -> str:
    """`SEV-SNP report`, `vTPM quote` …"""
    return {
        EvidenceFormat.SNP_REPORT: translate("EvidenceFormat", "SEV-SNP report"),
        EvidenceFormat.SEV_LAUNCH: translate("EvidenceFormat", "SEV launch measurement"),
        EvidenceFormat.SEV_REPORT: translate("EvidenceFormat", "SEV attestation report"),
        EvidenceFormat.SEV_PLATFORM: translate("EvidenceFormat", "SEV platform certificates"),
        EvidenceFormat.TDX_QUOTE: translate("EvidenceFormat", "TDX quote"),
        EvidenceFormat.SGX_QUOTE: translate("EvidenceFormat", "SGX quote"),
        EvidenceFormat.TPM_QUOTE: translate("EvidenceFormat", "vTPM quote"),
        EvidenceFormat.GCE_VTPM: translate("EvidenceFormat", "Compute Engine vTPM attestation"),
        EvidenceFormat.GCE_INTEGRITY: translate("EvidenceFormat", "Compute Engine integrity log"),
        EvidenceFormat.AZURE_VTPM: translate("EvidenceFormat", "Azure confidential VM evidence"),
        EvidenceFormat.AZURE_HCL: translate("EvidenceFormat", "Azure HCL report"),
        EvidenceFormat.NITRO: translate("EvidenceFormat", "Nitro attestation document"),
        EvidenceFormat.TCG_EVENT_LOG: translate("EvidenceFormat", "TCG event log"),
        EvidenceFormat.CC_EVENT_LOG: translate("EvidenceFormat", "Confidential computing event log"),
        EvidenceFormat.CANONICAL_EVENT_LOG: translate("EvidenceFormat", "Canonical event log"),
    }[form]


@cache
def occasion_word(occasion: Occasion) -> str:
    return {
        Occasion.LAUNCH: translate("Occasion", "Launch"),
        Occasion.REFRESH: translate("Occasion", "Asked for"),
        Occasion.INTEGRITY: translate("Occasion", "Integrity monitoring"),
        Occasion.FILE: translate("Occasion", "File"),
    }[occasion]


def claim_group(name: str) -> str:
    """The group that a claim belongs to: what stands before its last dot, at most two parts; "" for none."""
    return ".".join(name.split(".")[:-1][:2])


@cache
def group_word(group: str) -> str:
    """`reported_tcb` → `Reported TCB`; a group that is not known goes by its own name."""
    known = {
        "": translate("ClaimGroup", "What it says of itself"),
        "policy": translate("ClaimGroup", "Policy"),
        "platform": translate("ClaimGroup", "Platform"),
        "reported_tcb": translate("ClaimGroup", "TCB: reported"),
        "committed_tcb": translate("ClaimGroup", "TCB: committed"),
        "current_tcb": translate("ClaimGroup", "TCB: current"),
        "launch_tcb": translate("ClaimGroup", "TCB: at launch"),
        "certificate": translate("ClaimGroup", "Certificate"),
        "secure_boot": translate("ClaimGroup", "Secure Boot"),
        "pcr.sha1": translate("ClaimGroup", "PCRs (SHA-1)"),
        "pcr.sha256": translate("ClaimGroup", "PCRs (SHA-256)"),
        "pcr.sha384": translate("ClaimGroup", "PCRs (SHA-384)"),
    }
    return known.get(group, group)


def value_text(value: ClaimValue) -> str:
    """A claim's value on one line, in the words of reference files: `true`, `7`, `a, b`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
