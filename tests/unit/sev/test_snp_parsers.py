"""Whatever bytes arrive, SEV-SNP's parsers answer soon, with a value or with InvalidInput; what they read, they write.

Inputs are made from well-formed ones: bytes changed, cut out, doubled, cut short. Pure noise hardly gets past a length.
"""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.der import DerReader, Tag, encode, encode_integer
from confvm_gui.sev.expected_digest import LaunchInputs, LaunchMode, expected_launch_digest
from confvm_gui.sev.ghcb_certificates import CertificateEntry, build_certificate_table, parse_certificate_table
from confvm_gui.sev.id_block import IdAuth, IdBlock
from confvm_gui.sev.ovmf_image import FOOTER_GUID, OvmfImage
from confvm_gui.sev.snp_policy import SnpPolicy
from confvm_gui.sev.snp_product import TcbLayout
from confvm_gui.sev.snp_report import SNP_REPORT_SIZE, SnpReport
from confvm_gui.sev.tcb_version import TcbVersion
from confvm_gui.sev.vek_extensions import VekExtensions
from confvm_gui.sev.vmsa import Vmsa
from confvm_gui.sev.x509_certificate import MAXIMUM_CERTIFICATE, X509Certificate, parse_certificates
from confvm_gui.sev.x509_crl import MAXIMUM_CRL, X509Crl
from tests.unit.sev.firmware_images import make_image
from tests.unit.sev.x509_authority import certificate, revocation_list

LIMIT: Final = 0.1
"""Seconds of processor time that no input may take."""

KEY = ec.generate_private_key(ec.SECP384R1())
BLOCK = IdBlock(b"d" * 48, SnpPolicy())
AMD = VekExtensions("Turin", TcbVersion(1, 2, 3, 4, fmc=5), bytes(range(8)))
VCEK = certificate("SEV-VCEK", "SEV-Test", amd=AMD)
CRL = revocation_list("ARK-Test", range(1, 6))


def parse_certificate(data: bytes) -> bytes:
    read = X509Certificate(data)
    with suppress(InvalidInput):
        read.public_key()
    assert str(read.subject) is not None
    return read.encoded


def parse_image(data: bytes) -> bytes:
    image = OvmfImage.parse(data)
    for mode in LaunchMode:
        with suppress(InvalidInput):
            expected_launch_digest(LaunchInputs(mode, image, 2, 0x800F12))
    return image.data


def parse_report(data: bytes) -> bytes:
    report = SnpReport.parse(data)
    assert all(str(finding) for finding in report.reserved_findings())
    report.is_signed_by(KEY.public_key())
    return report.to_bytes()


def parse_table(data: bytes) -> bytes | None:
    parse_certificate_table(data)
    return None


PARSERS: dict[str, tuple[Callable[[bytes], bytes | None], bytes]] = {
    "report 2": (parse_report, SnpReport(version=2).signed(KEY).to_bytes()),
    "report 5": (parse_report, SnpReport(version=5).signed(KEY).to_bytes()),
    "ID block": (lambda data: IdBlock.parse(data).to_bytes(), BLOCK.to_bytes()),
    "ID auth": (lambda data: IdAuth.parse(data).to_bytes(), IdAuth.sign(BLOCK, KEY, KEY).to_bytes()),
    "VMSA": (lambda data: Vmsa(data).page, Vmsa.at_reset().page),
    "certificate": (parse_certificate, VCEK.encoded),
    "CRL": (lambda data: X509Crl(data).encoded, CRL.encoded),
    "certificate table": (parse_table, build_certificate_table([CertificateEntry(UUID(int=9), VCEK.encoded)])),
    "firmware": (parse_image, make_image(1)),
}
"""Each gives back the bytes that it read, where the format allows; and a well-formed input."""


