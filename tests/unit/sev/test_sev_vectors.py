"""The formats and the arithmetic against values that others published: see MANIFEST.md beside the vectors."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.amd_certificate import AmdCertificate
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.kdf import derive
from confvm_gui.sev.kernel_hashes import padded_hash_table
from confvm_gui.sev.key_material import TransportKey
from confvm_gui.sev.key_usage import Algorithm, Usage
from confvm_gui.sev.measurement import FirmwareVersion, LaunchMeasurement, launch_digest, launch_measure
from confvm_gui.sev.secret_packet import seal_secret
from confvm_gui.sev.secret_table import DISK_KEY_GUID, SecretEntry, build_secret_table
from confvm_gui.sev.session import LaunchSession, TransportKeys
from confvm_gui.sev.sev_certificate import SevCertificate

pytestmark = pytest.mark.vectors

GENERATIONS = ("naples", "rome", "milan", "genoa", "turin")


class Vectors:
    """The files that this module reads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.expected: Any = json.loads((folder / "expected_sev_api.json").read_text())

    def amd_file(self, generation: str, name: str) -> bytes:
        return (self._folder / "virtee+sev/src/certs/sev/builtin" / generation / f"{name}.cert").read_bytes()

    def amd(self, generation: str, name: str) -> AmdCertificate:
        return AmdCertificate.parse(self.amd_file(generation, name))

    def naples_file(self, name: str) -> bytes:
        return (self._folder / "virtee+sev/tests/naples" / name).read_bytes()

    def naples(self, name: str) -> SevCertificate:
        return SevCertificate.parse(self.naples_file(f"{name}.cert"))

    def sevctl(self, name: str) -> bytes:
        return (self._folder / "virtee+sevctl/tests/data" / name).read_bytes()

    def firmware_image(self) -> bytes:
        (path,) = (self._folder / "virtee+sevctl/tests/data").glob("OVMF.amdsev.fd_trimmed*")
        return path.read_bytes()


@pytest.fixture
def vectors(vectors_dir: Path) -> Vectors:
    return Vectors(vectors_dir)


def firmware(case: Any) -> FirmwareVersion:
    major, minor = case["api"]
    return FirmwareVersion(major, minor, case["build"])


class TestAmdCertificates:
    @pytest.mark.parametrize("generation", GENERATIONS)
    def test_chain_verifies_and_round_trips(self, vectors: Vectors, generation: str) -> None:
        ark, ask = vectors.amd(generation, "ark"), vectors.amd(generation, "ask")
        assert (ark.usage, ask.usage) == (Usage.ARK, Usage.ASK)
        assert ark.is_signed_by(ark)
        assert ask.is_signed_by(ark)
        assert ark.names_issuer(ark)
        assert ask.names_issuer(ark)
        assert not ark.is_signed_by(ask)
        assert ask.to_bytes() == vectors.amd_file(generation, "ask")
        assert len(ask.to_bytes()) == (832 if generation == "naples" else 1600)

    @pytest.mark.parametrize("signer", GENERATIONS)
    @pytest.mark.parametrize("generation", GENERATIONS)
    def test_only_its_own_root_verifies_an_ask(self, vectors: Vectors, generation: str, signer: str) -> None:
        assert vectors.amd(generation, "ask").is_signed_by(vectors.amd(signer, "ark")) is (generation == signer)

    def test_ark_without_signature_is_cut_short_and_whole_with_it(self, vectors: Vectors) -> None:
        bare, signature = vectors.naples_file("ark.cert.bad"), vectors.naples_file("ark.cert.sig")
        with pytest.raises(InvalidInput, match="cut short"):
            AmdCertificate.parse(bare)
        whole = AmdCertificate.parse(bare + signature)
        assert whole.is_signed_by(whole)

    def test_send_start_buffer_holds_ask_then_ark(self, vectors: Vectors) -> None:
        buffer = vectors.amd("rome", "ask").to_bytes() + vectors.amd("rome", "ark").to_bytes()
        ask, offset = AmdCertificate.parse_prefix(buffer)
        ark, end = AmdCertificate.parse_prefix(buffer, offset)
        assert end == len(buffer)
        assert ask.is_signed_by(ark)


