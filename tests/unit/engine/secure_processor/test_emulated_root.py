"""The emulated ARK and ASK as X.509: what they may sign, what they revoke, and that nobody takes them for AMD's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509

from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from confvm_gui.sev.snp_product import ProductLine
from confvm_gui.sev.x509_certificate import X509Certificate
from confvm_gui.sev.x509_crl import X509Crl

ROOT = EmulatedRoot(bits=2048)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
LINES = pytest.mark.parametrize("line", ProductLine)


@LINES
def test_authorities_sign_certificates_and_crls(line: ProductLine) -> None:
    for encoded in (ROOT.ark_x509(line), ROOT.ask_x509(line)):
        certificate = X509Certificate(encoded)
        assert certificate.may_sign_certificates
        assert certificate.may_sign_crls
        assert not certificate.unknown_critical
        parsed = x509.load_der_x509_certificate(encoded)
        usage = parsed.extensions.get_extension_for_class(x509.KeyUsage)
        assert usage.critical
        assert not usage.value.digital_signature


@LINES
def test_everything_says_that_it_is_emulated(line: ProductLine) -> None:
    for encoded in (ROOT.ark_x509(line), ROOT.ask_x509(line)):
        parsed = x509.load_der_x509_certificate(encoded)
        for name in (parsed.subject, parsed.issuer):
            (common_name,) = name.get_attributes_for_oid(x509.oid.NameOID.COMMON_NAME)
            assert str(common_name.value).startswith("Emulated ")
    issuer = x509.load_der_x509_crl(ROOT.crl(line)).issuer
    assert "Emulated" in issuer.rfc4514_string()


@LINES
def test_the_crl_is_the_arks_and_empty(line: ProductLine) -> None:
    crl, ark = X509Crl(ROOT.crl(line)), X509Certificate(ROOT.ark_x509(line))
    assert crl.is_signed_by(ark)
    assert crl.is_current_at(NOW)
    assert not crl.unknown_critical
    assert crl.revocation_of(X509Certificate(ROOT.ask_x509(line))) is None
    assert not crl.is_signed_by(X509Certificate(EmulatedRoot(bits=2048).ark_x509(line)))
    assert ROOT.crl(line) == ROOT.crl(line)
    assert len(x509.load_der_x509_crl(ROOT.crl(line))) == 0
