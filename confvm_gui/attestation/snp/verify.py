"""An SNP attestation report (56860, ATTESTATION_REPORT; 57230, chapters 2 to 4; the checks of go-sev-guest besides):

1. the certificate (VCEK or VLEK, as KEY_INFO says) is there
2. it chains to the product's ARK, which is pinned: VCEK by the ASK, VLEK by the ASVK; validity; the ARK's list
3. the report is signed by its key, with ECDSA P-384 and SHA-384
4. the certificate is this product's, and a VCEK this chip's: HWID is CHIP_ID
5. the certificate's TCB is REPORTED_TCB, and not above CURRENT_TCB
6. the firmware is committed: COMMITTED is CURRENT, in TCB and version
7. POLICY does not allow debugging; a migration agent is told
8. what must be zero is zero; SIGNATURE_ALGO, VMPL and the author key's digest have values that are allowed
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from confvm_gui.attestation.codes import Code
from confvm_gui.attestation.inquiry import Inquiry, shortened
from confvm_gui.attestation.roots import AMD_ROOTS
from confvm_gui.attestation.snp.claims import claim_report, claim_tcbs, report_tcbs, written_tcb
from confvm_gui.attestation.x509.certificates import display_name, parse_certificate
from confvm_gui.attestation.x509.path import check_path
from confvm_gui.attestation.x509.signature import load_public_key
from confvm_gui.domain.attestation import Evidence
from confvm_gui.domain.event import Severity
from confvm_gui.sev.ecc_format import ECDSA_SIZE, decode_ecdsa
from confvm_gui.sev.snp_product import ProductLine
from confvm_gui.sev.snp_report import (
    ECDSA_P384_SHA384,
    NO_MIGRATION_AGENT,
    SIGNED_SIZE,
    SNP_REPORT_SIZE,
    VERSIONS,
    SnpReport,
)
from confvm_gui.sev.snp_report_flags import SigningKey
from confvm_gui.sev.tcb_version import TcbVersion
from confvm_gui.sev.vek_extensions import VekExtensions
from confvm_gui.sev.x509_certificate import X509Certificate

_SOURCE: Final = "SNP report"
_ECDSA: Final = ec.ECDSA(hashes.SHA384())
_HOST_REQUESTED: Final = 0xFFFFFFFF
_VMPLS: Final = 4

_EMULATED: Final = "Emulated "


def verify_snp(inquiry: Inquiry, evidence: Evidence) -> SnpReport | None:
    """Evaluate a report; InvalidInput("report") or ("certificate")."""
    return check_report(inquiry, evidence.data)


def check_report(inquiry: Inquiry, data: bytes) -> SnpReport | None:
    """Steps 1 to 8 for the SNP_REPORT_SIZE bytes of a report; InvalidInput("report") or ("certificate").

    None, and an error, for a report of a version that is not known: nothing of it can be read.
    """
    version = int.from_bytes(data[:4], "little")
    if len(data) == SNP_REPORT_SIZE and version not in VERSIONS:
        known = ", ".join(str(number) for number in VERSIONS)
        inquiry.error(Code.VERSION_UNKNOWN, _SOURCE, expected=known, actual=str(version))
        return None
    report = SnpReport.parse(data)
    claim_report(inquiry, report)
    found = _certificate(inquiry, report, data)  # 1.
    product = report.product
    if found is None:
        if product is not None:
            inquiry.claim("product", product.value, f"{_SOURCE} 0x188")
    else:
        certificate, vek, holds = found
        vek_product = vek.product
        product = product or vek_product
        _check_chain(inquiry, certificate, vek, vek_product)  # 2.
        inquiry.signed(_SOURCE, display_name(certificate), holds)  # 3.
        if not holds:
            inquiry.error(Code.SIGNATURE_INVALID, _SOURCE, expected=f"a signature by the {_kind(vek)}")
        _check_identity(inquiry, report, vek, vek_product, product)  # 4.
    _check_tcb(inquiry, report, product, found[1] if found else None)  # 5., 6.
    _check_policy(inquiry, report)  # 7.
    _check_fields(inquiry, report)  # 8.
    return report


def _certificate(
    inquiry: Inquiry, report: SnpReport, data: bytes
) -> tuple[X509Certificate, VekExtensions, bool] | None:
    """1. The certificate that signed, else the one that comes nearest, and whether it signed."""
    signing_key = report.key_info.signing_key
    if signing_key not in (SigningKey.VCEK, SigningKey.VLEK) or report.signature_algorithm != ECDSA_P384_SHA384:
        inquiry.error(
            Code.SIGNATURE_ALGORITHM,
            _SOURCE,
            expected="ECDSA P-384 with SHA-384 by a VCEK or VLEK",
            actual=f"algorithm {report.signature_algorithm}, key {report.key_info.signing_key_number}",
        )
    wanted_vlek = signing_key is SigningKey.VLEK
    candidates: list[tuple[X509Certificate, VekExtensions]] = []
    for raw in inquiry.endorsements.certificates:
        certificate = parse_certificate(raw)
        if certificate.amd is not None and certificate.amd.is_vlek == wanted_vlek:
            candidates.append((certificate, certificate.amd))
    # The chip's own come first, so that with a whole fleet's certificates few signatures are tried.
    if len(candidates) > 1:
        candidates.sort(key=lambda item: not _fits(report, item[1]))
    for certificate, vek in candidates[:4]:
        if report.signature_algorithm == ECDSA_P384_SHA384 and _signs(certificate.public_key_info, data):
            return certificate, vek, True
    if candidates:
        return *candidates[0], False
    inquiry.error(Code.SIGNER_MISSING, _SOURCE, expected=f"a {'VLEK' if wanted_vlek else 'VCEK'} certificate")
    return None


def _signs(public_key_info: bytes, data: bytes) -> bool:
    """3. Whether the key made the signature. Over the bytes as they came: what they decode to is not signed."""
    key = load_public_key(public_key_info)
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        return False
    try:
        key.verify(decode_ecdsa(data[SIGNED_SIZE : SIGNED_SIZE + ECDSA_SIZE]), data[:SIGNED_SIZE], _ECDSA)
    except InvalidSignature:
        return False
    return True


def _fits(report: SnpReport, vek: VekExtensions) -> bool:
    """Whether chip and TCB of a certificate are the report's, as far as can be told without its product."""
    if vek.hwid is not None and report.chip_id[: len(vek.hwid)] != vek.hwid:
        return False
    return written_tcb(vek.tcb)[0] == report.reported_tcb


