"""The ARK and ASK that stand in for AMD's: made in memory, known to nobody, and named EMULATED in their key ids.

A chain that ends here proves nothing about hardware. Anybody who checks it against AMD's published ARK finds so.
"""

from __future__ import annotations

import hashlib
from threading import RLock
from typing import Final, NamedTuple

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from confvm_gui.sev.amd_certificate import AmdCertificate
from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.key_usage import Algorithm, Usage
from confvm_gui.sev.sev_certificate import SevCertificate
from confvm_gui.sev.snp_product import ProductLine
from confvm_gui.sev.vek_extensions import VekExtensions

KEY_ID_PREFIX: Final = b"EMULATED"
"""First 8 of the 16 bytes of every key id made here."""


class _Signer(NamedTuple):
    key: rsa.RSAPrivateKey
    certificate: AmdCertificate


class EmulatedRoot:
    """An emulated ARK and ASK.

    The RSA keys are generated when they are first needed, which takes seconds with 4096 bits: make one root, share it
    between processors, and do not ask for chains on the GUI thread.
    """

    def __init__(self, bits: int = 4096) -> None:
        """`bits` is 4096 as on Rome and later, or 2048 as on Naples."""
        self._bits = bits
        self._lock = RLock()
        self._ark: _Signer | None = None
        self._ask: _Signer | None = None
        self._x509: dict[tuple[str, ProductLine], bytes] = {}

    @classmethod
    def from_pem(cls, data: bytes) -> EmulatedRoot:
        """The root whose `to_pem` this is, so that a data directory keeps one; InvalidInput("root")."""
        marker = b"-----BEGIN PRIVATE KEY-----"
        keys = []
        for part in data.split(marker)[1:]:
            try:
                key = serialization.load_pem_private_key(marker + part, None)
            except ValueError:
                raise InvalidInput("root", "the emulated root's keys are damaged; remove them for a new root") from None
            if isinstance(key, rsa.RSAPrivateKey):
                keys.append(key)
        if len(keys) != 2 or keys[0].key_size != keys[1].key_size or keys[0].key_size not in (2048, 4096):
            raise InvalidInput("root", "the emulated root has two RSA keys of one size; remove the file for a new root")
        root = cls(keys[0].key_size)
        root._ark = root._make(Usage.ARK, None, keys[0])
        root._ask = root._make(Usage.ASK, root._ark, keys[1])
        return root

    def to_pem(self) -> bytes:
        """ARK's and ASK's private keys. Whoever has them can emulate; they prove nothing to anybody else."""
        return b"".join(
            signer.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            for signer in (self._signer_for_ark(), self._signer_for_ask())
        )

    def ark_x509(self, line: ProductLine) -> bytes:
        """SEV-SNP's ARK certificate of a product line, X.509 in DER."""
        from confvm_gui.engine.secure_processor.emulated_x509 import ark_certificate

        with self._lock:
            if ("ARK", line) not in self._x509:
                self._x509["ARK", line] = ark_certificate(line, self._signer_for_ark().key)
            return self._x509["ARK", line]

    def ask_x509(self, line: ProductLine) -> bytes:
        """SEV-SNP's ASK certificate of a product line, X.509 in DER."""
        from confvm_gui.engine.secure_processor.emulated_x509 import ask_certificate

        with self._lock:
            if ("ASK", line) not in self._x509:
                ask = self._signer_for_ask().key.public_key()
                self._x509["ASK", line] = ask_certificate(line, ask, self._signer_for_ark().key)
            return self._x509["ASK", line]

    def crl(self, line: ProductLine) -> bytes:
        """The ARK's CRL of a product line, in DER: signed, and without an entry."""
        from confvm_gui.engine.secure_processor.emulated_x509 import revocation_list

        with self._lock:
            if ("CRL", line) not in self._x509:
                self._x509["CRL", line] = revocation_list(line, self._signer_for_ark().key)
            return self._x509["CRL", line]

    def certify_vcek(self, line: ProductLine, key: ec.EllipticCurvePublicKey, extensions: VekExtensions) -> bytes:
        """A VCEK's certificate by the ASK of `line`, X.509 in DER."""
        from confvm_gui.engine.secure_processor.emulated_x509 import vcek_certificate

        return vcek_certificate(line, key, extensions, self._signer_for_ask().key)

    def prepare(self) -> None:
        """Generate the keys now, if they are not there yet: seconds with 4096 bits."""
        self._signer_for_ask()

    @property
    def ark(self) -> AmdCertificate:
        """The root's certificate, signed by itself."""
        return self._signer_for_ark().certificate

    @property
    def ask(self) -> AmdCertificate:
        """The signing key's certificate, signed by the ARK."""
        return self._signer_for_ask().certificate

    def sign_cek(self, certificate: SevCertificate) -> SevCertificate:
        """A chip's CEK certificate, signed by the ASK."""
        algorithm = Algorithm.RSA_SHA384 if self._bits > 2048 else Algorithm.RSA_SHA256
        return certificate.signed(self._signer_for_ask().key, Usage.ASK, algorithm)

    def _signer_for_ark(self) -> _Signer:
        with self._lock:
            if self._ark is None:
                self._ark = self._make(Usage.ARK, None)
            return self._ark

    def _signer_for_ask(self) -> _Signer:
        with self._lock:
            if self._ask is None:
                self._ask = self._make(Usage.ASK, self._signer_for_ark())
            return self._ask

    def _make(self, usage: Usage, issuer: _Signer | None, known: rsa.RSAPrivateKey | None = None) -> _Signer:
        key = known or rsa.generate_private_key(public_exponent=65537, key_size=self._bits)
        key_id = _key_id(key.public_key())
        certificate = AmdCertificate.unsigned(
            usage,
            key.public_key(),
            key_id=key_id,
            certifying_id=issuer.certificate.key_id if issuer else key_id,
        )
        return _Signer(key, certificate.signed(issuer.key if issuer else key))


def _key_id(key: rsa.RSAPublicKey) -> bytes:
    encoded = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return KEY_ID_PREFIX + hashlib.sha256(encoded).digest()[:8]
