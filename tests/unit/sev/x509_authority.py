"""An AMD-like hierarchy made for tests: ARK, ASK and VCEKs with AMD's extensions, revocation lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from confvm_gui.sev.vek_extensions import VekExtensions
from confvm_gui.sev.x509_certificate import X509Certificate
from confvm_gui.sev.x509_crl import X509Crl

START: Final = datetime(2024, 1, 1, tzinfo=UTC)
PSS: Final = padding.PSS(mgf=padding.MGF1(hashes.SHA384()), salt_length=48)


@cache
def rsa_key(which: str) -> rsa.RSAPrivateKey:
    """A key for each purpose. Of 2048 bits: AMD's have 4096, and those take seconds to make."""
    assert which
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def chip_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


def name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test Devices"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def certificate(
    subject: str,
    issuer: str,
    *,
    serial: int = 1,
    amd: VekExtensions | None = None,
    is_ca: bool = False,
    pss: padding.PSS | None = PSS,
) -> X509Certificate:
    """A certificate for `subject` by `issuer`; with AMD's extensions it is one of `chip_key`."""
    key = chip_key() if amd is not None else rsa_key(subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=365 * 40))
    )
    if is_ca:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    if amd is not None:
        for oid, value in amd.encode().items():
            extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)
            builder = builder.add_extension(extension, critical=False)
    signed = builder.sign(rsa_key(issuer), hashes.SHA384(), rsa_padding=pss)
    return X509Certificate(signed.public_bytes(serialization.Encoding.DER))


def revocation_list(issuer: str, serials: Iterable[int], *, number: int | None = 7) -> X509Crl:
    """The list of `issuer` with these serial numbers, of key compromise."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(name(issuer))
        .last_update(START)
        .next_update(START + timedelta(days=30))
    )
    if number is not None:
        builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    for serial in serials:
        line = (
            x509.RevokedCertificateBuilder()
            .serial_number(serial)
            .revocation_date(START + timedelta(days=serial % 20))
            .add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
        )
        builder = builder.add_revoked_certificate(line.build())
    signed = builder.sign(rsa_key(issuer), hashes.SHA384(), rsa_padding=PSS)
    return X509Crl(signed.public_bytes(serialization.Encoding.DER))