def _kind(vek: VekExtensions) -> str:
    return "VLEK" if vek.is_vlek else "VCEK"


def _check_chain(
    inquiry: Inquiry, certificate: X509Certificate, vek: VekExtensions, vek_product: ProductLine | None
) -> None:
    """2. AMD lists ASKs and ASVKs; VCEKs all have the number 0, so no list can name one."""
    path = check_path(inquiry, certificate.encoded, inquiry.endorsements.certificates, AMD_ROOTS, first_revocable=1)
    line = vek_product.value if vek_product is not None else vek.product_name
    names = [link.name for link in reversed(path.links)]
    if path.root is not None and path.root.emulated:
        # An emulated hierarchy says so in every name; but for that its names are AMD's.
        names = [name.removeprefix(_EMULATED) for name in names]
    expected = [
        f"SEV-{'VLEK' if vek.is_vlek else 'VCEK'}",
        f"SEV-{'VLEK-' if vek.is_vlek else ''}{line}",
        f"ARK-{line}",
    ]
    if path.root is not None and names != expected:
        inquiry.error(
            Code.CERTIFICATE_MISMATCH, f"{_kind(vek)} chain", expected=" ← ".join(expected), actual=" ← ".join(names)
        )
    for number, value in vek.reserved_spls:
        if value:
            inquiry.error(Code.RESERVED_NOT_ZERO, f"{_kind(vek)} SPL{number}", expected="0", actual=str(value))
    if vek.csp_id is not None:
        inquiry.claim("csp_id", vek.csp_id, "VLEK CSP_ID")


def _check_identity(
    inquiry: Inquiry,
    report: SnpReport,
    vek: VekExtensions,
    vek_product: ProductLine | None,
    product: ProductLine | None,
) -> None:
    """4."""
    source = f"{_kind(vek)} productName"
    if report.cpu is not None and report.product is None:
        # A model that is newer than the table here. AMD's certificate names its line, and its chip is compared below.
        inquiry.warning(
            Code.PRODUCT_MISMATCH, f"{_SOURCE} CPUID", expected="a known product line", actual=str(report.cpu)
        )
    if product is None or vek_product is not product:
        inquiry.error(
            Code.PRODUCT_MISMATCH,
            source,
            expected=product.value if product is not None else "a known product line",
            actual=vek.product_name,
        )
    else:
        inquiry.claim("product", product.value, source if report.product is None else f"{_SOURCE} 0x188")
    if vek.hwid is None:
        return
    if report.chip_id_is_masked:
        inquiry.warning(Code.CHIP_ID_MASKED, f"{_SOURCE} CHIP_ID", expected=vek.hwid.hex(), actual="zeros")
    elif report.chip_id != vek.hwid.ljust(len(report.chip_id), b"\0"):
        inquiry.error(Code.CHIP_ID_MISMATCH, "VCEK HWID", expected=report.chip_id.hex(), actual=vek.hwid.hex())


