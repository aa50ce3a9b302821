"""Certificates, revocation lists, certificate tables and KDS addresses, on a hierarchy made here."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.ghcb_certificates import (
    ARK_GUID,
    ASK_GUID,
    NAMES,
    VCEK_GUID,
    CertificateEntry,
    build_certificate_table,
    parse_certificate_table,
)
from confvm_gui.sev.kds import VekKind, chain_url, crl_url, vcek_url
from confvm_gui.sev.snp_product import ProductLine, TcbLayout
from confvm_gui.sev.tcb_version import TcbVersion
from confvm_gui.sev.vek_extensions import VekExtensions
from confvm_gui.sev.x509_certificate import MAXIMUM_CERTIFICATE, X509Certificate, parse_certificates
from tests.unit.sev.x509_authority import START, certificate, chip_key, revocation_list

HWID = bytes(range(1, 65))
MILAN = VekExtensions("Milan-B0", TcbVersion(3, 0, 8, 115), HWID, reserved_spls=((4, 0), (5, 0), (6, 0), (7, 0)))
TURIN = VekExtensions("Turin", TcbVersion(1, 2, 3, 200, fmc=4), HWID[:8], struct_version=1)
VLEK = VekExtensions("Genoa", TcbVersion(9, 0, 23, 72), csp_id="Test Cloud")


def pem(*certificates: X509Certificate) -> bytes:
    return b"".join(
        b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(each.encoded) + b"-----END CERTIFICATE-----\n"
        for each in certificates
    )


class TestCertificate:
    def test_chain(self) -> None:
        ark = certificate("ARK-Test", "ARK-Test", serial=10, is_ca=True)
        ask = certificate("SEV-Test", "ARK-Test", serial=11, is_ca=True)
        vcek = certificate("SEV-VCEK", "SEV-Test", amd=MILAN)
        assert ark.is_self_issued
        assert ark.is_signed_by(ark)
        assert ask.is_signed_by(ark)
        assert vcek.is_signed_by(ask)
        assert not vcek.is_signed_by(ark)
        assert vcek.names_issuer(ask)
        assert not vcek.names_issuer(ark)
        assert (ask.is_ca, ask.path_length, ask.serial) == (True, 0, 11)
        assert str(ask.subject) == "O=Test Devices, CN=SEV-Test"
        assert vcek.public_key() == chip_key().public_key()
        assert ask.may_sign_crls
        assert vcek.is_valid_at(START)
        assert not vcek.is_valid_at(START - timedelta(seconds=1))
        assert parse_certificates(pem(ask, ark)) == (ask, ark)
        assert parse_certificates(ark.encoded) == (ark,)

    @pytest.mark.parametrize("amd", [MILAN, TURIN, VLEK], ids=lambda amd: amd.product_name)
    def test_amd_extensions(self, amd: VekExtensions) -> None:
        vek = certificate("SEV-VCEK", "SEV-Test", amd=amd)
        assert vek.amd == amd
        assert vek.unknown_critical == ()
        assert amd.is_vlek is (amd.hwid is None)

    def test_product_names(self) -> None:
        assert MILAN.product is ProductLine.MILAN
        assert replace(MILAN, product_name="Siena-B1").product is ProductLine.GENOA
        assert replace(MILAN, product_name="Next").product is None

    def test_damaged_extensions_are_told(self) -> None:
        values = dict(MILAN.encode())
        for oid, value in (
            ("1.3.6.1.4.1.3704.1.4", HWID[:-1]),
            ("1.3.6.1.4.1.3704.1.3.1", b"\x02\x02\x01\x00"),
            ("1.3.6.1.4.1.3704.1.3.8", b"\x02\x01\xff"),
            ("1.3.6.1.4.1.3704.1.2", b"\x16\x02a\x00"),
            ("1.3.6.1.4.1.3704.1.2", b"\x16\x02a"),
            ("1.3.6.1.4.1.3704.1.1", b""),
        ):
            with pytest.raises(InvalidInput) as caught:
                VekExtensions.decode(values | {oid: value})
            assert caught.value.field == "certificate"
        wrapped = values | {"1.3.6.1.4.1.3704.1.4": b"\x04\x40" + HWID}
        assert VekExtensions.decode(wrapped) == MILAN
        del values["1.3.6.1.4.1.3704.1.3.3"]
        with pytest.raises(InvalidInput, match="lacks snp"):
            VekExtensions.decode(values)

    @pytest.mark.parametrize(
        "pss",
        [None, padding.PSS(padding.MGF1(hashes.SHA384()), 20), padding.PSS(padding.MGF1(hashes.SHA256()), 48)],
        ids=["PKCS #1 1.5", "short salt", "other mask"],
    )
    def test_other_ways_of_signing_are_not_accepted(self, pss: padding.PSS | None) -> None:
        ark = certificate("ARK-Test", "ARK-Test", is_ca=True)
        other = certificate("SEV-Test", "ARK-Test", pss=pss)
        assert other.signature_algorithm.hash_name == ""
        assert not other.is_signed_by(ark)

    def test_serial_of_zero(self) -> None:
        vcek = certificate("SEV-VCEK", "SEV-Test", amd=MILAN)
        assert X509Certificate(vcek.encoded.replace(b"\x02\x01\x01", b"\x02\x01\x00", 1)).serial == 0

    def test_files_that_hold_none(self) -> None:
        whole = certificate("ARK-Test", "ARK-Test")
        for data in (
            b"",
            b"no certificate",
            whole.encoded + b"\x00",
            whole.encoded[:-1],
            bytes(MAXIMUM_CERTIFICATE + 1),
            b"\x30" * (MAXIMUM_CERTIFICATE + 1),
            pem(whole)[:-40],
            pem(whole).replace(b"MII", b"M=I", 1),
            pem(*[whole] * 33),
            bytes(1 << 20),
        ):
            with pytest.raises(InvalidInput) as caught:
                parse_certificates(data)
            assert caught.value.field == "certificate"


class TestCrl:
    def test_revoked_and_not(self) -> None:
        ark = certificate("ARK-Test", "ARK-Test", serial=10, is_ca=True)
        ask = certificate("SEV-Test", "ARK-Test", serial=11, is_ca=True)
        crl = revocation_list("ARK-Test", [11, 12])
        assert crl.is_signed_by(ark)
        assert not crl.is_signed_by(ask)
        assert crl.revocation_of(ark) is None
        found = crl.revocation_of(ask)
        assert found is not None
        assert (found.serial, found.reason, found.at) == (11, 1, START + timedelta(days=11))
        assert crl.number == 7
        assert crl.unknown_critical == ()
        assert len(crl.revocations) == 2

    def test_serial_of_another_issuer_is_another_certificate(self) -> None:
        vcek = certificate("SEV-VCEK", "SEV-Test", serial=11, amd=MILAN)
        assert revocation_list("ARK-Test", [11]).revocation_of(vcek) is None

    def test_in_force(self) -> None:
        crl = revocation_list("ARK-Test", [], number=None)
        assert crl.revocations == {}
        assert crl.number is None
        assert crl.is_current_at(START)
        assert crl.is_current_at(START + timedelta(days=30))
        assert not crl.is_current_at(START + timedelta(days=31))
        assert not crl.is_current_at(datetime(2023, 1, 1, tzinfo=UTC))

    def test_altered_list_is_not_signed(self) -> None:
        ark = certificate("ARK-Test", "ARK-Test", serial=10, is_ca=True)
        crl = revocation_list("ARK-Test", [11])
        assert not type(crl)(crl.encoded.replace(b"\x02\x01\x0b", b"\x02\x01\x0c", 1)).is_signed_by(ark)


class TestCertificateTable:
    def test_round_trip(self) -> None:
        entries = (
            CertificateEntry(VCEK_GUID, b"vcek"),
            CertificateEntry(ASK_GUID, b""),
            CertificateEntry(UUID(int=5), b"the host's own"),
        )
        table = build_certificate_table(entries)
        assert table.startswith(bytes.fromhex("63da758de6644564adc5f4b93be8accd"))
        assert parse_certificate_table(table) == entries
        assert parse_certificate_table(table.ljust(4096, b"\x00")) == entries
        assert parse_certificate_table(bytes(4096)) == ()

    def test_guids_in_the_order_of_uefi(self) -> None:
        table = build_certificate_table([CertificateEntry(ARK_GUID, b"root")])
        swapped = ARK_GUID.bytes_le + table[16:]
        assert parse_certificate_table(swapped) == (CertificateEntry(ARK_GUID, b"root"),)
        assert NAMES[ARK_GUID] == "ARK"

    @pytest.mark.parametrize(
        "table",
        [
            b"",
            bytes(23),
            VCEK_GUID.bytes + (48).to_bytes(4, "little") + (1).to_bytes(4, "little") + bytes(24),
            VCEK_GUID.bytes + (4).to_bytes(4, "little") + (1).to_bytes(4, "little") + bytes(64),
            build_certificate_table([CertificateEntry(VCEK_GUID, b"a")])[:24] * 2 + bytes(48),
            b"\x01" * 24 * 40,
            bytes((1 << 20) + 1),
        ],
    )
    def test_damaged(self, table: bytes) -> None:
        with pytest.raises(InvalidInput) as caught:
            parse_certificate_table(table)
        assert caught.value.field == "certificates"


class TestKds:
    def test_addresses(self) -> None:
        assert chain_url(ProductLine.GENOA) == "https://kdsintf.amd.com/vcek/v1/Genoa/cert_chain"
        assert chain_url(ProductLine.MILAN, VekKind.VLEK) == "https://kdsintf.amd.com/vlek/v1/Milan/cert_chain"
        assert crl_url(ProductLine.TURIN, base="http://localhost:1") == "http://localhost:1/vcek/v1/Turin/crl"
        assert vcek_url(ProductLine.TURIN, HWID[:8] + bytes(56), TURIN.tcb, base="x") == (
            "x/vcek/v1/Turin/0102030405060708?fmcSPL=04&blSPL=01&teeSPL=02&snpSPL=03&ucodeSPL=200"
        )

    def test_chips_that_cannot_be_asked_for(self) -> None:
        for product, chip, tcb, why in (
            (ProductLine.MILAN, bytes(64), MILAN.tcb, "masks"),
            (ProductLine.MILAN, HWID[:8], MILAN.tcb, "64 bytes"),
            (ProductLine.TURIN, HWID, TURIN.tcb, "uses 8 bytes"),
            (ProductLine.GENOA, HWID, TURIN.tcb, "TCB"),
        ):
            with pytest.raises(InvalidInput, match=why):
                vcek_url(product, chip, tcb)
        assert ProductLine.GENOA.tcb_layout is TcbLayout.MILAN