@st.composite
def altered(draw: st.DrawFn, data: bytes) -> bytes:
    """`data` after a few changes, near its two ends more often than not."""
    copy = bytearray(data)
    for _ in range(draw(st.integers(1, 5))):
        # Most formats have their structure in the first and in the last bytes.
        near = draw(st.integers(0, min(200, len(copy))))
        at = draw(st.sampled_from((near, len(copy) - near, draw(st.integers(0, len(copy))))))
        kind = draw(st.integers(0, 5))
        if kind <= 2:
            copy[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
        elif kind == 3:
            copy[at : at + 4] = struct.pack("<I", draw(st.integers(0, 0xFFFFFFFF)))
        elif kind == 4:
            del copy[at : at + draw(st.integers(1, 40))]
        else:
            copy[at:at] = copy[at : at + draw(st.integers(1, 40))]
    return bytes(copy)


def attempt(parse: Callable[[bytes], bytes | None], data: bytes) -> None:
    """Parse `data`: a value that is what was read, or InvalidInput, in time."""
    began = time.process_time()
    told: InvalidInput | None = None
    again: bytes | None = None
    try:
        again = parse(data)
    except InvalidInput as error:
        told = error
    assert time.process_time() - began < LIMIT
    if told is None:
        assert again is None or again == data
    else:
        assert told.field
        assert "\n" not in told.message


@pytest.mark.parametrize("name", PARSERS)
@settings(deadline=None)
@given(data=st.data())
def test_altered_input_raises_nothing_else(name: str, data: st.DataObject) -> None:
    parse, good = PARSERS[name]
    attempt(parse, data.draw(altered(good)))


@pytest.mark.parametrize("name", PARSERS)
@settings(deadline=None)
@given(data=st.data())
def test_noise_raises_nothing_else(name: str, data: st.DataObject) -> None:
    parse, good = PARSERS[name]
    attempt(parse, data.draw(st.binary(max_size=64) | st.binary(min_size=len(good), max_size=len(good))))


@pytest.mark.parametrize("name", PARSERS)
def test_many_altered_inputs(name: str) -> None:
    """More than hypothesis tries, each from a generator of its own: the same on every run."""
    parse, good = PARSERS[name]
    chosen = random.Random(name)
    for _ in range(600):
        copy = bytearray(good)
        for _ in range(chosen.randint(1, 4)):
            copy[chosen.randrange(len(copy))] = chosen.randrange(256)
        length = chosen.choice((len(copy), len(copy), chosen.randrange(len(copy))))
        attempt(parse, bytes(copy[:length]))


@given(st.binary(max_size=300))
def test_files_of_certificates(noise: bytes) -> None:
    for data in (noise, b"-----BEGIN CERTIFICATE-----" + noise + b"-----END CERTIFICATE-----"):
        with suppress(InvalidInput):
            parse_certificates(data)


@given(st.dictionaries(st.sampled_from(sorted(AMD.encode())), st.binary(max_size=80)))
def test_amd_extensions(values: dict[str, bytes]) -> None:
    with suppress(InvalidInput):
        read = VekExtensions.decode(dict(AMD.encode()) | values)
        assert VekExtensions.decode(read.encode()) == read


@given(st.text(max_size=30))
def test_policy_text(text: str) -> None:
    with suppress(InvalidInput):
        assert SnpPolicy.parse(text).violations() == ()


@given(st.integers(0, 2**64 - 1))
def test_values_round_trip(value: int) -> None:
    assert int.from_bytes(SnpPolicy(value).to_bytes(), "little") == value
    for layout in TcbLayout:
        assert TcbVersion.decode(value, layout).to_int() == value


@given(st.integers(-(2**200), 2**200))
def test_integers_of_der_round_trip(value: int) -> None:
    assert DerReader(encode_integer(value), "x", "It").integer() == value


@given(st.binary(min_size=SNP_REPORT_SIZE, max_size=SNP_REPORT_SIZE), st.sampled_from((2, 3, 4, 5)))
def test_any_report_of_a_known_version_is_kept_whole(noise: bytes, version: int) -> None:
    raw = version.to_bytes(4, "little") + noise[4:]
    assert SnpReport.parse(raw).to_bytes() == raw


class TestLargestInputs:
    """Inputs of the largest size that is taken, made to be slow."""

    def repeated(self, unit: bytes, size: int) -> bytes:
        return encode(Tag.SEQUENCE, unit * (size // len(unit)))

    def test_revocation_list_of_many_lines(self) -> None:
        time_of = encode(Tag.UTC_TIME, b"240101000000Z")
        head = b"".join(
            encode(Tag.SEQUENCE, content)
            for content in (encode(Tag.OID, b"\x2a\x03"), b"")  # an algorithm that is not known, a name of nothing
        )
        lines: list[bytes] = []
        size = 0
        while size < MAXIMUM_CRL - 300:
            lines.append(encode(Tag.SEQUENCE, encode_integer(len(lines)) + time_of))
            size += len(lines[-1])
        body = encode(Tag.SEQUENCE, head + time_of + encode(Tag.SEQUENCE, b"".join(lines)))
        tail = encode(Tag.SEQUENCE, encode(Tag.OID, b"\x2a\x03")) + encode(Tag.BIT_STRING, b"\x00")
        whole = encode(Tag.SEQUENCE, body + tail)
        assert len(X509Crl(whole).revocations) == len(lines)
        attempt(lambda data: X509Crl(data).encoded, whole)

    def test_certificate_of_many_parts(self) -> None:
        names = self.repeated(encode(Tag.SET, encode(Tag.SEQUENCE, b"\x06\x01\x2a\x0c\x00")), MAXIMUM_CERTIFICATE - 300)
        algorithm = encode(Tag.SEQUENCE, encode(Tag.OID, b"\x2a\x03"))
        body = encode(Tag.SEQUENCE, encode(0xA0, encode_integer(2)) + encode_integer(0) + algorithm + names)
        attempt(parse_certificate, encode(Tag.SEQUENCE, body + algorithm + encode(Tag.BIT_STRING, b"\x00")))

    def test_bundle_of_many_beginnings(self) -> None:
        begin, end = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
        for unit in (begin, begin + b"A" + end, b"A" * 64):
            data = begin + unit * (MAXIMUM_CERTIFICATE * 8 // len(unit) - 2)
            began = time.process_time()
            with pytest.raises(InvalidInput):
                parse_certificates(data)
            assert time.process_time() - began < LIMIT

    def test_firmware_of_many_entries(self) -> None:
        entries = b"".join(struct.pack("<H16s", 18, UUID(int=index).bytes_le) for index in range(3600))
        table = entries + struct.pack("<H16s", len(entries) + 18, FOOTER_GUID.bytes_le)
        attempt(parse_image, bytes(4096) + table + bytes(32))

    def test_firmware_of_many_pages(self) -> None:
        image = make_image(1, sections=[(0, 0x4000000, 1)])
        assert len(OvmfImage.parse(image).sections) == 1
        attempt(lambda data: OvmfImage.parse(data).data, image)

    def test_table_of_large_entries(self) -> None:
        head = b"".join(
            UUID(int=index + 1).bytes + struct.pack("<II", 33 * 24, (1 << 20) - 33 * 24) for index in range(32)
        )
        attempt(parse_table, (head + bytes(24)).ljust(1 << 20, b"\x00"))
