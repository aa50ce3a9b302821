"""Authorities made for tests: roots, intermediates and leaves with any key, time, extension and revocation list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from confvm_gui.attestation.x509.certificates import key_fingerprint, parse_certificate
from confvm_gui.domain.attestation import TrustedRoot

NOW: Final = datetime(2025, 7, 1, 12, tzinfo=UTC)
START: Final = datetime(2024, 1, 1, tzinfo=UTC)
END: Final = datetime(2044, 1, 1, tzinfo=UTC)
PSS: Final = padding.PSS(mgf=padding.MGF1(hashes.SHA384()), salt_length=48)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(which: str) -> rsa.RSAPrivateKey:
    """One key for each purpose. Of 2048 bits, because making AMD's 4096 takes seconds."""
    assert which
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def p384_key(which: str) -> ec.EllipticCurvePrivateKey:
    assert which
    return ec.generate_private_key(ec.SECP384R1())


@cache
def p256_key(which: str) -> ec.EllipticCurvePrivateKey:
    assert which
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class Party:
    """Somebody with a key and a certificate."""

    name: str
    key: Key
    der: bytes = b""
    issuer: Party | None = field(default=None, repr=False)

    @property
    def fingerprint(self) -> str:
        return key_fingerprint(parse_certificate(self.der).public_key_info)

    def root(self, *, emulated: bool = False) -> TrustedRoot:
        """Believe in it."""
        return TrustedRoot(self.name, self.fingerprint, emulated=emulated)

    def chain(self) -> tuple[bytes, ...]:
        """Its certificate and those of its issuers."""
        return (self.der, *(self.issuer.chain() if self.issuer is not None else ()))


def issue(
    name: str,
    key: Key,
    issuer: Party | None = None,
    *,
    authority: bool = False,
    path_length: int | None = None,
    usage: x509.KeyUsage | None = None,
    serial: int = 1,
    start: datetime = START,
    end: datetime = END,
    extensions: Mapping[str, bytes] | None = None,
    critical: bool = False,
    crl_url: str = "",
) -> Party:
    """A certificate by `issuer`, or by itself."""
    signer = issuer.key if issuer is not None else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer.name if issuer is not None else name))
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(start)
        .not_valid_after(end)
    )
    if authority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    if usage is not None:
        builder = builder.add_extension(usage, critical=True)
    for oid, value in (extensions or {}).items():
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)
        builder = builder.add_extension(extension, critical=critical)
    if crl_url:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    if isinstance(signer, rsa.RSAPrivateKey):
        certificate = builder.sign(signer, hashes.SHA384(), rsa_padding=PSS)
    else:
        certificate = builder.sign(signer, hashes.SHA256() if signer.curve.key_size == 256 else hashes.SHA384())
    return Party(name, key, certificate.public_bytes(Encoding.DER), issuer)


def revocation_list(
    issuer: Party,
    revoked: Mapping[int, datetime] | None = None,
    *,
    key: Key | None = None,
    start: datetime = NOW - timedelta(days=1),
    end: datetime = NOW + timedelta(days=29),
) -> bytes:
    """A list of `issuer`, DER; signed by another key if one is given."""
    signer = key or issuer.key
    builder = (
        x509.CertificateRevocationListBuilder().issuer_name(named(issuer.name)).last_update(start).next_update(end)
    )
    for serial, when in (revoked or {}).items():
        line = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(when)
        builder = builder.add_revoked_certificate(line.build())
    if isinstance(signer, rsa.RSAPrivateKey):
        return builder.sign(signer, hashes.SHA384(), rsa_padding=PSS).public_bytes(Encoding.DER)
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.DER)


def named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def key_usage(*, sign: bool = False, certificates: bool = False, lists: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=lists,
        encipher_only=False,
        decipher_only=False,
    )
