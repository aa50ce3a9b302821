"""The platform's keys (55766, chapter 2): CEK of the chip, OCA of its owner, PEK, PDH, and their certificates.

    ARK -> ASK -> CEK -> PEK -> PDH        AMD says: a genuine chip
                  OCA -> PEK               the owner says: a machine of mine

All are on P-384 and sign with ECDSA over SHA-256, as observed on real parts. They live in memory only: every
SecureProcessor is a chip of its own, owned by itself until PEK_CERT_IMPORT.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.key_usage import Algorithm, Usage
from confvm_gui.sev.measurement import FirmwareVersion
from confvm_gui.sev.sev_certificate import SevCertificate, SignatureSlot

CHIP_ID_SIZE: Final = 64
"""Bytes that GET_ID gives."""


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


class PlatformIdentity:
    """Keys and certificates of one emulated chip. The private keys are used here and never handed out."""

    def __init__(self, version: FirmwareVersion, root: EmulatedRoot) -> None:
        self._version = version
        self._root = root
        self.chip_id = secrets.token_bytes(CHIP_ID_SIZE)
        self._cek = _new_key()
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
