"""Launching a guest (55766, chapter 6; section 6.2 is LAUNCH_START).

LAUNCH_START -> ACTIVATE -> LAUNCH_UPDATE_* ...    -> LAUNCH_MEASURE -> LAUNCH_SECRET ... -> LAUNCH_FINISH
   LUPDATE                                               LSECRET                                RUNNING
"""

from __future__ import annotations

import secrets

from confvm_gui.engine.secure_processor.firmware_state import ALIGNMENT, VMSA_SIZE, command
from confvm_gui.engine.secure_processor.guest_admission import GuestAdmission
from confvm_gui.engine.secure_processor.guest_context import GuestContext
from confvm_gui.engine.secure_processor.refusal import refusal
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.measurement import NONCE_SIZE, launch_measure
from confvm_gui.sev.secret_packet import (
    COMPRESSED,
    PACKET_HEADER_SIZE,
    SecretPacketHeader,
    check_secret_length,
    open_secret,
)
from confvm_gui.sev.session import TransportKeys
from confvm_gui.sev.states import GuestState
from confvm_gui.sev.status import Status


class LaunchCommands(GuestAdmission):
    """LAUNCH_START, LAUNCH_UPDATE_DATA, LAUNCH_UPDATE_VMSA, LAUNCH_MEASURE, LAUNCH_SECRET, LAUNCH_FINISH."""

    @command(CommandId.LAUNCH_START)
    def launch_start(
        self, policy: int, dh_cert: bytes | None = None, session: bytes | None = None, *, share_key_with: int = 0
    ) -> int:
        """LAUNCH_START: a new guest in LUPDATE under `policy` (32 bits); returns its handle.

        `dh_cert` (2084 bytes) and `session` (128 bytes) are the guest owner's. Without them the firmware draws TEK
        and TIK itself: the guest runs encrypted, but nobody can check its measurement or give it a secret. The guest
        gets a VEK of its own, or that of guest `share_key_with` where both policies allow key sharing.

        INVALID_PLATFORM_STATE, INVALID_PARAM, INVALID_LENGTH, POLICY_FAILURE, INVALID_GUEST, INVALID_CERTIFICATE,
        BAD_MEASUREMENT (the session is not for this platform or policy), RESOURCE_LIMIT.
        """
        this = CommandId.LAUNCH_START
        guest_policy = self._accepted_policy(this, policy)
        vek = self._volume_key(this, guest_policy, share_key_with)
        if dh_cert is None and session is None:
            keys = TransportKeys.generate()
        elif dh_cert is None or session is None:
            raise refusal(this, Status.INVALID_PARAM, "give the guest owner's DH certificate and session, or neither")
        else:
            keys = self._open_session(this, dh_cert, session, guest_policy)
        return self._admit(guest_policy, vek, keys, GuestState.LUPDATE)

    @command(CommandId.LAUNCH_UPDATE_DATA)
    def launch_update_data(self, handle: int, spa: int, length: int) -> None:
        """LAUNCH_UPDATE_DATA: encrypt `length` bytes at `spa` in place with the guest's VEK and add them to LD.

        Both are multiples of 16. The guest is active and in LUPDATE.
        INVALID_PLATFORM_STATE, INVALID_GUEST, INVALID_GUEST_STATE, INACTIVE, INVALID_ADDRESS, INVALID_LENGTH.
        """
        this = CommandId.LAUNCH_UPDATE_DATA
        guest = self._guest(this, handle)
        self._require_active(this, guest)
        self._check_span(this, spa, length)
        self._import(this, guest, spa, length)

    @command(CommandId.LAUNCH_UPDATE_VMSA)
    def launch_update_vmsa(self, handle: int, spa: int, length: int = VMSA_SIZE) -> None:
        """LAUNCH_UPDATE_VMSA: encrypt a vCPU's registers, the page at `spa`, in place and add them to LD (SEV-ES).

        From now on the host neither sees nor sets them. The guest is active and in LUPDATE.
        INVALID_PLATFORM_STATE, INVALID_GUEST, INVALID_GUEST_STATE, POLICY_FAILURE (not a SEV-ES guest), INACTIVE,
        INVALID_ADDRESS, INVALID_LENGTH.
        """
        this = CommandId.LAUNCH_UPDATE_VMSA
        guest = self._guest(this, handle)
        self._require_es(this, guest)
        self._require_active(this, guest)
        self._check_vmsa(this, spa, length)
        self._import(this, guest, spa, length)
        guest.vmsas.append(spa)

    @command(CommandId.LAUNCH_MEASURE)
    def launch_measure(self, handle: int) -> bytes:
        """LAUNCH_MEASURE: MEASURE and MNONCE, 48 bytes; the guest goes to LSECRET.

        INVALID_PLATFORM_STATE, INVALID_GUEST, INVALID_GUEST_STATE.
        """
        guest = self._guest(CommandId.LAUNCH_MEASURE, handle)
        digest = guest.digest.digest()
        measurement = launch_measure(
            guest.keys.tik,
            version=self.model.version,
            policy=guest.policy,
            digest=digest,
            mnonce=secrets.token_bytes(NONCE_SIZE),
        )
        guest.launch_digest = digest
        guest.measure = measurement.measure
        guest.state = GuestState.LSECRET
        return measurement.to_bytes()

    @command(CommandId.LAUNCH_SECRET)
    def launch_secret(
        self, handle: int, header: bytes, payload: bytes, *, spa: int, guest_length: int | None = None
    ) -> None:
        """LAUNCH_SECRET: decrypt the guest owner's packet into the guest's private memory at `spa`.

        `header` has 52 bytes; `payload` a multiple of 16, at most 16 KiB. `guest_length`, by default the payload's,
        is the size of the region in the guest. The guest is active and in LSECRET.
        INVALID_PLATFORM_STATE, INVALID_GUEST, INVALID_GUEST_STATE, INACTIVE, INVALID_ADDRESS, INVALID_LENGTH,
        INVALID_PARAM, UNSUPPORTED (compressed packets), BAD_MEASUREMENT (the packet is not for this launch).
        """
        this = CommandId.LAUNCH_SECRET
        guest = self._guest(this, handle)
        self._require_active(this, guest)
        self._check_span(this, spa, ALIGNMENT)
        packet_header = self._secret_header(header, payload)
        # Without compression the secret fills its region exactly.
        length = len(payload) if guest_length is None else guest_length
        if length != len(payload):
            raise refusal(
                this,
                Status.INVALID_LENGTH,
                f"the region has {length} bytes and the packet {len(payload)}; make them equal",
            )
        measure = guest.measure if self.model.version.has_context else None
        try:
            secret = open_secret(guest.keys, packet_header, payload, guest_length=length, measure=measure)
        except InvalidInput as error:
            raise refusal(this, Status.BAD_MEASUREMENT, error.message) from error
        self._write_private(this, guest, spa, secret)

    @command(CommandId.LAUNCH_FINISH)
    def launch_finish(self, handle: int) -> None:
        """LAUNCH_FINISH: the guest goes to RUNNING; its transport keys are destroyed.

        INVALID_PLATFORM_STATE, INVALID_GUEST, INVALID_GUEST_STATE.
        """
        guest = self._guest(CommandId.LAUNCH_FINISH, handle)
        guest.keys.wipe()
        guest.state = GuestState.RUNNING

    def _import(self, this: CommandId, guest: GuestContext, spa: int, length: int) -> None:
        try:
            plaintext = self._memory.encrypt_in_place(guest.asid, spa, length)
        except InvalidInput as error:
            raise refusal(this, Status.INVALID_ADDRESS, error.message) from error
        guest.digest.update(plaintext)

    def _secret_header(self, header: bytes, payload: bytes) -> SecretPacketHeader:
        this = CommandId.LAUNCH_SECRET
        if len(header) != PACKET_HEADER_SIZE:
            raise refusal(this, Status.INVALID_LENGTH, f"the header has {PACKET_HEADER_SIZE} bytes")
        try:
            check_secret_length(len(payload))
        except InvalidInput as error:
            raise refusal(this, Status.INVALID_LENGTH, error.message) from error
        try:
            parsed = SecretPacketHeader.parse(header)
        except InvalidInput as error:
            raise refusal(this, Status.INVALID_PARAM, error.message) from error
        if parsed.flags & COMPRESSED:
            raise refusal(this, Status.UNSUPPORTED, "the emulated firmware takes no compressed secrets")
        return parsed