def _check_tcb(inquiry: Inquiry, report: SnpReport, product: ProductLine | None, vek: VekExtensions | None) -> None:
    """5. and 6."""
    layout = report.tcb_layout or (product.tcb_layout if product is not None else None)
    if layout is None:
        inquiry.error(
            Code.PRODUCT_MISMATCH, f"{_SOURCE} CPUID", expected="a known product line", actual=str(report.cpu)
        )
        return
    tcbs = report_tcbs(report, layout)
    claim_tcbs(inquiry, tcbs)
    reported, current, committed = tcbs["reported_tcb"], tcbs["current_tcb"], tcbs["committed_tcb"]
    if vek is not None:
        _compare_certificate(inquiry, vek, tcbs)
    if reported != committed and not reported.below(committed):
        inquiry.warning(
            Code.TCB_ORDER, f"{_SOURCE} TCB", expected=f"reported at most committed ({committed})", actual=str(reported)
        )
    if committed != current and current.below(committed):
        inquiry.error(
            Code.TCB_ORDER, f"{_SOURCE} TCB", expected=f"committed at most current ({current})", actual=str(committed)
        )
    elif committed != current or report.committed_version != report.current_version:
        _provisional(inquiry, report, current, committed)


def _compare_certificate(inquiry: Inquiry, vek: VekExtensions, tcbs: dict[str, TcbVersion]) -> None:
    """5. And which of the report's versions the certificate does fit, because that is what people ask next."""
    number, text = written_tcb(vek.tcb)
    matching = tuple(name for name, tcb in tcbs.items() if written_tcb(tcb)[0] == number)
    inquiry.claim("certificate.tcb", text, _kind(vek))
    inquiry.claim("certificate.matches", matching, _kind(vek))
    reported, current = tcbs["reported_tcb"], tcbs["current_tcb"]
    if "reported_tcb" not in matching:
        inquiry.error(
            Code.TCB_MISMATCH,
            f"{_kind(vek)} TCB",
            expected=str(reported),
            actual=f"{vek.tcb}" + (f", which is {' and '.join(matching)}" if matching else ""),
        )
    if "current_tcb" not in matching and current.below(vek.tcb):
        inquiry.error(Code.TCB_ORDER, f"{_kind(vek)} TCB", expected=f"at most current ({current})", actual=str(vek.tcb))


def _provisional(inquiry: Inquiry, report: SnpReport, current: TcbVersion, committed: TcbVersion) -> None:
    """6. What the host's owner can still take back."""
    allowed = inquiry.reference.allow_provisional
    severity = {True: Severity.INFO, False: Severity.ERROR, None: Severity.WARNING}[allowed]
    inquiry.add(
        Code.FIRMWARE_PROVISIONAL,
        severity,
        f"{_SOURCE} COMMITTED",
        f"{current}, firmware {report.current_version}",
        f"{committed}, firmware {report.committed_version}",
    )


def _check_policy(inquiry: Inquiry, report: SnpReport) -> None:
    """7."""
    policy = report.policy
    if policy.debug:
        severity = Severity.WARNING if inquiry.reference.allow_debug else Severity.ERROR
        inquiry.add(Code.DEBUG_ALLOWED, severity, f"{_SOURCE} POLICY", "DEBUG clear", f"{policy.value:#x}")
    if policy.migrate_ma or report.report_id_ma != NO_MIGRATION_AGENT:
        inquiry.warning(
            Code.MIGRATION_AGENT,
            f"{_SOURCE} POLICY",
            expected="no migration agent",
            actual=f"{policy.value:#x}, REPORT_ID_MA {report.report_id_ma.hex()}",
        )
    version = report.current_version
    if not policy.allows_abi(version.api_major, version.api_minor):
        inquiry.error(
            Code.FIELD_INVALID,
            f"{_SOURCE} POLICY",
            expected=f"firmware {policy.abi_major}.{policy.abi_minor} or later",
            actual=str(version),
        )


def _check_fields(inquiry: Inquiry, report: SnpReport) -> None:
    """8."""
    for finding in report.reserved_findings():
        inquiry.error(
            Code.RESERVED_NOT_ZERO,
            f"{_SOURCE} {finding.offset:#05x} {finding.name}",
            expected=finding.expected,
            actual=shortened(finding.data.hex()),
        )
    if report.vmpl == _HOST_REQUESTED:
        inquiry.warning(Code.VMPL, f"{_SOURCE} VMPL", expected="0 to 3", actual="the host asked for this report")
    elif report.vmpl >= _VMPLS:
        inquiry.error(Code.FIELD_INVALID, f"{_SOURCE} VMPL", expected="0 to 3", actual=str(report.vmpl))
    if report.key_info.author_key_enabled and not any(report.author_key_digest):
        inquiry.error(
            Code.FIELD_INVALID, f"{_SOURCE} AUTHOR_KEY_DIGEST", expected="the author key's digest", actual="zeros"
        )