class TestPlatformCertificates:
    def test_whole_chain_of_a_real_platform(self, vectors: Vectors) -> None:
        ark, ask = vectors.amd("naples", "ark"), vectors.amd("naples", "ask")
        cek, oca, pek, pdh = (vectors.naples(name) for name in ("cek", "oca", "pek", "pdh"))
        assert ask.is_signed_by(ark)
        assert cek.is_signed_by(ask)
        assert pek.is_signed_by(cek)
        assert pek.is_signed_by(oca)
        assert oca.is_signed_by(oca)
        assert pdh.is_signed_by(pek)

    def test_every_other_pairing_fails(self, vectors: Vectors) -> None:
        certificates = {name: vectors.naples(name) for name in ("cek", "oca", "pek", "pdh")}
        true = {("pek", "cek"), ("pek", "oca"), ("oca", "oca"), ("pdh", "pek")}
        for subject, certificate in certificates.items():
            for issuer, key in certificates.items():
                assert certificate.is_signed_by(key) is ((subject, issuer) in true), (subject, issuer)

    @pytest.mark.parametrize("generation", GENERATIONS[1:])
    def test_chip_key_fails_under_another_generation(self, vectors: Vectors, generation: str) -> None:
        assert not vectors.naples("cek").is_signed_by(vectors.amd(generation, "ask"))

    @pytest.mark.parametrize("name", ["cek", "oca", "pek", "pdh"])
    def test_round_trip(self, vectors: Vectors, name: str) -> None:
        raw = vectors.naples_file(f"{name}.cert")
        assert SevCertificate.parse(raw).to_bytes() == raw

    def test_pdh_is_for_key_agreement_and_nothing_else_is(self, vectors: Vectors) -> None:
        assert vectors.naples("pdh").ecdh_key().curve.name == "secp384r1"
        assert vectors.naples("pdh").algorithm is Algorithm.ECDH_SHA256
        with pytest.raises(InvalidInput, match="Diffie-Hellman"):
            vectors.naples("pek").ecdh_key()


class TestKeyDerivationAndSession:
    def test_kdf(self, vectors: Vectors) -> None:
        case = vectors.expected["kdf"]
        key, context = bytes.fromhex(case["key"]), bytes.fromhex(case["context"])
        assert derive(key, case["label"].encode(), context, case["bytes"]).hex() == case["expected"]

    def test_hmac_of_a_policy(self, vectors: Vectors) -> None:
        case = vectors.expected["hmac"]
        assert GuestPolicy().to_bytes().hex() == case["data"]
        assert hmac.digest(bytes.fromhex(case["key"]), GuestPolicy().to_bytes(), "sha256").hex() == case["expected"]

    def test_session(self, vectors: Vectors) -> None:
        case = vectors.expected["session_all_zero"]
        keys = TransportKeys(TransportKey(bytes.fromhex(case["tek"])), TransportKey(bytes.fromhex(case["tik"])))
        session = LaunchSession.build(
            bytes.fromhex(case["Z"]),
            keys,
            GuestPolicy.from_int(case["policy"]),
            nonce=bytes.fromhex(case["nonce"]),
            iv=bytes.fromhex(case["iv"]),
        )
        assert session.wrapped_keys.hex() == case["wrap_tk"]
        assert session.wrap_mac.hex() == case["wrap_mac"]
        assert session.policy_mac.hex() == case["policy_mac"]


