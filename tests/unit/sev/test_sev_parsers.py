"""Whatever bytes arrive, a parser answers with a value or with InvalidInput; and what it reads it writes back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.amd_certificate import AmdCertificate
from confvm_gui.sev.attestation_report import ATTESTATION_REPORT_SIZE, AttestationReport
from confvm_gui.sev.ecc_format import PUBLIC_KEY_SIZE, decode_public_key, encode_public_key
from confvm_gui.sev.guest_policy import RESERVED_MASK, GuestPolicy
from confvm_gui.sev.key_usage import Algorithm, Usage
from confvm_gui.sev.measurement import MEASUREMENT_SIZE, FirmwareVersion, LaunchMeasurement
from confvm_gui.sev.platform_buffers import PLATFORM_STATUS_SIZE, PlatformStatus
from confvm_gui.sev.secret_packet import PACKET_HEADER_SIZE, SecretPacketHeader
from confvm_gui.sev.secret_table import MAXIMUM_SIZE, SecretEntry, build_secret_table, parse_secret_table
from confvm_gui.sev.session import SESSION_SIZE, LaunchSession
from confvm_gui.sev.sev_certificate import SEV_CERTIFICATE_SIZE, SevCertificate
from confvm_gui.sev.states import PlatformState

EC_KEY = ec.generate_private_key(ec.SECP384R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OCA = SevCertificate.unsigned(Usage.OCA, EC_KEY.public_key(), algorithm=Algorithm.ECDSA_SHA256).signed(
    EC_KEY, Usage.OCA
)
ARK = AmdCertificate.unsigned(Usage.ARK, RSA_KEY.public_key(), key_id=b"k" * 16, certifying_id=b"k" * 16).signed(
    RSA_KEY
)

PARSERS: dict[str, tuple[Callable[[bytes], object], int]] = {
    "AMD certificate": (AmdCertificate.parse, len(ARK.to_bytes())),
    "SEV certificate": (SevCertificate.parse, SEV_CERTIFICATE_SIZE),
    "public key": (decode_public_key, PUBLIC_KEY_SIZE),
    "session": (LaunchSession.parse, SESSION_SIZE),
    "measurement": (LaunchMeasurement.parse, MEASUREMENT_SIZE),
    "packet header": (SecretPacketHeader.parse, PACKET_HEADER_SIZE),
    "secret table": (parse_secret_table, 64),
    "attestation report": (AttestationReport.parse, ATTESTATION_REPORT_SIZE),
    "platform status": (PlatformStatus.parse, PLATFORM_STATUS_SIZE),
}


def flipped(data: bytes, changes: dict[int, int]) -> bytes:
    """`data` with the bytes at some offsets (taken modulo its length) replaced."""
    copy = bytearray(data)
    for offset, value in changes.items():
        copy[offset % len(copy)] = value
    return bytes(copy)


CHANGES = st.dictionaries(st.integers(0, 4095), st.integers(0, 255), max_size=6)


@pytest.mark.parametrize("name", PARSERS)
@given(data=st.data())
def test_arbitrary_bytes_raise_nothing_else(name: str, data: st.DataObject) -> None:
    parse, size = PARSERS[name]
    raw = data.draw(st.binary(max_size=96) | st.binary(min_size=size, max_size=size))
    with suppress(InvalidInput):
        parse(raw)


@pytest.mark.parametrize("name", PARSERS)
@given(extra=st.integers(1, 40))
def test_wrong_length_is_refused(name: str, extra: int) -> None:
    parse, size = PARSERS[name]
    if name == "secret table":
        return  # takes what the table's own length says
    for length in (0, max(0, size - extra), size + extra):
        with pytest.raises(InvalidInput):
            parse(bytes(length))


@given(CHANGES)
def test_altered_sev_certificate_parses_or_not_but_never_verifies(changes: dict[int, int]) -> None:
    raw = flipped(OCA.to_bytes(), changes)
    try:
        certificate = SevCertificate.parse(raw)
        verified = certificate.is_signed_by(OCA)
        certificate.is_signed_by(certificate)
    except InvalidInput:
        return
    assert certificate.to_bytes() == raw
    # The second slot is not signed by anybody: it may change without harm to the first.
    assert not verified or raw[:0x61C] == OCA.to_bytes()[:0x61C]


@given(CHANGES)
def test_altered_amd_certificate_parses_or_not_but_never_verifies(changes: dict[int, int]) -> None:
    raw = flipped(ARK.to_bytes(), changes)
    try:
        certificate = AmdCertificate.parse(raw)
        verified = certificate.is_signed_by(ARK)
        certificate.is_signed_by(certificate)
    except InvalidInput:
        return
    assert certificate.to_bytes() == raw
    assert verified is (raw == ARK.to_bytes())


@given(st.integers(-5, 2**33))
def test_policy_round_trip_and_reserved_bits(value: int) -> None:
    legal = 0 <= value < 2**32 and not value & RESERVED_MASK
    if not legal:
        with pytest.raises(InvalidInput) as caught:
            GuestPolicy.from_int(value)
        assert caught.value.field == "policy"
        return
    policy = GuestPolicy.from_int(value)
    assert policy.to_int() == value
    assert policy.to_bytes() == value.to_bytes(4, "little")
    assert GuestPolicy.parse(hex(value)) == policy
    if not (policy.api_major or policy.api_minor or not policy.names()):
        assert GuestPolicy.parse("|".join(policy.names())) == policy


@given(st.text(max_size=30))
def test_policy_text_raises_nothing_else(text: str) -> None:
    with suppress(InvalidInput):
        GuestPolicy.parse(text)


def test_policy_in_words() -> None:
    policy = GuestPolicy.parse("nodbg, NOKS")
    assert policy.to_int() == 3
    assert str(policy) == "0x00000003 (NODBG|NOKS)"
    assert policy.describe() == (
        "debugging commands are refused",
        "the memory encryption key is not shared with another guest",
    )
    newer = GuestPolicy.from_int(0x31010005)
    assert (newer.api_major, newer.api_minor) == (1, 0x31)
    assert newer.names() == ("NODBG", "ES")
    assert newer.allows_api(1, 0x31)
    assert newer.allows_api(2, 0)
    assert not newer.allows_api(1, 0x30)
    assert str(GuestPolicy()) == "0x00000000 (none)"


@given(st.lists(st.tuples(st.uuids(), st.binary(max_size=200)), max_size=8), st.binary(max_size=40))
def test_secret_table_round_trip(entries: list[tuple[UUID, bytes]], behind: bytes) -> None:
    table = build_secret_table([SecretEntry(guid, data) for guid, data in entries])
    assert len(table) % 16 == 0
    assert [(entry.guid, entry.data) for entry in parse_secret_table(table + behind)] == entries


@given(CHANGES)
def test_altered_secret_table_raises_nothing_else(changes: dict[int, int]) -> None:
    table = build_secret_table([SecretEntry(UUID(int=n), bytes(n)) for n in range(1, 9)])
    with suppress(InvalidInput):
        parse_secret_table(flipped(table, changes))


def test_secret_table_has_a_largest_size() -> None:
    overhead = 2 * 20
    assert len(build_secret_table([SecretEntry(UUID(int=1), bytes(MAXIMUM_SIZE - overhead))])) == MAXIMUM_SIZE
    with pytest.raises(InvalidInput):
        build_secret_table([SecretEntry(UUID(int=1), bytes(MAXIMUM_SIZE - overhead + 1))])


@given(st.binary(min_size=SESSION_SIZE, max_size=SESSION_SIZE))
def test_session_round_trip(raw: bytes) -> None:
    assert LaunchSession.parse(raw).to_bytes() == raw


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255), st.booleans(), st.integers(0, 2**32 - 1))
def test_platform_status_round_trip(major: int, minor: int, build: int, flag: bool, guests: int) -> None:
    status = PlatformStatus(FirmwareVersion(major, minor, build), PlatformState.WORKING, flag, not flag, guests)
    assert len(status.to_bytes()) == PLATFORM_STATUS_SIZE
    assert PlatformStatus.parse(status.to_bytes()) == status


def test_keys_keep_their_curve() -> None:
    for curve in (ec.SECP256R1(), ec.SECP384R1()):
        key = ec.generate_private_key(curve).public_key()
        assert decode_public_key(encode_public_key(key)).public_numbers() == key.public_numbers()
    with pytest.raises(InvalidInput, match="P-256 and P-384"):
        encode_public_key(ec.generate_private_key(ec.SECP521R1()).public_key())


def test_padding_behind_a_public_key_is_refused() -> None:
    field = encode_public_key(EC_KEY.public_key())
    with pytest.raises(InvalidInput, match="not zero"):
        decode_public_key(field[:-1] + b"\x01")


def test_padding_behind_a_signature_is_refused() -> None:
    """It is not signed: were it ignored, one certificate would have many forms."""
    raw = bytearray(OCA.to_bytes())
    raw[0x41C + 200] = 1
    assert not SevCertificate.parse(bytes(raw)).is_signed_by(OCA)


def test_signature_slots_fill_in_order_and_there_are_two() -> None:
    certificate = SevCertificate.unsigned(Usage.PEK, EC_KEY.public_key(), algorithm=Algorithm.ECDSA_SHA256)
    certificate = certificate.signed(EC_KEY, Usage.OCA).signed(EC_KEY, Usage.CEK, Algorithm.ECDSA_SHA384)
    assert [slot.usage for slot in certificate.signatures] == [Usage.OCA, Usage.CEK]
    assert certificate.is_signed_by(OCA)
    with pytest.raises(InvalidInput, match="taken"):
        certificate.signed(EC_KEY, Usage.OCA)


def test_key_and_algorithm_must_go_together() -> None:
    certificate = SevCertificate.unsigned(Usage.CEK, EC_KEY.public_key(), algorithm=Algorithm.ECDSA_SHA256)
    with pytest.raises(InvalidInput, match="does not sign"):
        certificate.signed(EC_KEY, Usage.ASK, Algorithm.RSA_SHA256)


def test_rsa_owner_key() -> None:
    """Section C.3.1 lets a SEV certificate carry an RSA key."""
    numbers = RSA_KEY.public_key().public_numbers()
    field = (2048).to_bytes(4, "little") + numbers.e.to_bytes(512, "little") + numbers.n.to_bytes(512, "little")
    oca = SevCertificate(Usage.OCA, Algorithm.RSA_SHA256, field).signed(RSA_KEY, Usage.OCA, Algorithm.RSA_SHA256)
    assert SevCertificate.parse(oca.to_bytes()).is_signed_by(oca)
    too_long = SevCertificate(Usage.OCA, Algorithm.RSA_SHA256, field[:-1] + b"\x01")
    with pytest.raises(InvalidInput, match="longer than it says"):
        too_long.public_key()


def test_firmware_version_is_three_bytes() -> None:
    assert FirmwareVersion(1, 55, 22).to_bytes() == b"\x01\x37\x16"
    assert not FirmwareVersion(0, 16, 1).has_context
    with pytest.raises(InvalidInput):
        FirmwareVersion(1, 256, 0)
