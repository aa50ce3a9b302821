"""Which endorsements a piece of evidence needs, and where their manufacturers publish them. Nothing is fetched here.

AMD: VCEK, chain and list from the KDS (57230, chapter 4). Intel: TCB information, QE identity and lists from the PCS
(version 4), which gives issuers' certificates in response headers. Google: the lists that AK certificates name. What
is already among the endorsements is not asked for again, as far as that can be told without verifying.
"""

from __future__ import annotations

from typing import Final

from confvm_gui.attestation.azure.hcl_report import HardwareType, HclReport, looks_like_hcl
from confvm_gui.attestation.azure.verify import azure_parts
from confvm_gui.attestation.dcap.collateral import EnclaveIdentity, TcbInfo, parse_collateral
from confvm_gui.attestation.dcap.pck import parse_pck
from confvm_gui.attestation.dcap.quote import Quote, TeeType
from confvm_gui.attestation.dcap.verify import quote_certificates
from confvm_gui.attestation.gce.verify import attestation_certificates
from confvm_gui.attestation.recognise import recognise
from confvm_gui.attestation.tpm.material import quote_material
from confvm_gui.attestation.x509.certificates import crl_urls, parse_certificate, parse_crl
from confvm_gui.domain.attestation import (
    EndorsementKind,
    EndorsementNeed,
    Endorsements,
    Evidence,
    EvidenceFormat,
)
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.kds import VekKind, chain_url, crl_url, vcek_url
from confvm_gui.sev.snp_product import ProductLine, TcbLayout
from confvm_gui.sev.snp_report import SnpReport
from confvm_gui.sev.snp_report_flags import SigningKey

INTEL_PCS: Final = "https://api.trustedservices.intel.com"
EMULATED: Final = "Emulated "
"""How the names of an emulated platform's certificates begin."""
INTEL_ROOT_CRL: Final = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"


def needs(evidence: Evidence, endorsements: Endorsements) -> tuple[EndorsementNeed, ...]:
    """What is still to be fetched; InvalidInput if evidence or endorsements are malformed."""
    kind = evidence.format or recognise(evidence.data)
    match kind:
        case EvidenceFormat.SNP_REPORT:
            return _snp(evidence.data, endorsements)
        case EvidenceFormat.TDX_QUOTE | EvidenceFormat.SGX_QUOTE:
            return _intel(evidence.data, endorsements)
        case EvidenceFormat.AZURE_HCL | EvidenceFormat.AZURE_VTPM:
            return _azure(evidence, endorsements)
        case EvidenceFormat.GCE_VTPM:
            return _lists(attestation_certificates(evidence.data), endorsements)
        case EvidenceFormat.TPM_QUOTE:
            return _lists(quote_material(evidence).ak_certificates, endorsements)
    return ()


def product_candidates(report: SnpReport) -> tuple[ProductLine, ...]:
    """The product lines that a report may be of: one, or for version 2 those with its layout."""
    if report.product is not None:
        return (report.product,)
    if report.cpu is not None:
        return ()
    layout = report.tcb_layout
    lines = {
        TcbLayout.MILAN: (ProductLine.MILAN, ProductLine.GENOA),
        TcbLayout.TURIN: (ProductLine.TURIN,),
    }
    return lines[layout] if layout is not None else (ProductLine.MILAN, ProductLine.GENOA, ProductLine.TURIN)


