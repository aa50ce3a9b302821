"""From a certificate to a pinned root (RFC 5280, section 6.1), with everything that does not hold as findings.

The search and all that depends on nothing but bytes (signatures, names, constraints) is done once and kept; what
depends on the time asked for and on revocation lists is done at every call. The steps are those of section 6.1.3:

    (a)(1) the certificate was signed by the key of its issuer
    (a)(2) it is valid at the time asked for
    (a)(3) it is not revoked
    (a)(4) it names that issuer
    and of 6.1.4: (k) the issuer is a CA, (m) the path is not too long, (n) its key may sign certificates,
    (o) no critical extension is unknown
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from confvm_gui.attestation.codes import Code
from confvm_gui.attestation.inquiry import Inquiry
from confvm_gui.attestation.x509.certificates import (
    display_name,
    fingerprint,
    key_fingerprint,
    parse_certificate,
    parse_crl,
)
from confvm_gui.attestation.x509.signature import is_signed_by
from confvm_gui.domain.attestation import TrustedRoot, TrustLink
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.event import Severity
from confvm_gui.sev.x509_certificate import X509Certificate

MAX_DEPTH: Final = 6
MAX_CERTIFICATES: Final = 48
"""In one pool: more than any chain needs, few enough to try them all within the time that an input may take."""

_MAX_TRIES: Final = 64

_KNOWN_EXTENSIONS: Final = frozenset(
    {
        "2.5.29.17",  # subjectAltName: nobody is looked up by it here
        "2.5.29.37",  # extKeyUsage
    }
)


@dataclass(frozen=True, slots=True)
class Flaw:
    """A finding that depends on nothing but the certificates."""

    code: Code
    source: str
    expected: str = ""
    actual: str = ""


@dataclass(frozen=True, slots=True)
class Path:
    """A certificate and those that vouch for it, as far as they were found."""

    certificates: tuple[X509Certificate, ...]
    """The certificate first."""
    root: TrustedRoot | None
    """Who vouches for the last one, or None."""
    flaws: tuple[Flaw, ...]
    links: tuple[TrustLink, ...]
    """For a picture, root first."""

    @property
    def anchor(self) -> X509Certificate:
        """The last certificate."""
        return self.certificates[-1]


def pinned(certificate: X509Certificate, roots: tuple[TrustedRoot, ...]) -> TrustedRoot | None:
    """The root that this certificate is, if it is one."""
    for root in roots:
        if root.certificate_sha256 and root.certificate_sha256 == fingerprint(certificate.encoded):
            return root
        if root.spki_sha256 and root.spki_sha256 == key_fingerprint(certificate.public_key_info):
            return root
    return None


@lru_cache(maxsize=128)
def find_path(leaf: bytes, pool: tuple[bytes, ...], roots: tuple[TrustedRoot, ...]) -> Path:
    """The path from `leaf` through certificates of `pool` (all DER) to one of `roots`, or the best one there is.

    InvalidInput("certificate") if a certificate is malformed, InvalidInput("endorsements") if there are too many.
    """
    if len(pool) > MAX_CERTIFICATES:
        raise InvalidInput(
            "endorsements", f"{len(pool)} certificates were given; give the chain only, at most {MAX_CERTIFICATES}"
        )
    return _Search(tuple(dict.fromkeys(parse_certificate(raw) for raw in pool)), roots).extend(
        (parse_certificate(leaf),)
    )


class _Search:
    """Looks for a path, depth first, with a bound on the signatures that are tried."""

    def __init__(self, pool: tuple[X509Certificate, ...], roots: tuple[TrustedRoot, ...]) -> None:
        self._pool = pool
        self._roots = roots
        self._tries = _MAX_TRIES

    def extend(self, so_far: tuple[X509Certificate, ...]) -> Path:
        """The best path that begins with `so_far`: one that ends in a root, else the longest."""
        last = so_far[-1]
        root = pinned(last, self._roots)
        if root is not None:
            return Path(so_far, root, _static_flaws(so_far, root), _links(so_far, root))
        best = None
        issuers = [item for item in self._pool if item.subject.encoded == last.issuer.encoded and item not in so_far]
        for issuer in issuers if len(so_far) < MAX_DEPTH else ():
            self._tries -= 1
            if self._tries < 0:
                break
            if not _issued_by(last, issuer):  # (a)(1), (a)(4)
                continue
            path = self.extend((*so_far, issuer))
            if path.root is not None:
                return path
            if best is None or len(path.certificates) > len(best.certificates):
                best = path
        if best is not None:
            return best
        name = display_name(last)
        if last.is_self_issued:
            actual = f"SHA-256 of its key {key_fingerprint(last.public_key_info)}"
            flaw = Flaw(Code.ROOT_NOT_TRUSTED, name, "a pinned root", actual)
        elif issuers:
            flaw = Flaw(Code.CERTIFICATE_SIGNATURE, name, f"a signature by {last.issuer}")
        else:
            flaw = Flaw(Code.ISSUER_MISSING, name, str(last.issuer))
        return Path(so_far, None, (*_static_flaws(so_far, None), flaw), _links(so_far, None))


def _issued_by(certificate: X509Certificate, issuer: X509Certificate) -> bool:
    return is_signed_by(
        issuer.public_key_info,
        certificate.signature_algorithm.encoded,
        certificate.signature,
        certificate.signed_part,
    )


def _static_flaws(certificates: tuple[X509Certificate, ...], root: TrustedRoot | None) -> tuple[Flaw, ...]:
    flaws = []
    for depth, certificate in enumerate(certificates):
        flaws += [
            Flaw(Code.CERTIFICATE_CONSTRAINTS, display_name(certificate), "no unknown critical extension", oid)
            for oid in certificate.unknown_critical  # 6.1.4 (o)
            if oid not in _KNOWN_EXTENSIONS
        ]
        if depth:
            flaws += _issuer_flaws(certificate, depth)
    last = certificates[-1]
    # A root's signature over itself is not needed for trust, but a root that was changed is not the root.
    if root is not None and root.self_signed and not (last.is_self_issued and _issued_by(last, last)):
        flaws.append(Flaw(Code.CERTIFICATE_SIGNATURE, display_name(last), "a signature by itself"))
    return tuple(flaws)


def _issuer_flaws(certificate: X509Certificate, depth: int) -> list[Flaw]:
    """What speaks against `certificate`, the `depth`-th of a path (counted from 0), being an issuer."""
    name, length = display_name(certificate), certificate.path_length
    flaws = []
    if not certificate.is_ca:  # (k)
        flaws.append(Flaw(Code.CERTIFICATE_CONSTRAINTS, name, "CA:TRUE", "CA:FALSE"))
    elif not certificate.may_sign_certificates:  # (n)
        flaws.append(Flaw(Code.CERTIFICATE_CONSTRAINTS, name, "keyCertSign", "a key for other uses"))
    if length is not None and depth - 1 > length:  # (m)
        flaws.append(Flaw(Code.CERTIFICATE_CONSTRAINTS, name, f"at most {length} CAs below", str(depth - 1)))
    return flaws


def readable(inquiry: Inquiry, certificates: Iterable[bytes], source: str) -> tuple[bytes, ...]:
    """The DER certificates that can be read; an error for each that cannot."""
    found = []
    for encoded in certificates:
        try:
            parse_certificate(encoded)
        except InvalidInput as problem:
            inquiry.error(Code.CERTIFICATE_MALFORMED, source, actual=str(problem))
        else:
            found.append(encoded)
    return tuple(found)


def readable_lists(inquiry: Inquiry, lists: Iterable[bytes]) -> tuple[bytes, ...]:
    """The DER revocation lists that can be read; an error for each that cannot."""
    found = []
    for encoded in lists:
        try:
            parse_crl(encoded)
        except InvalidInput as problem:
            inquiry.error(Code.REVOCATION_LIST_INVALID, "endorsements", actual=str(problem))
        else:
            found.append(encoded)
    return tuple(found)


def check_path(
    inquiry: Inquiry,
    leaf: bytes,
    pool: tuple[bytes, ...],
    roots: tuple[TrustedRoot, ...],
    *,
    revocable: int = MAX_DEPTH,
    first_revocable: int = 0,
) -> Path:
    """Find the path of `leaf` and record all that does not hold.

    Revocation is looked at for certificates `first_revocable` up to `revocable` (exclusive, counted from the leaf);
    a root is never revoked by its own list. AMD lists ASKs but no VCEKs, for instance.
    """
    path = find_path(leaf, pool, roots + inquiry.reference.trusted_roots)
    for flaw in path.flaws:
        inquiry.error(flaw.code, flaw.source, expected=flaw.expected, actual=flaw.actual)
    for certificate in path.certificates:
        _check_time(inquiry, certificate)
    issued = list(zip(path.certificates, path.certificates[1:], strict=False))
    for certificate, issuer in issued[first_revocable:revocable]:
        _check_revocation(inquiry, certificate, issuer)
    if path.root is not None and path.root.emulated:
        inquiry.warning(Code.ROOT_EMULATED, display_name(path.anchor), actual=path.root.name)
    for link in path.links:
        inquiry.link(link)
    return path


def _check_time(inquiry: Inquiry, certificate: X509Certificate) -> None:
    """(a)(2)"""
    if inquiry.at < certificate.not_before:
        inquiry.error(
            Code.CERTIFICATE_NOT_YET_VALID,
            display_name(certificate),
            expected=f"a time from {certificate.not_before:%Y-%m-%d %H:%M:%S} UTC on",
            actual=f"{inquiry.at:%Y-%m-%d %H:%M:%S} UTC",
        )
    if inquiry.at > certificate.not_after:
        inquiry.error(
            Code.CERTIFICATE_EXPIRED,
            display_name(certificate),
            expected=f"a time up to {certificate.not_after:%Y-%m-%d %H:%M:%S} UTC",
            actual=f"{inquiry.at:%Y-%m-%d %H:%M:%S} UTC",
        )


def _check_revocation(inquiry: Inquiry, certificate: X509Certificate, issuer: X509Certificate) -> None:
    """(a)(3), with the lists of section 6.3.3 that were given.

    A list that names the certificate counts whatever its own time is. That no list names it counts only if one of
    them is of the time asked for.
    """
    found = current = False
    stale = ""
    for raw in inquiry.endorsements.crls:
        crl = parse_crl(raw)
        if crl.issuer.encoded != issuer.subject.encoded:
            continue
        found = True
        usable = issuer.may_sign_crls and not crl.unknown_critical
        if not usable or not is_signed_by(
            issuer.public_key_info, crl.signature_algorithm.encoded, crl.signature, crl.signed_part
        ):
            inquiry.error(Code.REVOCATION_LIST_INVALID, f"revocation list of {display_name(issuer)}")
            continue
        revocation = crl.revocation_of(certificate)
        if revocation is not None:
            when = revocation.at
            later = when > inquiry.at
            inquiry.add(
                Code.CERTIFICATE_REVOKED_LATER if later else Code.CERTIFICATE_REVOKED,
                Severity.WARNING if later else Severity.ERROR,
                display_name(certificate),
                "not revoked",
                f"revoked on {when:%Y-%m-%d %H:%M:%S} UTC",
            )
        if crl.is_current_at(inquiry.at):
            current = True
        else:
            until = f"{crl.next_update:%Y-%m-%d %H:%M:%S}" if crl.next_update else "always"
            stale = f"{crl.this_update:%Y-%m-%d %H:%M:%S} to {until} UTC"
    if current:
        return
    severity = Severity.ERROR if inquiry.reference.require_revocation else Severity.WARNING
    if stale:
        inquiry.add(
            Code.REVOCATION_LIST_NOT_CURRENT,
            severity,
            f"revocation list of {display_name(issuer)}",
            f"a list of {inquiry.at:%Y-%m-%d %H:%M:%S} UTC",
            stale,
        )
    elif not found:
        inquiry.add(
            Code.REVOCATION_NOT_CHECKED,
            severity,
            display_name(certificate),
            f"revocation list of {display_name(issuer)}",
            "",
        )


def _links(certificates: tuple[X509Certificate, ...], root: TrustedRoot | None) -> tuple[TrustLink, ...]:
    names = [display_name(certificate) for certificate in certificates]
    issuers = [*names[1:], names[-1] if root is not None else ""]
    return tuple(
        TrustLink(
            name=name,
            issuer=issuer,
            verified=certificate is not certificates[-1] or root is not None,
            fingerprint=fingerprint(certificate.encoded),
            not_before=certificate.not_before,
            not_after=certificate.not_after,
            emulated=root is not None and root.emulated,
        )
        for name, issuer, certificate in reversed(list(zip(names, issuers, certificates, strict=True)))
    )
