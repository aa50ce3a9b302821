"""The guest owner's end of a launch: who trusts neither the host nor its hypervisor with the guest's secret.

    1  GuestOwner.for_platform   a fresh DH key, TEK and TIK, wrapped for the platform's PDH and bound to the policy
    2  (the host)                LAUNCH_START with `dh_cert` and `session`, LAUNCH_UPDATE_*, LAUNCH_MEASURE
    3  check_measurement         is it what I meant to launch, on that platform?
    4  secret_packet             only then the secret, for this launch only
    5  (the host)                LAUNCH_SECRET, LAUNCH_FINISH

Whether the PDH belongs to a genuine AMD platform is a question to its certificate chain and asked before step 1.
"""

from __future__ import annotations

import hmac
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric import ec

from confvm_gui.sev.aes_ctr import BLOCK
from confvm_gui.sev.errors import MeasurementMismatch
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.key_material import TransportKey, fresh_128_bits
from confvm_gui.sev.key_usage import Algorithm, Usage
from confvm_gui.sev.measurement import FirmwareVersion, LaunchMeasurement, launch_measure
from confvm_gui.sev.secret_packet import seal_secret
from confvm_gui.sev.session import LaunchSession, TransportKeys
from confvm_gui.sev.sev_certificate import SevCertificate


class GuestOwner:
    """One launch, seen by the owner of the guest. Holds TEK and TIK; neither prints, pickles nor copies."""

    __slots__ = ("_checked", "_has_context", "_keys", "dh_cert", "policy", "session")

    def __init__(self, policy: GuestPolicy, keys: TransportKeys, dh_cert: bytes, session: bytes) -> None:
        self.policy = policy
        self.dh_cert = dh_cert
        """The owner's DH certificate, 2084 bytes, for LAUNCH_START (libvirt: `dhCert`, in base64)."""
        self.session = session
        """The session, 128 bytes, for LAUNCH_START (libvirt: `session`, in base64)."""
        self._keys = keys
        self._checked: bytes | None = None
        self._has_context = True

    @classmethod
    def for_platform(cls, pdh_cert: bytes, policy: int) -> GuestOwner:
        """Prepare a launch under `policy` (32 bits) on the platform whose PDH certificate is `pdh_cert` (2084 bytes).

        InvalidInput("certificate") or ("policy").
        """
        guest_policy = GuestPolicy.from_int(policy)
        pdh = SevCertificate.parse(pdh_cert).ecdh_key()
        # A key for this launch alone, on the platform's curve: nothing that leaks later opens earlier sessions.
        private = ec.generate_private_key(pdh.curve)
        certificate = SevCertificate.unsigned(Usage.PDH, private.public_key(), algorithm=Algorithm.ECDH_SHA256)
        keys = TransportKeys.generate()
        session = LaunchSession.build(
            private.exchange(ec.ECDH(), pdh),
            keys,
            guest_policy,
            nonce=fresh_128_bits(),
            iv=fresh_128_bits(),
        )
        return cls(guest_policy, keys, certificate.to_bytes(), session.to_bytes())

    @property
    def launch_key(self) -> TransportKey:
        """TIK, for a verifier that checks the measurement in this process. It ends with `forget`."""
        return self._keys.tik

    def check_measurement(
        self, blob48: bytes, *, api_major: int, api_minor: int, build: int, launch_digest: bytes
    ) -> None:
        """Accept the launch if LAUNCH_MEASURE's `blob48` is what `launch_digest` (32 bytes) gives.

        The version is the platform's, from PLATFORM_STATUS. MeasurementMismatch names both values; InvalidInput
        ("measurement") if a length is wrong.
        """
        reported = LaunchMeasurement.parse(blob48)
        version = FirmwareVersion(api_major, api_minor, build)
        expected = launch_measure(
            self._keys.tik, version=version, policy=self.policy, digest=launch_digest, mnonce=reported.mnonce
        )
        if not hmac.compare_digest(expected.measure, reported.measure):
            self._checked = None
            raise MeasurementMismatch(
                f"The launch measurement is {reported.measure.hex()}, but {expected.measure.hex()} was expected for "
                f"the image (digest {launch_digest.hex()}) under policy {self.policy} on firmware {version}; "
                "no secret was released"
            )
        self._checked = reported.measure
        self._has_context = version.has_context

    def accept_unseen(self, blob48: bytes, *, api_major: int, api_minor: int, build: int) -> None:
        """Take LAUNCH_MEASURE's `blob48` for good without comparing it: the secret then goes to whatever was launched.

        For owners who asked for no attestation. InvalidInput("measurement") if the length is wrong.
        """
        self._checked = LaunchMeasurement.parse(blob48).measure
        self._has_context = FirmwareVersion(api_major, api_minor, build).has_context

    def secret_packet(self, plaintext: bytes, measurement: bytes) -> tuple[bytes, bytes]:
        """Header (52 bytes) and payload for LAUNCH_SECRET that carry `plaintext`, zero-padded to a multiple of 16.

        `measurement` is the blob that `check_measurement` accepted, or its first 32 bytes; any other raises
        MeasurementMismatch. InvalidInput("secret") for a secret that is empty or larger than 16 KiB.
        """
        measure = measurement[:32]
        if self._checked is None or not hmac.compare_digest(self._checked, measure):
            raise MeasurementMismatch(
                "The launch measurement has not been checked; check it before a secret is sealed for it"
            )
        padded = plaintext + bytes(-len(plaintext) % BLOCK)
        header, payload = seal_secret(
            self._keys,
            padded,
            measure=measure if self._has_context else None,
            iv=fresh_128_bits(),
        )
        return header.to_bytes(), payload

    def forget(self) -> None:
        """Destroy TEK and TIK; nothing more can be checked or sealed."""
        self._checked = None
        self._keys.wipe()

    def __repr__(self) -> str:
        return f"<GuestOwner, policy {self.policy}, keys not shown>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a GuestOwner is neither pickled nor copied")