def _snp(data: bytes, endorsements: Endorsements) -> tuple[EndorsementNeed, ...]:
    report = SnpReport.parse(data)
    certificates = [parse_certificate(raw) for raw in endorsements.certificates]
    is_vlek = report.key_info.signing_key is SigningKey.VLEK
    vek = VekKind.VLEK if is_vlek else VekKind.VCEK
    veks = [item for item in certificates if item.amd is not None and item.amd.is_vlek == is_vlek]
    if veks and all(item.issuer.common_name.startswith(EMULATED) for item in veks):
        return ()  # AMD knows nothing of an emulator's chips, and its chain is not theirs
    found: list[EndorsementNeed] = []
    lines = product_candidates(report)
    known = [item.amd.product for item in veks if item.amd is not None and item.amd.product is not None]
    for line in (line for line in lines if not known or line in known):
        if not veks and not is_vlek:
            try:
                tcb = report.tcb(report.reported_tcb, line.tcb_layout)
                found.append(EndorsementNeed(EndorsementKind.VCEK, vcek_url(line, report.chip_id, tcb)))
            except InvalidInput:
                continue  # a masked chip: nobody can ask for its certificate, which the verdict says
        if not any(item.subject.common_name == f"ARK-{line.value}" for item in certificates):
            found.append(EndorsementNeed(EndorsementKind.CERTIFICATE_CHAIN, chain_url(line, vek)))
        issuer = f"ARK-{line.value}"
        if not any(parse_crl(raw).issuer.common_name == issuer for raw in endorsements.crls):
            found.append(EndorsementNeed(EndorsementKind.CRL, crl_url(line, vek)))
    return tuple(found)


def _intel(data: bytes, endorsements: Endorsements) -> tuple[EndorsementNeed, ...]:
    quote = Quote.parse(data)
    found: list[EndorsementNeed] = []
    kind = "sgx" if quote.tee is TeeType.SGX else "tdx"
    documents = [parse_collateral(raw) for raw in endorsements.documents]
    pool = quote_certificates(quote) + endorsements.certificates
    leaf = next((raw for raw in pool if parse_pck(raw) is not None), None)
    pck = parse_pck(leaf) if leaf is not None else None
    if leaf is not None and pck is not None:
        if not any(isinstance(item, TcbInfo) and item.fmspc == pck.fmspc for item in documents):
            url = f"{INTEL_PCS}/{kind}/certification/v4/tcb?fmspc={pck.fmspc.hex()}"
            found.append(EndorsementNeed(EndorsementKind.TCB_INFO, url, "TCB-Info-Issuer-Chain"))
        issuer = parse_certificate(leaf).issuer.common_name
        if not any(parse_crl(raw).issuer.common_name == issuer for raw in endorsements.crls):
            ca = "processor" if "Processor" in issuer else "platform"
            url = f"{INTEL_PCS}/sgx/certification/v4/pckcrl?ca={ca}&encoding=der"
            found.append(EndorsementNeed(EndorsementKind.CRL, url, "SGX-PCK-CRL-Issuer-Chain"))
    wanted = "QE" if quote.tee is TeeType.SGX else "TD_QE"
    if not any(isinstance(item, EnclaveIdentity) and item.id == wanted for item in documents):
        url = f"{INTEL_PCS}/{kind}/certification/v4/qe/identity"
        found.append(EndorsementNeed(EndorsementKind.QE_IDENTITY, url, "SGX-Enclave-Identity-Issuer-Chain"))
    if not any(parse_crl(raw).issuer.common_name == "Intel SGX Root CA" for raw in endorsements.crls):
        found.append(EndorsementNeed(EndorsementKind.CRL, INTEL_ROOT_CRL))
    return tuple(found)


def _azure(evidence: Evidence, endorsements: Endorsements) -> tuple[EndorsementNeed, ...]:
    parts = azure_parts(evidence)
    data = parts.hcl if looks_like_hcl(parts.hcl) else evidence.data
    hcl = HclReport.parse(data)
    if hcl.type is HardwareType.SNP:
        return _snp(hcl.hardware, endorsements + Endorsements(certificates=parts.certificates))
    return _intel(parts.td_quote, endorsements) if parts.td_quote else ()


def _lists(certificates: tuple[bytes, ...], endorsements: Endorsements) -> tuple[EndorsementNeed, ...]:
    """Lists that certificates name and that are not there yet."""
    issuers = {parse_crl(raw).issuer.encoded for raw in endorsements.crls}
    urls = [
        url
        for certificate in (parse_certificate(raw) for raw in certificates)
        if certificate.issuer.encoded not in issuers
        for url in crl_urls(certificate)[:1]
    ]
    return tuple(EndorsementNeed(EndorsementKind.CRL, url) for url in dict.fromkeys(urls))
