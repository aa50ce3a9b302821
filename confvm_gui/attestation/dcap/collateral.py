"""What Intel's Provisioning Certification Service signs: TCB information and enclave identities (PCS API, version 4).

    {"tcbInfo": {…}, "signature": "hex"}      {"enclaveIdentity": {…}, "signature": "hex"}

The signature (ECDSA P-256 with SHA-256; r and s, 32 bytes each) is over the bytes of the inner object exactly as they
stand, by the key of the certificate "Intel SGX TCB Signing".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from confvm_gui.attestation.byte_reader import require_size
from confvm_gui.attestation.json_object import JsonReader, parse_object
from confvm_gui.domain.errors import InvalidInput

_FIELD: Final = "endorsements"
_DOCUMENT: Final = re.compile(
    rb'\s*\{\s*"(tcbInfo|enclaveIdentity)"\s*:\s*(\{.*\})\s*,\s*"signature"\s*:\s*"([0-9A-Fa-f]{128})"\s*\}\s*',
    re.DOTALL,
)
MAX_DOCUMENT_SIZE: Final = 128 * 1024


@dataclass(frozen=True, slots=True)
class TcbLevel:
    """One level of a platform, a TDX module or an enclave."""

    status: str
    date: str
    advisories: tuple[str, ...]
    sgx_components: tuple[int, ...] = ()
    tdx_components: tuple[int, ...] = ()
    pce_svn: int = 0
    isv_svn: int = 0
    """For modules and enclaves."""


@dataclass(frozen=True, slots=True)
class ModuleIdentity:
    """A TDX module that Intel published."""

    id: str
    """`TDX_03`, or "" for the one of TDX 1.0."""
    mr_signer: bytes
    attributes: bytes
    attributes_mask: bytes
    levels: tuple[TcbLevel, ...]


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """What both kinds have in common."""

    signed: bytes
    signature: bytes
    id: str
    """`SGX`, `TDX`; `QE`, `TD_QE`."""
    issued: datetime
    next_update: datetime
    evaluation_number: int


@dataclass(frozen=True, slots=True)
class TcbInfo(SignedDocument):
    """TCB levels of a processor model, newest first."""

    fmspc: bytes
    pce_id: bytes
    levels: tuple[TcbLevel, ...]
    module: ModuleIdentity | None
    modules: tuple[ModuleIdentity, ...]


@dataclass(frozen=True, slots=True)
class EnclaveIdentity(SignedDocument):
    """What a quoting enclave must look like."""

    misc_select: bytes
    misc_select_mask: bytes
    attributes: bytes
    attributes_mask: bytes
    mr_signer: bytes
    isv_prod_id: int
    levels: tuple[TcbLevel, ...]


def is_collateral(data: bytes) -> bool:
    """Whether `data` begins as a signed document does."""
    return data.lstrip()[:40].replace(b" ", b"").startswith((b'{"tcbInfo":', b'{"enclaveIdentity":'))


def is_whole(data: bytes) -> bool:
    """Whether a document is there from its first to its last byte."""
    return len(data) <= MAX_DOCUMENT_SIZE and _DOCUMENT.fullmatch(data) is not None


def signed_document(kind: str, inner: str, signature: str) -> bytes:
    """The document of an inner object that is kept apart from its signature."""
    return f'{{"{kind}":{inner},"signature":"{signature}"}}'.encode()


@lru_cache(maxsize=32)
def parse_collateral(data: bytes) -> TcbInfo | EnclaveIdentity:
    """Decode one document; InvalidInput("endorsements")."""
    require_size(data, MAX_DOCUMENT_SIZE, "A document of Intel's PCS", _FIELD)
    match = _DOCUMENT.fullmatch(data)
    if match is None:
        raise InvalidInput(_FIELD, "The JSON is no TCB information and no enclave identity with its signature")
    signed = match[2]
    signature = bytes.fromhex(match[3].decode("ascii"))
    if match[1] == b"tcbInfo":
        return _tcb_info(signed, signature)
    return _identity(signed, signature)


def _tcb_info(signed: bytes, signature: bytes) -> TcbInfo:
    reader = JsonReader(parse_object(signed, "The TCB information", _FIELD), "The TCB information", _FIELD)
    if reader.number("version") != 3:
        raise InvalidInput(_FIELD, "The TCB information is not of version 3")
    module = _module(reader.member("tdxModule")) if reader.has("tdxModule") else None
    modules = (
        tuple(_module(item) for item in reader.members("tdxModuleIdentities", 64))
        if reader.has("tdxModuleIdentities")
        else ()
    )
    return TcbInfo(
        signed=signed,
        signature=signature,
        id=reader.text("id"),
        issued=_time(reader, "issueDate"),
        next_update=_time(reader, "nextUpdate"),
        evaluation_number=reader.number("tcbEvaluationDataNumber"),
        fmspc=reader.hex("fmspc", 6),
        pce_id=reader.hex("pceId", 2),
        levels=tuple(_platform_level(item) for item in reader.members("tcbLevels", 256)),
        module=module,
        modules=modules,
    )


def _identity(signed: bytes, signature: bytes) -> EnclaveIdentity:
    reader = JsonReader(parse_object(signed, "The enclave identity", _FIELD), "The enclave identity", _FIELD)
    if reader.number("version") != 2:
        raise InvalidInput(_FIELD, "The enclave identity is not of version 2")
    return EnclaveIdentity(
        signed=signed,
        signature=signature,
        id=reader.text("id"),
        issued=_time(reader, "issueDate"),
        next_update=_time(reader, "nextUpdate"),
        evaluation_number=reader.number("tcbEvaluationDataNumber"),
        misc_select=reader.hex("miscselect", 4),
        misc_select_mask=reader.hex("miscselectMask", 4),
        attributes=reader.hex("attributes", 16),
        attributes_mask=reader.hex("attributesMask", 16),
        mr_signer=reader.hex("mrsigner", 32),
        isv_prod_id=reader.number("isvprodid", 1 << 16),
        levels=tuple(_svn_level(item) for item in reader.members("tcbLevels", 256)),
    )


def _module(reader: JsonReader) -> ModuleIdentity:
    levels = reader.members("tcbLevels", 256) if reader.has("tcbLevels") else []
    return ModuleIdentity(
        id=reader.text("id") if reader.has("id") else "",
        mr_signer=reader.hex("mrsigner", 48),
        attributes=reader.hex("attributes", 8),
        attributes_mask=reader.hex("attributesMask", 8),
        levels=tuple(_svn_level(item) for item in levels),
    )


def _platform_level(reader: JsonReader) -> TcbLevel:
    tcb = reader.member("tcb")
    tdx = tcb.members("tdxtcbcomponents", 16) if tcb.has("tdxtcbcomponents") else []
    components = tcb.members("sgxtcbcomponents", 16)
    if len(components) != 16 or len(tdx) not in (0, 16):
        raise InvalidInput(_FIELD, "A TCB level does not have 16 components")
    return TcbLevel(
        status=reader.text("tcbStatus"),
        date=reader.text("tcbDate"),
        advisories=_advisories(reader),
        sgx_components=tuple(item.number("svn", 256) for item in components),
        tdx_components=tuple(item.number("svn", 256) for item in tdx),
        pce_svn=tcb.number("pcesvn", 1 << 16),
    )


def _svn_level(reader: JsonReader) -> TcbLevel:
    return TcbLevel(
        status=reader.text("tcbStatus"),
        date=reader.text("tcbDate"),
        advisories=_advisories(reader),
        isv_svn=reader.member("tcb").number("isvsvn", 1 << 16),
    )


def _advisories(reader: JsonReader) -> tuple[str, ...]:
    if not reader.has("advisoryIDs"):
        return ()
    names = reader.items("advisoryIDs", 1024)
    if not all(isinstance(name, str) for name in names):
        raise reader.error("advisoryIDs", "a list of names")
    return tuple(names)


def _time(reader: JsonReader, name: str) -> datetime:
    try:
        return datetime.strptime(reader.text(name), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise reader.error(name, "a time as 2025-06-19T10:16:03Z") from None
