"""SEV-SNP's attestation report (56860, ATTESTATION_REPORT), versions 2, 3, 4 and 5.

    000 VERSION 4 | 004 GUEST_SVN 4 | 008 POLICY 8 | 010 FAMILY_ID 16 | 020 IMAGE_ID 16 | 030 VMPL 4
    034 SIGNATURE_ALGO 4 | 038 CURRENT_TCB 8 | 040 PLATFORM_INFO 8 | 048 KEY_INFO 4 | 04C zeros 4
    050 REPORT_DATA 64 | 090 MEASUREMENT 48 | 0C0 HOST_DATA 32 | 0E0 ID_KEY_DIGEST 48 | 110 AUTHOR_KEY_DIGEST 48
    140 REPORT_ID 32 | 160 REPORT_ID_MA 32 | 180 REPORTED_TCB 8 | 188 FAMILY, MODEL, STEPPING (3+) | zeros to 1A0
    1A0 CHIP_ID 64 | 1E0 COMMITTED_TCB 8 | 1E8 CURRENT build, minor, major, zero | 1EC COMMITTED likewise
    1F0 LAUNCH_TCB 8 | 1F8 LAUNCH_MIT_VECTOR 8 (5) | 200 CURRENT_MIT_VECTOR 8 (5) | zeros to 2A0
    2A0 SIGNATURE: R 72 | S 72 | zeros to 4A0

Integers are little-endian, R and S too. Signed, by ECDSA on P-384 with SHA-384, are the bytes before SIGNATURE. Version
4 is read as 3. Bytes that must be zero and are not are kept and told (`reserved_findings`): the report is well-formed,
and it is for a verifier to refuse it. R and S have no one form (S and the curve's order less S both verify), so the
digest of a whole report identifies nothing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from confvm_gui.sev.cpu_identity import CpuIdentity
from confvm_gui.sev.ecc_format import COMPONENT_SIZE, ECDSA_SIZE, decode_ecdsa, encode_ecdsa
from confvm_gui.sev.errors import InvalidInput, require_length
from confvm_gui.sev.measurement import FirmwareVersion
from confvm_gui.sev.signature import SIGNATURE_SIZE, PublicKey
from confvm_gui.sev.snp_policy import MUST_BE_ONE, RESERVED_MASK, SnpPolicy
from confvm_gui.sev.snp_product import ProductLine, TcbLayout
from confvm_gui.sev.snp_report_flags import KeyInfo, PlatformInfo
from confvm_gui.sev.tcb_version import TcbVersion

SNP_REPORT_SIZE: Final = 0x4A0
SIGNED_SIZE: Final = 0x2A0
VERSIONS: Final = (2, 3, 4, 5)
ECDSA_P384_SHA384: Final = 1
"""SIGNATURE_ALGO of a signed report."""
NO_MIGRATION_AGENT: Final = b"\xff" * 32
"""REPORT_ID_MA of a guest without a migration agent."""

_BODY: Final = struct.Struct("<IIQ16s16sIIQQI4s64s48s32s48s48s32s32sQBBB21s64sQBBB1sBBB1sQQQ152s")

_DEFAULT_POLICY: Final = SnpPolicy()
_NO_FLAGS: Final = PlatformInfo()
_VCEK: Final = KeyInfo()
_NO_VERSION: Final = FirmwareVersion(0, 0, 0)


@dataclass(frozen=True, slots=True)
class ReservedFinding:
    """Bytes, or bits of a field, that are not what they must be."""

    name: str
    """The field (`POLICY`), or `reserved`."""
    offset: int
    """Of the field in the report."""
    data: bytes
    """What is there; of a field of bits, only those that must be zero."""
    expected: str = "zero"

    def __str__(self) -> str:
        what = "Reserved bytes" if self.name == "reserved" else f"The reserved part of {self.name}"
        return f"{what} at {self.offset:#x} must be {self.expected}, found {self.data[:24].hex()}"


@dataclass(frozen=True, slots=True)
class SnpReport:
    """An attestation report, field by field; `to_bytes` gives back what `parse` read.

    The TCB fields are raw: `tcb` decodes one, in the layout of the report's product line.
    """

    version: int = 5
    guest_svn: int = 0
    policy: SnpPolicy = _DEFAULT_POLICY
    family_id: bytes = bytes(16)
    image_id: bytes = bytes(16)
    vmpl: int = 0
    """0 to 3 of the guest that asked; 0xFFFFFFFF where the host asked."""
    signature_algorithm: int = ECDSA_P384_SHA384
    current_tcb: int = 0
    platform_info: PlatformInfo = _NO_FLAGS
    key_info: KeyInfo = _VCEK
    report_data: bytes = bytes(64)
    measurement: bytes = bytes(48)
    """The launch digest."""
    host_data: bytes = bytes(32)
    id_key_digest: bytes = bytes(48)
    author_key_digest: bytes = bytes(48)
    report_id: bytes = bytes(32)
    report_id_ma: bytes = NO_MIGRATION_AGENT
    reported_tcb: int = 0
    cpu: CpuIdentity | None = None
    """None before version 3."""
    chip_id: bytes = bytes(64)
    """Zeros where the platform masks it."""
    committed_tcb: int = 0
    current_version: FirmwareVersion = _NO_VERSION
    committed_version: FirmwareVersion = _NO_VERSION
    launch_tcb: int = 0
    launch_mit_vector: int | None = None
    """None before version 5."""
    current_mit_vector: int | None = None
    """None before version 5."""
    signature: bytes = field(default=bytes(SIGNATURE_SIZE), repr=False)
    """512 bytes: R, S, zeros."""
    reserved: tuple[tuple[int, bytes], ...] = ()
    """Offset and content of each reserved range of the body that is not zero."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Decode SNP_REPORT_SIZE bytes; InvalidInput("report") for another length or an unknown version."""
        require_length(data, SNP_REPORT_SIZE, "report", "An SNP attestation report")
        (
            version,
            guest_svn,
            policy,
            family_id,
            image_id,
            vmpl,
            signature_algorithm,
            current_tcb,
            platform_info,
            key_info,
            zeros_4c,
            report_data,
            measurement,
            host_data,
            id_key_digest,
            author_key_digest,
            report_id,
            report_id_ma,
            reported_tcb,
            family,
            model,
            stepping,
            zeros_18b,
            chip_id,
            committed_tcb,
            current_build,
            current_minor,
            current_major,
            zero_1eb,
            committed_build,
            committed_minor,
            committed_major,
            zero_1ef,
            launch_tcb,
            launch_mit_vector,
            current_mit_vector,
            zeros_208,
        ) = _BODY.unpack_from(data)
        if version not in VERSIONS:
            raise InvalidInput("report", f"The SNP attestation report has version {version}; 2, 3, 4 and 5 are known")
        ranges = [(0x4C, zeros_4c), (0x1EB, zero_1eb), (0x1EF, zero_1ef)]
        ranges.append((0x188, bytes(data[0x188:0x1A0])) if version < 3 else (0x18B, zeros_18b))
        ranges.append((0x1F8, bytes(data[0x1F8:SIGNED_SIZE])) if version < 5 else (0x208, zeros_208))
        return cls(
            version=version,
            guest_svn=guest_svn,
            policy=SnpPolicy(policy),
            family_id=family_id,
            image_id=image_id,
            vmpl=vmpl,
            signature_algorithm=signature_algorithm,
            current_tcb=current_tcb,
            platform_info=PlatformInfo(platform_info),
            key_info=KeyInfo(key_info),
            report_data=report_data,
            measurement=measurement,
            host_data=host_data,
            id_key_digest=id_key_digest,
            author_key_digest=author_key_digest,
            report_id=report_id,
            report_id_ma=report_id_ma,
            reported_tcb=reported_tcb,
            cpu=CpuIdentity(family, model, stepping) if version >= 3 else None,
            chip_id=chip_id,
            committed_tcb=committed_tcb,
            current_version=FirmwareVersion(current_major, current_minor, current_build),
            committed_version=FirmwareVersion(committed_major, committed_minor, committed_build),
            launch_tcb=launch_tcb,
            launch_mit_vector=launch_mit_vector if version >= 5 else None,
            current_mit_vector=current_mit_vector if version >= 5 else None,
            signature=bytes(data[SIGNED_SIZE:]),
            reserved=tuple(sorted((offset, content) for offset, content in ranges if any(content))),
        )

    def body(self) -> bytes:
        """The signed bytes, 0x000 to 0x29F; InvalidInput("report") if a field does not fit."""
        family, model, stepping = self.cpu or (0, 0, 0)
        current, committed = self.current_version, self.committed_version
        fixed = (
            (self.family_id, 16),
            (self.image_id, 16),
            (self.report_data, 64),
            (self.measurement, 48),
            (self.host_data, 32),
            (self.id_key_digest, 48),
            (self.author_key_digest, 48),
            (self.report_id, 32),
            (self.report_id_ma, 32),
            (self.chip_id, 64),
        )
        for content, size in fixed:
            require_length(content, size, "report", "This field of an SNP attestation report")
        if self.version not in VERSIONS:
            raise InvalidInput("report", f"SNP attestation reports have version 2, 3, 4 or 5, not {self.version}")
        if (self.cpu is not None and self.version < 3) or (self.version < 5 and self._has_vectors):
            raise InvalidInput("report", f"A report of version {self.version} has no room for a newer version's fields")
        try:
            packed = _BODY.pack(
                self.version,
                self.guest_svn,
                self.policy.value,
                self.family_id,
                self.image_id,
                self.vmpl,
                self.signature_algorithm,
                self.current_tcb,
                self.platform_info.value,
                self.key_info.value,
                b"",
                self.report_data,
                self.measurement,
                self.host_data,
                self.id_key_digest,
                self.author_key_digest,
                self.report_id,
                self.report_id_ma,
                self.reported_tcb,
                family,
                model,
                stepping,
                b"",
                self.chip_id,
                self.committed_tcb,
                current.build,
                current.api_minor,
                current.api_major,
                b"",
                committed.build,
                committed.api_minor,
                committed.api_major,
                b"",
                self.launch_tcb,
                self.launch_mit_vector or 0,
                self.current_mit_vector or 0,
                b"",
            )
        except struct.error:
            raise InvalidInput("report", "A number is too large for its field of an SNP attestation report") from None
        if not self.reserved:
            return packed
        patched = bytearray(packed)
        for offset, content in self.reserved:
            patched[offset : offset + len(content)] = content
        return bytes(patched)

    def to_bytes(self) -> bytes:
        """SNP_REPORT_SIZE bytes; InvalidInput("report") if a field does not fit."""
        require_length(self.signature, SIGNATURE_SIZE, "report", "The signature of an SNP attestation report")
        return self.body() + self.signature

    @property
    def _has_vectors(self) -> bool:
        return self.launch_mit_vector is not None or self.current_mit_vector is not None

    @property
    def r(self) -> int:
        """R of the signature."""
        return int.from_bytes(self.signature[:COMPONENT_SIZE], "little")

    @property
    def s(self) -> int:
        """S of the signature."""
        return int.from_bytes(self.signature[COMPONENT_SIZE:ECDSA_SIZE], "little")

    @property
    def chip_id_is_masked(self) -> bool:
        """Whether the platform hides which chip it is."""
        return not any(self.chip_id)

    @property
    def product(self) -> ProductLine | None:
        """The product line by family and model; None where the report does not say (version 2) or it is unknown."""
        return None if self.cpu is None else ProductLine.of_cpu(self.cpu)

    @property
    def tcb_layout(self) -> TcbLayout | None:
        """The layout of the TCB fields, or None where the report leaves it open.

        By the product line from version 3 on. A version 2 report tells by CHIP_ID, of which Turin uses 8 bytes; masked,
        it does not tell.
        """
        if self.cpu is not None:
            product = self.product
            return None if product is None else product.tcb_layout
        if self.chip_id_is_masked:
            return None
        return TcbLayout.MILAN if any(self.chip_id[8:]) else TcbLayout.TURIN

    def tcb(self, value: int, layout: TcbLayout | None = None) -> TcbVersion:
        """One of the TCB fields decoded, in `layout` or the report's own.

        InvalidInput("report") where neither tells; a certificate's product name may.
        """
        chosen = layout or self.tcb_layout
        if chosen is None:
            raise InvalidInput("report", "The report does not tell its product line, so its TCB cannot be read")
        return TcbVersion.decode(value, chosen)

    def reserved_findings(self) -> tuple[ReservedFinding, ...]:
        """All bits and bytes that are not what they must be, by offset."""
        found = [ReservedFinding("reserved", offset, content) for offset, content in self.reserved]
        if self.policy.value & RESERVED_MASK:
            found.append(_bits("POLICY", 0x08, self.policy.value & RESERVED_MASK, 8))
        if not self.policy.value & MUST_BE_ONE:
            found.append(ReservedFinding("POLICY bit 17", 0x0A, b"\x00", "one"))
        if self.platform_info.reserved:
            found.append(_bits("PLATFORM_INFO", 0x40, self.platform_info.reserved, 8))
        if self.key_info.reserved:
            found.append(_bits("KEY_INFO", 0x48, self.key_info.reserved, 4))
        layout = self.tcb_layout
        if layout is not None:
            for name, offset, value in (
                ("CURRENT_TCB", 0x38, self.current_tcb),
                ("REPORTED_TCB", 0x180, self.reported_tcb),
                ("COMMITTED_TCB", 0x1E0, self.committed_tcb),
                ("LAUNCH_TCB", 0x1F0, self.launch_tcb),
            ):
                reserved = TcbVersion.decode(value, layout).reserved
                if reserved:
                    found.append(_bits(name, offset, reserved, 8))
        width = 48  # of a component on P-384; it has 72 bytes
        for name, offset in (("SIGNATURE R", 0), ("SIGNATURE S", COMPONENT_SIZE)):
            high = self.signature[offset + width : offset + COMPONENT_SIZE]
            if any(high):
                found.append(ReservedFinding(name, SIGNED_SIZE + offset + width, high))
        tail = self.signature[ECDSA_SIZE:]
        if any(tail):
            found.append(ReservedFinding("reserved", SIGNED_SIZE + ECDSA_SIZE, tail))
        return tuple(sorted(found, key=lambda finding: finding.offset))

    def signed(self, key: ec.EllipticCurvePrivateKey) -> Self:
        """This report signed by `key`, which must be on P-384."""
        _require_p384(key.curve)
        raw = encode_ecdsa(key.sign(self.body(), ec.ECDSA(hashes.SHA384())))
        return replace(self, signature=raw.ljust(SIGNATURE_SIZE, b"\x00"))

    def is_signed_by(self, key: PublicKey) -> bool:
        """Whether `key` made the signature over this report. Says nothing of bytes that must be zero.

        False too for a report with another SIGNATURE_ALGO and for a key that is not on P-384.
        """
        if self.signature_algorithm != ECDSA_P384_SHA384:
            return False
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
            return False
        try:
            key.verify(decode_ecdsa(self.signature[:ECDSA_SIZE]), self.body(), ec.ECDSA(hashes.SHA384()))
        except InvalidSignature:
            return False
        return True


def _bits(name: str, offset: int, value: int, size: int) -> ReservedFinding:
    return ReservedFinding(name, offset, value.to_bytes(size, "little"))


def _require_p384(curve: ec.EllipticCurve) -> None:
    if not isinstance(curve, ec.SECP384R1):
        raise InvalidInput("key", f"SNP attestation reports are signed on P-384, not {curve.name}")
