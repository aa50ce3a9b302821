"""Certificates of the emulated vTPM authority, each EMULATED in subject and issuer.

A module of its own because the library that makes them takes its time to load.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

ROOT_NAME: Final = "EMULATED vTPM root"
_ORGANIZATION: Final = "ConfVM Console (EMULATED, proves nothing about hardware)"
_NOT_BEFORE: Final = datetime(2024, 1, 1, tzinfo=UTC)
_NOT_AFTER: Final = datetime(2049, 1, 1, tzinfo=UTC)
_MAX_COMMON_NAME: Final = 64
_KEY_PURPOSE_AK: Final = x509.ObjectIdentifier("2.23.133.8.3")
"""tcg-kp-AIKCertificate (TCG EK Credential Profile, and Keys for Device Identity and Attestation)."""


def root_certificate(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The root's certificate, in DER, signed by itself."""
    name = _name(ROOT_NAME)
    builder = _builder(name, name, 1).public_key(key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(authority=True), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return builder.sign(key, hashes.SHA384()).public_bytes(Encoding.DER)


def ak_certificate(
    public: ec.EllipticCurvePublicKey, instance: str, serial: int, root: ec.EllipticCurvePrivateKey
) -> bytes:
    """An attestation key's certificate, in DER, signed by the root. `instance` is named as far as there is room."""
    name = _name(f"EMULATED AK {instance}"[:_MAX_COMMON_NAME])
    builder = _builder(name, _name(ROOT_NAME), serial).public_key(public)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(authority=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([_KEY_PURPOSE_AK]), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key())
    builder = builder.add_extension(issuer, critical=False)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    return builder.sign(root, hashes.SHA384()).public_bytes(Encoding.DER)


def secure_boot_certificate(common_name: str, seed: bytes) -> bytes:
    """A certificate of the emulated firmware's Secure Boot databases, in DER, signed by itself.

    With Ed25519, which UEFI does not know: its signatures are always the same, and so PCR 7 stays what it is.
    """
    key = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    name = _name(common_name)
    return _builder(name, name, 1).public_key(key.public_key()).sign(key, None).public_bytes(Encoding.DER)


def _builder(subject: x509.Name, issuer: x509.Name, serial: int) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).serial_number(serial)
    return builder.not_valid_before(_NOT_BEFORE).not_valid_after(_NOT_AFTER)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
