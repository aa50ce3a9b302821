"""Who vouches for the attestation keys of emulated vTPMs, as a cloud does for those of its instances.

Everything follows from a chip's secret: the same secret gives the same root, and an instance the same attestation key
at every start, so that an attestation key that changes means another vTPM. Nothing of it is ever written to a file.
"""

from __future__ import annotations

import base64
import hashlib
from threading import Lock
from typing import Final, NoReturn

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from confvm_gui.domain.attestation import TrustedRoot
from confvm_gui.engine.secure_processor.chip_secret import ChipSecret
from confvm_gui.engine.vtpm.measured_boot import SecureBootKeys

_P256_ORDER: Final = int("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
_SCALAR_BYTES: Final = 40
"""64 bits more than the order has, so that no scalar is likelier than another."""
_SERIAL_BYTES: Final = 16


class VtpmAuthority:
    """An emulated root for vTPMs. One per data directory will do, made of the secret of any of its chips.

    The first certificate takes about a tenth of a second, for the library that makes it: not on the GUI thread.
    """

    __slots__ = ("_lock", "_root", "_root_certificate", "_secret", "_secure_boot_keys")

    def __init__(self, secret: ChipSecret) -> None:
        self._secret = secret
        self._root = secret.key_for(b"vtpm-root")
        self._lock = Lock()
        self._root_certificate = b""
        self._secure_boot_keys: SecureBootKeys | None = None

    def __repr__(self) -> str:
        return "<VtpmAuthority, keys not shown>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a VtpmAuthority is neither pickled nor copied")

    @property
    def trusted_root(self) -> TrustedRoot:
        """For the reference values of whoever accepts this emulator."""
        return TrustedRoot("EMULATED vTPM root", spki_sha256=key_fingerprint(self._root.public_key()), emulated=True)

    @property
    def root_certificate(self) -> bytes:
        """DER."""
        from confvm_gui.engine.vtpm.authority_x509 import root_certificate

        with self._lock:
            if not self._root_certificate:
                self._root_certificate = root_certificate(self._root)
            return self._root_certificate

    @property
    def secure_boot_keys(self) -> SecureBootKeys:
        """Of the emulated firmware; the same for all guests."""
        from confvm_gui.engine.vtpm.authority_x509 import secure_boot_certificate

        with self._lock:
            if self._secure_boot_keys is None:
                pk, kek, db = (
                    secure_boot_certificate(f"EMULATED {name}", self._secret.bytes_for(b"vtpm-uefi", name.encode()))
                    for name in ("platform key", "key exchange key", "guest image authority")
                )
                self._secure_boot_keys = SecureBootKeys(pk, kek, db)
            return self._secure_boot_keys

    def attestation_key(self, instance: str) -> ec.EllipticCurvePrivateKey:
        """The attestation key of an instance's vTPM, on P-256: the same at every call."""
        number = int.from_bytes(self._secret.bytes_for(b"vtpm-ak", instance.encode(), _SCALAR_BYTES), "big")
        return ec.derive_private_key(number % (_P256_ORDER - 1) + 1, ec.SECP256R1())

    def certify(self, key: ec.EllipticCurvePublicKey, instance: str) -> bytes:
        """Certificate of an instance's attestation key, in DER."""
        from confvm_gui.engine.vtpm.authority_x509 import ak_certificate

        digest = hashlib.sha256(_key_info(key)).digest()
        serial = int.from_bytes(digest[:_SERIAL_BYTES], "big") | 1  # zero is no serial number
        return ak_certificate(key, instance, serial, self._root)

    def chain(self, certificate: bytes) -> bytes:
        """PEM of a certificate that this authority issued, its own behind it."""
        return _pem(certificate) + _pem(self.root_certificate)


def key_fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    """SHA-256 of the SubjectPublicKeyInfo, lower-case hex."""
    return hashlib.sha256(_key_info(key)).hexdigest()


def _key_info(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _pem(der: bytes) -> bytes:
    text = base64.b64encode(der)
    lines = b"\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return b"-----BEGIN CERTIFICATE-----\n" + lines + b"\n-----END CERTIFICATE-----\n"
