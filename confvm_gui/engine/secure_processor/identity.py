"""The platform's keys (55766, chapter 2): CEK of the chip, OCA of its owner, PEK, PDH, and their certificates.

    ARK -> ASK -> CEK -> PEK -> PDH        AMD says: a genuine chip
                  OCA -> PEK               the owner says: a machine of mine

All are on P-384 and sign with ECDSA over SHA-256, as observed on real parts. CEK and chip id follow from the chip's
secret; OCA, PEK and PDH are drawn, and last as long as this object unless INIT_EX keeps them (`sealed`, `restore`).
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from confvm_gui.engine.secure_processor.chip_secret import ChipSecret
from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.key_material import fresh_128_bits
from confvm_gui.sev.key_usage import Algorithm, Usage
from confvm_gui.sev.measurement import FirmwareVersion
from confvm_gui.sev.sev_certificate import SEV_CERTIFICATE_SIZE, SevCertificate, SignatureSlot

CHIP_ID_SIZE: Final = 64
"""Bytes that GET_ID gives."""
NV_SIZE: Final = 32 << 10
"""Bytes of the buffer in which INIT_EX keeps what persists."""

_NV_MAGIC: Final = b"CVMNV001"
_NV_HEAD: Final = struct.Struct("<8s16sI")
"""Magic, nonce, length of what is sealed."""
_NV_BODY: Final = struct.Struct(f"<B48s48s{SEV_CERTIFICATE_SIZE}s{SEV_CERTIFICATE_SIZE}s{SEV_CERTIFICATE_SIZE}s")
"""Whether there is an owner, PEK, PDH, and the certificates of OCA, PEK and PDH."""


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


def _scalar(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_numbers().private_value.to_bytes(48, "big")


def _key_of(scalar: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP384R1())


class PlatformIdentity:
    """Keys and certificates of one emulated chip. The private keys are used here and never handed out."""

    def __init__(self, version: FirmwareVersion, root: EmulatedRoot, chip: ChipSecret) -> None:
        self._version = version
        self._root = root
        self._chip = chip
        self.chip_id = chip.bytes_for(b"id", length=CHIP_ID_SIZE)
        self._cek = chip.key_for(b"cek")
        self._cek_certificate = self._certificate(Usage.CEK, self._cek)
        self._cek_is_signed = False
        self.provision()

    def provision(self) -> None:
        """A new OCA, self-signed, PEK and PDH: the platform becomes its own owner (PEK_GEN, PLATFORM_RESET)."""
        oca = _new_key()
        self.externally_owned = False
        self.oca = self._certificate(Usage.OCA, oca).signed(oca, Usage.OCA)
        self._pek = _new_key()
        self.pek = self._certificate(Usage.PEK, self._pek).signed(oca, Usage.OCA).signed(self._cek, Usage.CEK)
        self.renew_pdh()

    def renew_pdh(self) -> None:
        """A new PDH, signed by the PEK (PDH_GEN)."""
        self._pdh = _new_key()
        self.pdh = self._certificate(Usage.PDH, self._pdh).signed(self._pek, Usage.PEK)

    def signing_request(self) -> SevCertificate:
        """The PEK's certificate without signatures (PEK_CSR)."""
        return self._certificate(Usage.PEK, self._pek)

    def adopt(self, pek: SevCertificate, oca: SevCertificate) -> None:
        """Take an owner's `oca` and the PEK certificate that it signed (PEK_CERT_IMPORT).

        InvalidInput("certificate") if they are not for this platform's PEK; InvalidInput("signature") if a signature
        does not hold. Nothing has changed then.
        """
        if oca.usage is not Usage.OCA or pek.usage is not Usage.PEK:
            raise InvalidInput("certificate", "give the PEK's certificate and the owner's OCA certificate")
        if pek.body() != self.signing_request().body():
            raise InvalidInput("certificate", "the PEK certificate is not this platform's; sign its PEK_CSR")
        if not oca.is_signed_by(oca) or not pek.is_signed_by(oca):
            raise InvalidInput("signature", "sign the OCA certificate and the PEK's with the OCA's key")
        # The owner's signature and the chip's, whatever else the request came back with.
        owner_slot = next(
            slot for slot in pek.signatures if replace(pek, signatures=(slot, SignatureSlot())).is_signed_by(oca)
        )
        chip_slot = self.signing_request().signed(self._cek, Usage.CEK).signatures[0]
        self.pek = replace(pek, signatures=(owner_slot, chip_slot))
        self.oca = oca
        self.externally_owned = True
        self.renew_pdh()

    def cek(self) -> SevCertificate:
        """The CEK's certificate, signed by the emulated ASK. The first call may take seconds: see EmulatedRoot."""
        if not self._cek_is_signed:
            self._cek_certificate = self._root.sign_cek(self._cek_certificate)
            self._cek_is_signed = True
        return self._cek_certificate

    def agree(self, peer: ec.EllipticCurvePublicKey) -> bytes:
        """Z of the PDH and a guest owner's key; InvalidInput("certificate") if it is on another curve."""
        try:
            return self._pdh.exchange(ec.ECDH(), peer)
        except ValueError:
            raise InvalidInput("certificate", "the guest owner's key is not on the PDH's curve, P-384") from None

    def has_owner_of(self, pek: SevCertificate, oca: SevCertificate) -> bool:
        """Whether another platform's `pek` has the owner that this platform has: its OCA, of the same key, signed it.

        InvalidInput("certificate") if a certificate holds no key.
        """
        return oca.body() == self.oca.body() and oca.is_signed_by(oca) and pek.is_signed_by(oca)

    def sealed(self) -> bytes:
        """What persists, NV_SIZE bytes that only this chip opens."""
        body = _NV_BODY.pack(
            self.externally_owned,
            _scalar(self._pek),
            _scalar(self._pdh),
            self.oca.to_bytes(),
            self.pek.to_bytes(),
            self.pdh.to_bytes(),
        )
        nonce = fresh_128_bits()
        text = AESGCM(self._chip.bytes_for(b"nv")).encrypt(nonce, body, _NV_MAGIC)
        return (_NV_HEAD.pack(_NV_MAGIC, nonce, len(text)) + text).ljust(NV_SIZE, b"\x00")

    def restore(self, data: bytes) -> None:
        """Take back what `sealed` gave; InvalidInput("nv") if this chip did not make it. Nothing has changed then."""
        magic, nonce, length = _NV_HEAD.unpack_from(data)
        try:
            if magic != _NV_MAGIC or length > len(data) - _NV_HEAD.size:
                raise InvalidTag
            text = data[_NV_HEAD.size : _NV_HEAD.size + length]
            body = AESGCM(self._chip.bytes_for(b"nv")).decrypt(nonce, text, _NV_MAGIC)
        except InvalidTag:
            raise InvalidInput(
                "nv", "the non-volatile data are damaged or another chip's; begin anew with 0xFF bytes"
            ) from None
        owned, pek_key, pdh_key, oca, pek, pdh = _NV_BODY.unpack(body)
        self.externally_owned = bool(owned)
        self._pek, self._pdh = _key_of(pek_key), _key_of(pdh_key)
        self.oca, self.pek, self.pdh = (SevCertificate.parse(raw) for raw in (oca, pek, pdh))

    @property
    def attestation_key(self) -> ec.EllipticCurvePrivateKey:
        """The PEK, with which ATTESTATION signs. Not for anybody outside of the secure processor."""
        return self._pek

    def _certificate(self, usage: Usage, key: ec.EllipticCurvePrivateKey) -> SevCertificate:
        return SevCertificate.unsigned(
            usage,
            key.public_key(),
            algorithm=Algorithm.ECDH_SHA256 if usage is Usage.PDH else Algorithm.ECDSA_SHA256,
            api_major=self._version.api_major,
            api_minor=self._version.api_minor,
        )
