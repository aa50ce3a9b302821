"""What an SNP report claims, under stable names (56860, ATTESTATION_REPORT)."""

from __future__ import annotations

from functools import lru_cache

from confvm_gui.attestation.inquiry import Inquiry
from confvm_gui.domain.attestation import Claim
from confvm_gui.sev.measurement import FirmwareVersion
from confvm_gui.sev.snp_product import TcbLayout
from confvm_gui.sev.snp_report import SnpReport
from confvm_gui.sev.tcb_version import TcbVersion

TCB_FIELDS = (
    ("reported_tcb", "SNP report 0x180"),
    ("current_tcb", "SNP report 0x038"),
    ("committed_tcb", "SNP report 0x1E0"),
    ("launch_tcb", "SNP report 0x1F0"),
)
"""Names of the report's TCB fields, and where they stand."""


def report_tcbs(report: SnpReport, layout: TcbLayout) -> dict[str, TcbVersion]:
    """The four TCB versions, by the names of TCB_FIELDS."""
    return {
        "reported_tcb": TcbVersion.decode(report.reported_tcb, layout),
        "current_tcb": TcbVersion.decode(report.current_tcb, layout),
        "committed_tcb": TcbVersion.decode(report.committed_tcb, layout),
        "launch_tcb": TcbVersion.decode(report.launch_tcb, layout),
    }


@lru_cache(maxsize=64)
def _version_claims(name: str, source: str, version: FirmwareVersion) -> tuple[Claim, ...]:
    return (
        Claim(name, f"{version.api_major}.{version.api_minor}.{version.build}", source),
        Claim(f"{name}.major", version.api_major, source),
        Claim(f"{name}.minor", version.api_minor, source),
        Claim(f"{name}.build", version.build, source),
    )


@lru_cache(maxsize=256)
def _tcb_claims(name: str, source: str, tcb: TcbVersion) -> tuple[Claim, ...]:
    parts = tuple(Claim(f"{name}.{part}", value, source) for part, value in tcb.components())
    return (Claim(name, str(tcb), source), *parts)


@lru_cache(maxsize=256)
def written_tcb(tcb: TcbVersion) -> tuple[int, str]:
    """A TCB version as a number and as text."""
    return tcb.to_int(), str(tcb)


def claim_report(inquiry: Inquiry, report: SnpReport) -> None:
    """All fields but the TCB versions, which need the product's layout."""
    policy, platform = report.policy, report.platform_info
    signing_key = report.key_info.signing_key
    inquiry.claim_all(
        (
            ("measurement", report.measurement, "SNP report 0x090"),
            ("report_data", report.report_data, "SNP report 0x050"),
            ("host_data", report.host_data, "SNP report 0x0C0"),
            ("report_version", report.version, "SNP report 0x000"),
            ("guest_svn", report.guest_svn, "SNP report 0x004"),
            ("policy", f"{policy.value:#x}", "SNP report 0x008"),
            ("policy.debug", policy.debug, "SNP report 0x008"),
            ("policy.flags", policy.names(), "SNP report 0x008"),
            ("policy.abi", f"{policy.abi_major}.{policy.abi_minor}", "SNP report 0x008"),
            ("family_id", report.family_id, "SNP report 0x010"),
            ("image_id", report.image_id, "SNP report 0x020"),
            ("vmpl", report.vmpl, "SNP report 0x030"),
            ("platform_info", f"{platform.value:#x}", "SNP report 0x040"),
            ("platform_info.flags", platform.names(), "SNP report 0x040"),
            ("platform_info.smt", platform.smt, "SNP report 0x040"),
            ("platform_info.tsme", platform.tsme, "SNP report 0x040"),
            ("platform_info.alias_check_complete", platform.alias_check_complete, "SNP report 0x040"),
            ("platform_info.ciphertext_hiding", platform.ciphertext_hiding, "SNP report 0x040"),
            ("signing_key", signing_key.name if signing_key is not None else "reserved", "SNP report 0x048"),
            ("author_key_enabled", report.key_info.author_key_enabled, "SNP report 0x048"),
            ("id_key_digest", report.id_key_digest, "SNP report 0x0E0"),
            ("author_key_digest", report.author_key_digest, "SNP report 0x110"),
            ("report_id", report.report_id, "SNP report 0x140"),
            ("report_id_ma", report.report_id_ma, "SNP report 0x160"),
            ("chip_id", report.chip_id, "SNP report 0x1A0"),
        )
    )
    if report.cpu is not None:
        cpu = report.cpu
        inquiry.claim(
            "cpu", f"family {cpu.family:#x} model {cpu.model:#x} stepping {cpu.stepping:#x}", "SNP report 0x188"
        )
    for name, version, source in (
        ("current_version", report.current_version, "SNP report 0x1E8"),
        ("committed_version", report.committed_version, "SNP report 0x1EC"),
    ):
        inquiry.claim_kept(_version_claims(name, source, version))
    if report.launch_mit_vector is not None and report.current_mit_vector is not None:
        inquiry.claim("launch_mitigations", f"{report.launch_mit_vector:#x}", "SNP report 0x1F8")
        inquiry.claim("current_mitigations", f"{report.current_mit_vector:#x}", "SNP report 0x200")


def claim_tcbs(inquiry: Inquiry, tcbs: dict[str, TcbVersion]) -> None:
    """Each TCB version whole, and each of its components, so that each can have a floor."""
    for name, source in TCB_FIELDS:
        inquiry.claim_kept(_tcb_claims(name, source, tcbs[name]))
