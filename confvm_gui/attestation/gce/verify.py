"""GCE's vTPM attestation (go-tpm-tools, proto/attest.proto and proto/tpm.proto):

Attestation { ak_pub 1, quotes 2 repeated, event_log 3, instance_info 4, canonical_event_log 5, ak_cert 6,
              intermediate_certs 7 repeated, sev_snp_attestation 8, tdx_attestation 9 }
Quote { quote 1, raw_sig 2, pcrs 3 }     PCRs { hash 1, pcrs 2: map of uint32 and bytes }

1. the AK: its certificate goes to Google's root, and its key is ak_pub
2. every quote is signed by the AK, and its PCRs hash to its digest; all carry the same nonce
3. the event log replays to the PCRs of every bank
4. the instance that the message names is the certificate's
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from confvm_gui.attestation.byte_reader import require_size
from confvm_gui.attestation.codes import Code
from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.eventlog.verify import check_tpm_log
from confvm_gui.attestation.gce.instance_info import InstanceInfo, instance_info
from confvm_gui.attestation.gce.protobuf import Message
from confvm_gui.attestation.inquiry import Inquiry
from confvm_gui.attestation.tpm.keys import key_info
from confvm_gui.attestation.tpm.material import Banks, QuoteMaterial
from confvm_gui.attestation.tpm.structures import TpmQuote, hash_algorithm, looks_like_tpm_quote
from confvm_gui.attestation.tpm.verify import attestation_key, check_pcrs, check_signature, claim_quote, vouch
from confvm_gui.attestation.x509.certificates import key_fingerprint, parse_certificate
from confvm_gui.attestation.x509.path import readable
from confvm_gui.domain.attestation import Evidence
from confvm_gui.domain.errors import InvalidInput

MAX_ATTESTATION_SIZE: Final = 2 << 20
_MAX_QUOTES: Final = 8
_MAX_PCRS: Final = 32
_TEE_FIELDS: Final = {8: "SEV-SNP attestation", 9: "TDX attestation", 5: "canonical event log"}


def looks_like_attestation(data: bytes) -> bool:
    """Whether an Attestation begins here: ak_pub, a TPMT_PUBLIC of an RSA or ECC key with SHA-256."""
    if data[:1] != b"\x0a" or len(data) < 64:
        return False
    start = 3 if data[1] & 0x80 else 2
    return data[start : start + 4] in (b"\x00\x01\x00\x0b", b"\x00\x23\x00\x0b")


def attestation_certificates(data: bytes) -> tuple[bytes, ...]:
    """DER certificates that an attestation brings, the AK's first; InvalidInput("evidence")."""
    require_size(data, MAX_ATTESTATION_SIZE, "The vTPM attestation")
    return _certificates(Message(data, "The vTPM attestation"))


def verify_gce(inquiry: Inquiry, evidence: Evidence) -> None:
    """Evaluate an attestation; InvalidInput("evidence")."""
    require_size(evidence.data, MAX_ATTESTATION_SIZE, "The vTPM attestation")
    message = Message(evidence.data, "The vTPM attestation")
    if not message.has(1) or not message.has(2):
        raise InvalidInput("evidence", "The vTPM attestation has no attestation key or no quote")
    ak_certificates = readable(inquiry, _certificates(message), "AK certificate")
    key = attestation_key(inquiry, message.raw(1), ak_certificates)
    if key is not None:
        vouch(inquiry, key, ak_certificates or _endorsed(inquiry, key_fingerprint(key_info(key))))  # 1.
    quotes = message.all_bytes(2)
    if len(quotes) > _MAX_QUOTES:
        raise InvalidInput("evidence", f"The vTPM attestation has {len(quotes)} quotes; {_MAX_QUOTES} are accepted")
    banks: dict[HashAlgorithm, MappingProxyType[int, bytes]] = {}
    nonce: bytes | None = None
    for raw in quotes:  # 2.
        material = _material(Message(raw, "A quote of the vTPM attestation"))
        quote = TpmQuote.parse(material.message)
        claim_quote(inquiry, quote)
        if key is not None and not check_signature(inquiry, material, key):
            continue
        if nonce is not None and quote.extra_data != nonce:
            inquiry.error(Code.REPORT_DATA_MISMATCH, "TPM quotes", expected=nonce.hex(), actual=quote.extra_data.hex())
        nonce = quote.extra_data
        for bank, values in check_pcrs(inquiry, quote, material).items():
            banks[bank] = MappingProxyType(dict(values))
    log = message.raw(3)
    if not log:
        inquiry.warning(Code.EVENT_LOG_MISSING, "vTPM attestation")
    elif banks:
        check_tpm_log(inquiry, log, banks)  # 3.
    _check_instance(inquiry, message, ak_certificates)  # 4.
    for number, name in _TEE_FIELDS.items():
        if message.raw(number):
            inquiry.warning(Code.PART_NOT_VERIFIED, f"vTPM attestation, {name}")


