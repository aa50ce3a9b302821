"""Everything that belongs to one TPM quote, out of the files and the JSON in which it comes.

files     message (TPMS_ATTEST) as the evidence; signature, PCRs, AK, its certificate and the event log beside it
JSON      {"message", "signature", "pcrs": […]}                                   Azure's agents
          {"ak_public", "tpm_quote": {"message", "signature", "pcrs"}, "eventlog"}    the trustee's TPM evidence
bincode   u64 length and signature, u64 length and message, u64 count and PCRs of 32 bytes (little-endian)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from confvm_gui.attestation.byte_reader import ByteReader
from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.json_object import JsonReader, parse_object
from confvm_gui.attestation.pem import is_pem, pem_certificates
from confvm_gui.attestation.tpm.structures import TpmQuote, looks_like_tpm_quote
from confvm_gui.domain.attestation import Evidence, EvidencePart
from confvm_gui.domain.errors import InvalidInput

Banks = Mapping[HashAlgorithm, Mapping[int, bytes]]

_NO_BANKS: Banks = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class QuoteMaterial:
    """One quote with what is needed to verify it."""

    message: bytes
    """TPMS_ATTEST, which is what was signed."""
    signature: bytes
    """TPMT_SIGNATURE or a bare one; b"" if it is not there."""
    banks: Banks = field(default_factory=lambda: _NO_BANKS)
    """PCR values; empty if they are not there."""
    ak_public: bytes = b""
    ak_certificates: tuple[bytes, ...] = ()
    """DER, the AK's first."""
    event_log: bytes = b""


def quote_material(evidence: Evidence) -> QuoteMaterial:
    """Collect it; InvalidInput("evidence")."""
    data, parts = evidence.data, evidence.parts
    if looks_like_tpm_quote(data):
        message, signature, pcrs, ak_public, log = data, b"", None, b"", b""
    elif looks_like_bincode_quote(data):
        message, signature, values = _bincode(data)
        pcrs, ak_public, log = _listed(message, values), b"", b""
    else:
        message, signature, pcrs, ak_public, log = _from_json(data)
    if EvidencePart.PCRS in parts:
        pcrs = parse_pcrs(parts[EvidencePart.PCRS], message)
    certificate = parts.get(EvidencePart.AK_CERTIFICATE, b"")
    return QuoteMaterial(
        message=message,
        signature=parts.get(EvidencePart.SIGNATURE, signature),
        banks=pcrs if pcrs is not None else _NO_BANKS,
        ak_public=parts.get(EvidencePart.AK_PUBLIC, ak_public),
        ak_certificates=certificate_list(certificate),
        event_log=parts.get(EvidencePart.EVENT_LOG, log),
    )


def certificate_list(data: bytes) -> tuple[bytes, ...]:
    """DER certificates of a PEM text or of one DER certificate."""
    if not data:
        return ()
    return pem_certificates(data, "evidence") if is_pem(data) else (data,)


def json_quote(reader: JsonReader) -> tuple[bytes, bytes, Banks]:
    """Message, signature and PCRs of `{"message", "signature", "pcrs"}`; InvalidInput."""
    message, signature = reader.binary("message"), reader.binary("signature")
    return message, signature, _listed(message, reader.binaries("pcrs", 32))


def parse_pcrs(data: bytes, message: bytes) -> Banks:
    """PCR values of a file: JSON by bank and number, or the quoted PCRs' digests one after the other."""
    if data.lstrip()[:1] == b"{":
        reader = JsonReader(parse_object(data, "The PCR values"), "The PCR values")
        banks: dict[HashAlgorithm, Mapping[int, bytes]] = {}
        for name in reader.value:
            algorithm = HashAlgorithm.of_label(name)
            if algorithm is None:
                raise reader.error(name, "a known bank")
            bank = reader.member(name)
            values = {}
            for pcr in bank.value:
                if not pcr.isdecimal() or len(pcr) > 2:
                    raise bank.error(pcr, "a PCR number")
                values[int(pcr)] = bank.hex(pcr, algorithm.size)
            banks[algorithm] = MappingProxyType(values)
        return MappingProxyType(banks)
    selections = TpmQuote.parse(message).selections
    reader_ = ByteReader(data, "The file of PCR values")
    found = {
        algorithm: MappingProxyType({pcr: reader_.take(algorithm.size) for pcr in pcrs})
        for algorithm, pcrs in selections
    }
    reader_.finish()
    return MappingProxyType(found)


def _listed(message: bytes, values: list[bytes]) -> Banks:
    """PCRs 0, 1, 2 … in a list, of the one bank that is quoted."""
    selections = TpmQuote.parse(message).selections
    fitting = [algorithm for algorithm, _ in selections if all(len(value) == algorithm.size for value in values)]
    if len(fitting) != 1:
        raise InvalidInput("evidence", "The list of PCR values does not fit the one bank that the TPM quote is over")
    return MappingProxyType({fitting[0]: MappingProxyType(dict(enumerate(values)))})


def _from_json(data: bytes) -> tuple[bytes, bytes, Banks, bytes, bytes]:
    reader = JsonReader(parse_object(data, "The TPM evidence"), "The TPM evidence")
    ak_public = reader.binary("ak_public") if reader.has("ak_public") else b""
    names = [name for name in ("eventlog", "event_log", "tpm_eventlog") if reader.value.get(name)]
    log = reader.binary(names[0]) if names else b""
    message, signature, banks = json_quote(reader.member("tpm_quote") if reader.has("tpm_quote") else reader)
    return message, signature, banks, ak_public, log


def looks_like_bincode_quote(data: bytes) -> bool:
    """Whether a signature of 256 to 512 bytes and a quote stand here behind their sizes."""
    if len(data) < 16:
        return False
    length = int.from_bytes(data[:8], "little")
    return 256 <= length <= 512 and looks_like_tpm_quote(data[16 + length : 22 + length])


def _bincode(data: bytes) -> tuple[bytes, bytes, list[bytes]]:
    reader = ByteReader(data, "The serialised TPM quote")
    signature, message = reader.counted(8), reader.counted(8)
    count = reader.number(8)
    if count > 32:
        raise reader.error(f"has {count} PCRs")
    values = [reader.take(32) for _ in range(count)]
    reader.finish()
    return message, signature, values
