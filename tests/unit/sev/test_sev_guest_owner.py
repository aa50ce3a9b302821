"""The guest owner's end: sessions open on the right platform only, secrets go to measured launches only."""

from __future__ import annotations

import copy
import pickle
import secrets
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from confvm_gui.domain.errors import BugError, InvalidInput, MeasurementMismatch
from confvm_gui.sev.guest_owner import GuestOwner
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.key_material import SecretKey, TransportKey
from confvm_gui.sev.key_usage import Algorithm, Usage
from confvm_gui.sev.measurement import FirmwareVersion, launch_digest, launch_measure
from confvm_gui.sev.secret_packet import SecretPacketHeader, open_secret
from confvm_gui.sev.secret_table import DISK_KEY_GUID, SecretEntry
from confvm_gui.sev.session import LaunchSession, TransportKeys
from confvm_gui.sev.sev_certificate import SevCertificate

POLICY = 0x3
VERSION = FirmwareVersion(1, 55, 22)
DIGEST = launch_digest([b"image"])


class Platform:
    """Just enough of the other end."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP384R1())
        self.pdh = SevCertificate.unsigned(Usage.PDH, self.key.public_key(), algorithm=Algorithm.ECDH_SHA256)

    def open(self, owner: GuestOwner, policy: int = POLICY) -> TransportKeys:
        peer = SevCertificate.parse(owner.dh_cert).ecdh_key()
        session = LaunchSession.parse(owner.session)
        return session.open(self.key.exchange(ec.ECDH(), peer), GuestPolicy.from_int(policy))

    def measure(self, owner: GuestOwner, digest: bytes = DIGEST, version: FirmwareVersion = VERSION) -> bytes:
        return launch_measure(
            self.open(owner).tik,
            version=version,
            policy=GuestPolicy.from_int(POLICY),
            digest=digest,
            mnonce=secrets.token_bytes(16),
        ).to_bytes()


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def owner(platform: Platform) -> GuestOwner:
    return GuestOwner.for_platform(platform.pdh.to_bytes(), POLICY)


def check(owner: GuestOwner, blob: bytes, digest: bytes = DIGEST, version: FirmwareVersion = VERSION) -> None:
    owner.check_measurement(
        blob,
        api_major=version.api_major,
        api_minor=version.api_minor,
        build=version.build,
        launch_digest=digest,
    )


def test_session_opens_on_its_platform_only(platform: Platform, owner: GuestOwner) -> None:
    assert len(owner.dh_cert) == 2084
    assert len(owner.session) == 128
    keys = platform.open(owner)
    assert len(keys.tek.reveal()) == 16
    with pytest.raises(InvalidInput, match="PDH"):
        Platform().open(owner)


def test_session_is_bound_to_the_policy(platform: Platform, owner: GuestOwner) -> None:
    with pytest.raises(InvalidInput, match="policy"):
        platform.open(owner, policy=POLICY & ~1)


def test_every_bit_of_the_session_counts(platform: Platform, owner: GuestOwner) -> None:
    tek = platform.open(owner).tek.reveal()
    for offset in range(0, 128, 5):
        altered = bytearray(owner.session)
        altered[offset] ^= 0x10
        session = LaunchSession.parse(bytes(altered))
        secret = platform.key.exchange(ec.ECDH(), SevCertificate.parse(owner.dh_cert).ecdh_key())
        with pytest.raises(InvalidInput):
            assert session.open(secret, GuestPolicy.from_int(POLICY)).tek.reveal() == tek


def test_no_two_launches_share_anything(platform: Platform, owner: GuestOwner) -> None:
    other = GuestOwner.for_platform(platform.pdh.to_bytes(), POLICY)
    assert other.dh_cert != owner.dh_cert
    assert platform.open(other).tik.reveal() != platform.open(owner).tik.reveal()


@pytest.mark.parametrize("version", [VERSION, FirmwareVersion(0, 16, 3)])
def test_secret_reaches_the_measured_guest(platform: Platform, owner: GuestOwner, version: FirmwareVersion) -> None:
    blob = platform.measure(owner, version=version)
    check(owner, blob, version=version)
    raw_header, payload = owner.secret_packet(b"the disk key", blob)
    header = SecretPacketHeader.parse(raw_header)
    measure = blob[:32] if version.has_context else None
    secret = open_secret(platform.open(owner), header, payload, guest_length=len(payload), measure=measure)
    assert secret == b"the disk key\x00\x00\x00\x00"
    assert b"disk" not in payload


def test_packet_is_good_for_one_launch_and_one_region(platform: Platform, owner: GuestOwner) -> None:
    blob = platform.measure(owner)
    check(owner, blob)
    raw_header, payload = owner.secret_packet(bytes(32), blob[:32])
    header, keys = SecretPacketHeader.parse(raw_header), platform.open(owner)
    with pytest.raises(InvalidInput, match="not made for this launch"):
        open_secret(keys, header, payload, guest_length=32, measure=platform.measure(owner)[:32])
    with pytest.raises(InvalidInput, match="not made for this launch"):
        open_secret(keys, header, payload, guest_length=16, measure=blob[:32])


def test_other_image_is_found_and_gets_no_secret(platform: Platform, owner: GuestOwner) -> None:
    blob = platform.measure(owner, digest=launch_digest([b"another image"]))
    with pytest.raises(MeasurementMismatch) as caught:
        check(owner, blob)
    message = caught.value.message
    assert blob[:32].hex() in message
    assert DIGEST.hex() in message
    keys = platform.open(owner)
    assert keys.tik.reveal().hex() not in message
    assert keys.tek.reveal().hex() not in message
    with pytest.raises(MeasurementMismatch, match="has not been checked"):
        owner.secret_packet(b"secret", blob)


def test_other_firmware_version_is_found(platform: Platform, owner: GuestOwner) -> None:
    with pytest.raises(MeasurementMismatch):
        check(owner, platform.measure(owner, version=FirmwareVersion(1, 55, 21)))


def test_secret_needs_a_checked_measurement(platform: Platform, owner: GuestOwner) -> None:
    blob = platform.measure(owner)
    with pytest.raises(MeasurementMismatch):
        owner.secret_packet(b"secret", blob)
    check(owner, blob)
    with pytest.raises(MeasurementMismatch):
        owner.secret_packet(b"secret", platform.measure(owner))
    with pytest.raises(InvalidInput) as caught:
        owner.secret_packet(bytes(16 * 1024 + 1), blob)
    assert caught.value.field == "secret"
    with pytest.raises(InvalidInput):
        owner.secret_packet(b"", blob)


def test_malformed_input_names_its_field(platform: Platform, owner: GuestOwner) -> None:
    pdh = platform.pdh.to_bytes()
    pek = SevCertificate.unsigned(Usage.PEK, platform.key.public_key(), algorithm=Algorithm.ECDSA_SHA256)
    attempts: list[tuple[str, Callable[[], object]]] = [
        ("certificate", lambda: GuestOwner.for_platform(pdh[:-1], POLICY)),
        ("certificate", lambda: GuestOwner.for_platform(bytes(2084), POLICY)),
        ("certificate", lambda: GuestOwner.for_platform(pek.to_bytes(), POLICY)),
        ("policy", lambda: GuestOwner.for_platform(pdh, 0x40)),
        ("measurement", lambda: check(owner, bytes(47))),
        ("measurement", lambda: check(owner, bytes(48), digest=bytes(31))),
    ]
    for field, attempt in attempts:
        with pytest.raises(InvalidInput) as caught:
            attempt()
        assert caught.value.field == field


def test_keys_do_not_print_pickle_or_copy(owner: GuestOwner) -> None:
    key = TransportKey.generate()
    pair = TransportKeys(key, TransportKey.generate())
    entry = SecretEntry(DISK_KEY_GUID, b"a very secret key")
    for secret in (key, pair, owner, entry):
        for text in (repr(secret), str(secret), f"{secret}"):
            assert key.reveal().hex() not in text
            assert repr(key.reveal())[2:-1] not in text
            assert "very" not in text
        for leak in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                leak(secret)


def test_wiped_key_cannot_be_used(owner: GuestOwner) -> None:
    key = SecretKey(bytes(range(16)))
    key.wipe()
    with pytest.raises(BugError):
        key.reveal()
    owner.forget()
    with pytest.raises(BugError):
        check(owner, bytes(48))
    with pytest.raises(InvalidInput):
        SecretKey(b"short")