class TestLaunchMeasurement:
    def test_version_0_18(self, vectors: Vectors) -> None:
        case = vectors.expected["launch_measure"][0]
        measurement = launch_measure(
            TransportKey(bytes.fromhex(case["tik"])),
            version=firmware(case),
            policy=GuestPolicy.from_int(case["policy"]),
            digest=bytes.fromhex(case["ld"]),
            mnonce=bytes.fromhex(case["mnonce"]),
        )
        assert measurement.measure.hex() == case["expected"]

    @pytest.mark.parametrize("index", [1, 2, 3])
    def test_version_1_40(self, vectors: Vectors, index: int) -> None:
        first, case = vectors.expected["launch_measure"][1], vectors.expected["launch_measure"][index]
        kernel_table = padded_hash_table(
            vectors.sevctl("measurement/vmlinuz-fake"),
            vectors.sevctl("measurement/initrd-fake"),
            "foo bar baz fake kernel=cmdline",
        )
        digest = {
            1: base64.b64decode(first["ld_b64"]),
            2: launch_digest([vectors.firmware_image()]),
            3: launch_digest([vectors.firmware_image(), kernel_table]),
        }[index]
        measurement = launch_measure(
            TransportKey(vectors.sevctl("measurement/tik1.bin")),
            version=firmware(first),
            policy=GuestPolicy.from_int(first["policy"]),
            digest=digest,
            mnonce=base64.b64decode(first["mnonce_b64"]),
        )
        assert measurement.to_bytes() == base64.b64decode(case["expected_measure_plus_nonce_b64"])

    def test_sev_es_with_four_vcpus(self, vectors: Vectors) -> None:
        case = vectors.expected["launch_measure"][4]
        wanted = LaunchMeasurement.parse(base64.b64decode(case["expected_measure_plus_nonce_b64"]))
        first, other = vectors.sevctl("vmsa0.bin"), vectors.sevctl("vmsa1.bin")
        policy = GuestPolicy.from_int(case["policy"])
        assert policy.es
        measurement = launch_measure(
            TransportKey(vectors.sevctl("measurement/tik1.bin")),
            version=firmware(case),
            policy=policy,
            digest=launch_digest([vectors.firmware_image(), first, other, other, other]),
            mnonce=wanted.mnonce,
        )
        assert measurement == wanted


class TestSecretPacket:
    @pytest.mark.parametrize("index", [0, 1])
    def test_packet(self, vectors: Vectors, index: int) -> None:
        first, case = vectors.expected["launch_secret"][0], vectors.expected["launch_secret"][index]
        keys = TransportKeys(
            TransportKey(vectors.sevctl("secret/tek1.bin")), TransportKey(vectors.sevctl("secret/tik1.bin"))
        )
        entries = [SecretEntry(UUID(guid), vectors.sevctl(f"secret/{name}")) for guid, name in case["entries"]]
        assert entries[0].guid == DISK_KEY_GUID
        measurement = LaunchMeasurement.parse(base64.b64decode(first["launch_measure_b64"]))
        header, payload = seal_secret(
            keys, build_secret_table(entries), measure=measurement.measure, iv=base64.b64decode(first["iv_b64"])
        )
        assert header.to_bytes() == base64.b64decode(case["header_b64"])
        assert payload == base64.b64decode(case["payload_b64"])

    @pytest.mark.parametrize("name", ["secret3.txt", "secret4.txt"])
    def test_largest_secrets(self, vectors: Vectors, name: str) -> None:
        guid = UUID("23058844-597b-42fb-8259-a0f5d9d495af")
        assert len(build_secret_table([SecretEntry(guid, vectors.sevctl(f"secret/{name}"))])) == 16384

    def test_one_byte_more_does_not_fit(self, vectors: Vectors) -> None:
        with pytest.raises(InvalidInput, match="at most 16384"):
            build_secret_table([SecretEntry(DISK_KEY_GUID, vectors.sevctl("secret/secret4.txt") + b"x")])


def test_digest_is_of_content_in_order() -> None:
    assert launch_digest([b"ab", b"c"]) == hashlib.sha256(b"abc").digest()
    assert launch_digest([b"c", b"ab"]) != launch_digest([b"ab", b"c"])
