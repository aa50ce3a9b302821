"""X.509 certificates and CRL of the emulated root for SEV-SNP: ARK, ASK, VCEK, all `Emulated` in subject and issuer.

A module of its own because the library that makes them takes its time to load, and a launch needs none of them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from confvm_gui.sev.snp_product import ProductLine
from confvm_gui.sev.vek_extensions import VekExtensions

_PSS: Final = padding.PSS(mgf=padding.MGF1(hashes.SHA384()), salt_length=48)
_NOT_BEFORE: Final = datetime(2024, 1, 1, tzinfo=UTC)
_ROOT_UNTIL: Final = datetime(2049, 1, 1, tzinfo=UTC)
_VCEK_UNTIL: Final = datetime(2031, 1, 1, tzinfo=UTC)
_SIGNS_CERTIFICATES_AND_CRLS: Final = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
_ORGANIZATION: Final = "ConfVM Console (Emulated, not AMD)"


def ark_certificate(line: ProductLine, ark: rsa.RSAPrivateKey) -> bytes:
    """The ARK's certificate of a product line, in DER, signed by itself."""
    name = _name(f"ARK-{line.value}")
    return _authority(name, name, ark.public_key(), ark, serial=1, path_length=1)


def ask_certificate(line: ProductLine, ask: rsa.RSAPublicKey, ark: rsa.RSAPrivateKey) -> bytes:
    """The ASK's certificate of a product line, in DER, signed by the ARK."""
    return _authority(_name(f"SEV-{line.value}"), _name(f"ARK-{line.value}"), ask, ark, serial=2, path_length=0)


def vcek_certificate(
    line: ProductLine, key: ec.EllipticCurvePublicKey, extensions: VekExtensions, ask: rsa.RSAPrivateKey
) -> bytes:
    """A VCEK's certificate, in DER, signed by the ASK."""
    builder = _builder(_name("SEV-VCEK"), _name(f"SEV-{line.value}"), _VCEK_UNTIL, 1).public_key(key)
    builder = builder.add_extension(_key_id_of_issuer(ask), critical=False)
    for oid, value in extensions.encode().items():
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(ask, hashes.SHA384(), rsa_padding=_PSS).public_bytes(serialization.Encoding.DER)


def revocation_list(line: ProductLine, ark: rsa.RSAPrivateKey) -> bytes:
    """The CRL of a product line, in DER, signed by the ARK: nothing is revoked."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(_name(f"ARK-{line.value}"))
    builder = builder.last_update(_NOT_BEFORE).next_update(_ROOT_UNTIL)
    builder = builder.add_extension(x509.CRLNumber(1), critical=False)
    builder = builder.add_extension(_key_id_of_issuer(ark), critical=False)
    return builder.sign(ark, hashes.SHA384(), rsa_padding=_PSS).public_bytes(serialization.Encoding.DER)


def _authority(
    subject: x509.Name,
    issuer: x509.Name,
    key: rsa.RSAPublicKey,
    signer: rsa.RSAPrivateKey,
    *,
    serial: int,
    path_length: int,
) -> bytes:
    builder = _builder(subject, issuer, _ROOT_UNTIL, serial).public_key(key)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    builder = builder.add_extension(_SIGNS_CERTIFICATES_AND_CRLS, critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    builder = builder.add_extension(_key_id_of_issuer(signer), critical=False)
    return builder.sign(signer, hashes.SHA384(), rsa_padding=_PSS).public_bytes(serialization.Encoding.DER)


def _key_id_of_issuer(signer: rsa.RSAPrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())


def _builder(subject: x509.Name, issuer: x509.Name, until: datetime, serial: int) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).serial_number(serial)
    return builder.not_valid_before(_NOT_BEFORE).not_valid_after(until)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Emulated"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Emulated {common_name}"),
        ]
    )
