"""Receiving a guest from another platform (55766, chapter 6).

RECEIVE_START -> ACTIVATE -> RECEIVE_UPDATE_DATA ..., RECEIVE_UPDATE_VMSA ... -> RECEIVE_FINISH
   RUPDATE                                                                         RUNNING

The guest gets a VEK of this platform; its policy came with the session and is what the sender's guest owner chose.
"""

from __future__ import annotations

from confvm_gui.engine.secure_processor.firmware_state import command
from confvm_gui.engine.secure_processor.guest_admission import GuestAdmission
from confvm_gui.engine.secure_processor.guest_context import GuestContext
from confvm_gui.engine.secure_processor.migration_packet import PacketKind, open_packet
from confvm_gui.engine.secure_processor.refusal import refusal
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.secret_packet import COMPRESSED, PACKET_HEADER_SIZE, SecretPacketHeader
from confvm_gui.sev.states import GuestState
from confvm_gui.sev.status import Status


class ReceiveCommands(GuestAdmission):
    """RECEIVE_START, RECEIVE_UPDATE_DATA, RECEIVE_UPDATE_VMSA, RECEIVE_FINISH."""

    @command(CommandId.RECEIVE_START)
    def receive_start(self, policy: int, pdh_cert: bytes, session: bytes, *, share_key_with: int = 0) -> int:
        """RECEIVE_START: a guest in RUPDATE under `policy`; returns its handle.

        `pdh_cert` (2084 bytes) is the sender's PDH, `policy` and `session` are what its SEND_START gave. Key sharing is
        as in LAUNCH_START.

        INVALID_PLATFORM_STATE, INVALID_PARAM, INVALID_LENGTH, POLICY_FAILURE, INVALID_GUEST, INVALID_CERTIFICATE,
        BAD_MEASUREMENT (the session is not for this platform or policy), RESOURCE_LIMIT.
        """
        this = CommandId.RECEIVE_START
        guest_policy = self._accepted_policy(this, policy)
        vek = self._volume_key(this, guest_policy, share_key_with)
        keys = self._open_session(this, pdh_cert, session, guest_policy)
        return self._admit(guest_policy, vek, keys, GuestState.RUPDATE)

    @command(CommandId.RECEIVE_UPDATE_DATA)
    def receive_update_data(self, handle: int, header: bytes, payload: bytes, *, spa: int) -> None:
        """RECEIVE_UPDATE_DATA: a packet of SEND_UPDATE_DATA into the guest's private memory at `spa`.

        The guest is active and in RUPDATE.
        INVALID_PLATFORM_STATE, INVALID_GUEST, INVALID_GUEST_STATE, INACTIVE, INVALID_ADDRESS, INVALID_LENGTH,
        INVALID_PARAM, UNSUPPORTED (compressed packets), BAD_MEASUREMENT (altered, or of another migration).
        """
        this = CommandId.RECEIVE_UPDATE_DATA
        guest = self._guest(this, handle)
        self._require_active(this, guest)
        self._check_span(this, spa, len(payload))
        self._write_private(this, guest, spa, self._opened(this, guest, PacketKind.DATA, header, payload))

    @command(CommandId.RECEIVE_UPDATE_VMSA)
    def receive_update_vmsa(self, handle: int, header: bytes, payload: bytes, *, spa: int) -> None:
        """RECEIVE_UPDATE_VMSA: a packet of SEND_UPDATE_VMSA into the page at `spa` (SEV-ES).

        INVALID_PLATFORM_STATE, INVALID_GUEST, INVALID_GUEST_STATE, POLICY_FAILURE (not a SEV-ES guest), INACTIVE,
        INVALID_ADDRESS, INVALID_LENGTH, INVALID_PARAM, UNSUPPORTED, BAD_MEASUREMENT.
        """
        this = CommandId.RECEIVE_UPDATE_VMSA
        guest = self._guest(this, handle)
        self._require_es(this, guest)
        self._require_active(this, guest)
        self._check_vmsa(this, spa, len(payload))
        self._write_private(this, guest, spa, self._opened(this, guest, PacketKind.VMSA, header, payload))
        if spa not in guest.vmsas:
            guest.vmsas.append(spa)

    @command(CommandId.RECEIVE_FINISH)
    def receive_finish(self, handle: int) -> None:
        """RECEIVE_FINISH: the guest is whole and RUNNING; its transport keys are destroyed.

        Its launch digest has stayed with the sender, so ATTESTATION has nothing to report here.
        INVALID_PLATFORM_STATE, INVALID_GUEST, INVALID_GUEST_STATE.
        """
        guest = self._guest(CommandId.RECEIVE_FINISH, handle)
        guest.keys.wipe()
        guest.state = GuestState.RUNNING

    @staticmethod
    def _opened(this: CommandId, guest: GuestContext, kind: PacketKind, header: bytes, payload: bytes) -> bytes:
        if len(header) != PACKET_HEADER_SIZE:
            raise refusal(this, Status.INVALID_LENGTH, f"the header has {PACKET_HEADER_SIZE} bytes")
        try:
            parsed = SecretPacketHeader.parse(header)
        except InvalidInput as error:
            raise refusal(this, Status.INVALID_PARAM, error.message) from error
        if parsed.flags & COMPRESSED:
            raise refusal(this, Status.UNSUPPORTED, "the emulated firmware takes no compressed packets")
        try:
            return open_packet(guest.keys, kind, parsed, payload)
        except InvalidInput as error:
            raise refusal(this, Status.BAD_MEASUREMENT, error.message) from error