def _certificates(message: Message) -> tuple[bytes, ...]:
    return (message.raw(6), *message.all_bytes(7)[:8]) if message.raw(6) else ()


def _endorsed(inquiry: Inquiry, fingerprint: str) -> tuple[bytes, ...]:
    """The AK's certificate among the endorsements, where the message brings none."""
    return tuple(
        raw
        for raw in inquiry.endorsements.certificates
        if key_fingerprint(parse_certificate(raw).public_key_info) == fingerprint
    )[:1]


def _material(message: Message) -> QuoteMaterial:
    attest, signature, pcrs = message.raw(1), message.raw(2), Message(message.raw(3), "PCRs of a quote")
    if not looks_like_tpm_quote(attest):
        raise InvalidInput("evidence", "A quote of the vTPM attestation is no TPM quote")
    algorithm = hash_algorithm(pcrs.integer(1))
    values: dict[int, bytes] = {}
    entries = pcrs.all_bytes(2)
    if len(entries) > _MAX_PCRS:
        raise InvalidInput("evidence", f"A quote of the vTPM attestation has {len(entries)} PCRs")
    for raw in entries:
        entry = Message(raw, "A PCR of a quote")
        values[entry.integer(1)] = entry.raw(2)
    banks: Banks = MappingProxyType({algorithm: MappingProxyType(values)})
    return QuoteMaterial(message=attest, signature=signature, banks=banks)


def _check_instance(inquiry: Inquiry, message: Message, certificates: tuple[bytes, ...]) -> None:
    """4. Only what a certificate says is claimed."""
    certified = instance_info(parse_certificate(certificates[0])) if certificates else None
    if certified is not None:
        claim_instance(inquiry, certified)
    if not message.has(4):
        return
    given = Message(message.raw(4), "Instance information")
    named = InstanceInfo(given.text(1), given.integer(3), given.text(2), given.integer(5), given.text(4))
    if certified is None:
        if any((named.zone, named.project_id, named.instance_name)):
            inquiry.warning(
                Code.PART_NOT_VERIFIED,
                "instance information",
                expected="an AK certificate that names the instance",
                actual=f"{named.project_id}/{named.zone}/{named.instance_name}",
            )
        return
    same = (named.zone, named.project_number, named.project_id, named.instance_id, named.instance_name) == (
        certified.zone,
        certified.project_number,
        certified.project_id,
        certified.instance_id,
        certified.instance_name,
    )
    if not same:
        inquiry.error(
            Code.INSTANCE_INFO_MISMATCH,
            "instance information",
            expected=f"{certified.project_id}/{certified.zone}/{certified.instance_name}",
            actual=f"{named.project_id}/{named.zone}/{named.instance_name}",
        )


def claim_instance(inquiry: Inquiry, info: InstanceInfo) -> None:
    """Claims of an AK certificate's instance information."""
    source = "AK certificate"
    inquiry.claim("gce.zone", info.zone, source)
    inquiry.claim("gce.project_id", info.project_id, source)
    inquiry.claim("gce.project_number", info.project_number, source)
    inquiry.claim("gce.instance_id", info.instance_id, source)
    inquiry.claim("gce.instance_name", info.instance_name, source)
    if info.is_production is not None:
        inquiry.claim("gce.is_production", info.is_production, source)
    if info.security_version is not None:
        inquiry.claim("gce.security_version", info.security_version, source)
