"""Certificates and revocation lists out of DER, parsed once, and what is asked of them everywhere."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.der import DerReader, Tag
from confvm_gui.sev.x509_certificate import X509Certificate
from confvm_gui.sev.x509_crl import X509Crl

_CRL_DISTRIBUTION_POINTS: Final = "2.5.29.31"
_URI: Final = 0x86


@lru_cache(maxsize=256)
def parse_certificate(encoded: bytes) -> X509Certificate:
    """Decode one DER certificate; InvalidInput("certificate")."""
    return X509Certificate(encoded)


@lru_cache(maxsize=64)
def parse_crl(encoded: bytes) -> X509Crl:
    """Decode one DER revocation list; InvalidInput("crl")."""
    return X509Crl(encoded)


def well_framed(encoded: bytes) -> bool:
    """Whether `encoded` is one DER structure from its first to its last byte: not cut short, nothing behind it."""
    reader = DerReader(encoded, "certificate", "The DER file")
    try:
        reader.next(Tag.SEQUENCE)
    except InvalidInput:
        return False
    return not reader.more


@lru_cache(maxsize=256)
def display_name(certificate: X509Certificate) -> str:
    """For a person: the subject's common name, else the whole subject, else the number."""
    return certificate.subject.common_name or str(certificate.subject) or f"certificate {certificate.serial:x}"


@lru_cache(maxsize=256)
def fingerprint(encoded: bytes) -> str:
    """SHA-256 of a certificate, lower-case hex."""
    return hashlib.sha256(encoded).hexdigest()


@lru_cache(maxsize=256)
def key_fingerprint(public_key_info: bytes) -> str:
    """SHA-256 of a SubjectPublicKeyInfo, lower-case hex: what roots are pinned by."""
    return hashlib.sha256(public_key_info).hexdigest()


def crl_urls(certificate: X509Certificate) -> tuple[str, ...]:
    """HTTP addresses of the issuer's revocation lists (section 4.2.1.13); InvalidInput("certificate")."""
    extension = certificate.extensions.get(_CRL_DISTRIBUTION_POINTS)
    if extension is None:
        return ()
    urls = []
    points = DerReader(extension.value, "certificate", "The list of distribution points").enter()
    while points.more:
        point = points.enter()
        while point.more:
            part = point.next()
            if part.tag != 0xA0:  # distributionPoint; reasons and cRLIssuer are of no use here
                continue
            name = point.inside(part)
            while name.more:
                full = name.next()
                if full.tag != 0xA0:  # fullName
                    continue
                general = name.inside(full)
                while general.more:
                    one = general.next()
                    if one.tag == _URI:
                        urls.append(general.content(one).decode("ascii", "replace"))
    return tuple(url for url in urls if url.startswith(("http://", "https://")))


def algorithm_reader(encoded: bytes) -> DerReader:
    """A reader of the content of an AlgorithmIdentifier."""
    outer = DerReader(encoded, "certificate", "The signature algorithm")
    inner = outer.enter(Tag.SEQUENCE)
    outer.finish()
    return inner
