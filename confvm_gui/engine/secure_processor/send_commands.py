"""Sending a guest to another platform (55766, chapter 6).

SEND_START -> SEND_UPDATE_DATA ..., SEND_UPDATE_VMSA ... -> SEND_FINISH
   SUPDATE                                                     SENT
         \\-> SEND_CANCEL: RUNNING again

What may be sent where is the guest's policy: NOSEND nowhere, SEV to genuine platforms only, DOMAIN to platforms of this
owner only. With none of the three the firmware takes any Diffie-Hellman key for a platform's, as the policy has it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from confvm_gui.engine.secure_processor.firmware_state import VMSA_SIZE, FirmwareState, command
from confvm_gui.engine.secure_processor.guest_context import GuestContext
from confvm_gui.engine.secure_processor.migration_packet import PacketKind, seal
from confvm_gui.engine.secure_processor.refusal import refusal
from confvm_gui.sev.amd_certificate import AmdCertificate
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.key_material import fresh_128_bits
from confvm_gui.sev.key_usage import Usage
from confvm_gui.sev.session import LaunchSession, TransportKeys
from confvm_gui.sev.sev_certificate import SEV_CERTIFICATE_SIZE, SevCertificate
from confvm_gui.sev.states import GuestState
from confvm_gui.sev.status import Status

PACKET_LIMIT: Final = 16 << 10
"""Bytes of the guest that go into one packet."""


class SendStart(NamedTuple):
    """What SEND_START writes. Nothing in it is secret."""

    policy: int
    """The guest's, 32 bits."""
    session: bytes
    """128 bytes, as a launch session's, for the target's RECEIVE_START."""


class Packet(NamedTuple):
    """What SEND_UPDATE_DATA and SEND_UPDATE_VMSA write."""

    header: bytes
    """52 bytes."""
    payload: bytes
    """Encrypted, as long as the piece of the guest."""


class SendCommands(FirmwareState):
    """SEND_START, SEND_UPDATE_DATA, SEND_UPDATE_VMSA, SEND_FINISH, SEND_CANCEL."""

    def send_start(self, handle: int, pdh_cert: bytes, plat_certs: bytes = b"", amd_certs: bytes = b"") -> SendStart:
        """SEND_START: from RUNNING to SUPDATE, with fresh transport keys wrapped for the target.

        `pdh_cert` (2084 bytes) is the target's PDH; `plat_certs` its PEK || OCA || CEK (PDH_CERT_EXPORT) and
        `amd_certs` ASK || ARK (`EmulatedRoot`). A policy with SEV needs all, one with DOMAIN the first three; what is
        given is checked. The guest goes on running: the host sends again what changed.

        INVALID_PLATFORM_STATE, INVALID_GUEST, INVALID_GUEST_STATE, POLICY_FAILURE, INVALID_LENGTH,
        INVALID_CERTIFICATE, BAD_SIGNATURE. May take seconds the first time: the emulated root is made then.
        """
        if amd_certs:
            # Before the command, which keeps all others waiting.
            self.root.prepare()
        return self._send_start(handle, pdh_cert, plat_certs, amd_certs)

    @command(CommandId.SEND_START)
    def _send_start(self, handle: int, pdh_cert: bytes, plat_certs: bytes, amd_certs: bytes) -> SendStart:
        this = CommandId.SEND_START
        guest = self._guest(this, handle)
        policy = guest.policy
        if policy.nosend:
            raise refusal(this, Status.POLICY_FAILURE, f"guest {handle} was launched with NOSEND; it stays here")
        if len(pdh_cert) != SEV_CERTIFICATE_SIZE or len(plat_certs) not in (0, 3 * SEV_CERTIFICATE_SIZE):
            raise refusal(this, Status.INVALID_LENGTH, "give the target's PDH, and its PEK, OCA and CEK in one")
        try:
            pdh = SevCertificate.parse(pdh_cert)
            key = pdh.ecdh_key()
            self._check_target(policy, pdh, plat_certs, amd_certs)
            shared_secret = self._identity.agree(key)
        except InvalidInput as error:
            raise refusal(this, Status.INVALID_CERTIFICATE, error.message) from error
        keys = TransportKeys.generate()
        session = LaunchSession.build(shared_secret, keys, policy, nonce=fresh_128_bits(), iv=fresh_128_bits())
        guest.keys = keys
        guest.state = GuestState.SUPDATE
        return SendStart(policy.to_int(), session.to_bytes())

    @command(CommandId.SEND_UPDATE_DATA)
    def send_update_data(self, handle: int, spa: int, length: int) -> Packet:
        """SEND_UPDATE_DATA: `length` bytes of the guest's private memory at `spa`, for the target.

        Multiples of 16, at most 16 KiB. The guest is active and in SUPDATE.
        INVALID_PLATFORM_STATE, INVALID_GUEST, INVALID_GUEST_STATE, INACTIVE, INVALID_ADDRESS, INVALID_LENGTH.
        """
        this = CommandId.SEND_UPDATE_DATA
        guest = self._guest(this, handle)
        self._require_active(this, guest)
        self._check_span(this, spa, length)
        if length > PACKET_LIMIT:
            raise refusal(this, Status.INVALID_LENGTH, f"a packet carries at most {PACKET_LIMIT} bytes, not {length}")
        return self._packet(this, guest, PacketKind.DATA, spa, length)

    @command(CommandId.SEND_UPDATE_VMSA)
    def send_update_vmsa(self, handle: int, spa: int, length: int = VMSA_SIZE) -> Packet:
        """SEND_UPDATE_VMSA: a vCPU's registers, the page at `spa`, for the target. The vCPU stands still (SEV-ES).

        INVALID_PLATFORM_STATE, INVALID_GUEST, INVALID_GUEST_STATE, POLICY_FAILURE (not a SEV-ES guest), INACTIVE,
        INVALID_ADDRESS, INVALID_LENGTH.
        """
        this = CommandId.SEND_UPDATE_VMSA
        guest = self._guest(this, handle)
        self._require_es(this, guest)
        self._require_active(this, guest)
        self._check_vmsa(this, spa, length)
        if spa not in guest.vmsas:
            raise refusal(this, Status.INVALID_ADDRESS, f"there is no VMSA of guest {handle} at {spa:#x}")
        return self._packet(this, guest, PacketKind.VMSA, spa, length)

    @command(CommandId.SEND_FINISH)
    def send_finish(self, handle: int) -> None:
        """SEND_FINISH: all was sent; the guest never runs here again. DEACTIVATE and DECOMMISSION it.

        INVALID_PLATFORM_STATE, INVALID_GUEST, INVALID_GUEST_STATE.
        """
        guest = self._guest(CommandId.SEND_FINISH, handle)
        guest.keys.wipe()
        guest.state = GuestState.SENT

    @command(CommandId.SEND_CANCEL)
    def send_cancel(self, handle: int) -> None:
        """SEND_CANCEL: the guest stays, RUNNING; the target can do nothing with what it has got without the rest.

        INVALID_PLATFORM_STATE, INVALID_GUEST, INVALID_GUEST_STATE.
        """
        guest = self._guest(CommandId.SEND_CANCEL, handle)
        guest.keys.wipe()
        guest.state = GuestState.RUNNING

    def _packet(self, this: CommandId, guest: GuestContext, kind: PacketKind, spa: int, length: int) -> Packet:
        return Packet(*seal(guest.keys, kind, self._read_private(this, guest, spa, length)))

    def _check_target(self, policy: GuestPolicy, pdh: SevCertificate, plat_certs: bytes, amd_certs: bytes) -> None:
        """POLICY_FAILURE, BAD_SIGNATURE, INVALID_CERTIFICATE (also as InvalidInput)."""
        this = CommandId.SEND_START
        if not policy.allows_api(pdh.api_major, pdh.api_minor):
            raise refusal(
                this,
                Status.POLICY_FAILURE,
                f"the guest wants firmware API {policy.api_major}.{policy.api_minor} and the target's is "
                f"{pdh.api_major}.{pdh.api_minor}",
            )
        if not plat_certs:
            if policy.sev or policy.domain:
                raise refusal(
                    this, Status.INVALID_CERTIFICATE, "the guest's policy asks who the target is; give its chain"
                )
            return
        size = SEV_CERTIFICATE_SIZE
        pek, oca, cek = (SevCertificate.parse(plat_certs[n : n + size]) for n in range(0, 3 * size, size))
        usages = (pek.usage, oca.usage, cek.usage)
        if usages != (Usage.PEK, Usage.OCA, Usage.CEK):
            raise refusal(this, Status.INVALID_CERTIFICATE, "the target's chain is PEK, OCA and CEK in this order")
        signed = pdh.is_signed_by(pek) and pek.is_signed_by(cek) and pek.is_signed_by(oca) and oca.is_signed_by(oca)
        if not signed:
            raise refusal(this, Status.BAD_SIGNATURE, "a signature of the target's chain does not hold; export it anew")
        if policy.domain and not self._identity.has_owner_of(pek, oca):
            raise refusal(
                this,
                Status.POLICY_FAILURE,
                "the guest is sent within its owner's domain only (DOMAIN), and the target has another owner",
            )
        if policy.sev or amd_certs:
            self._check_genuine(cek, amd_certs)

    def _check_genuine(self, cek: SevCertificate, amd_certs: bytes) -> None:
        this = CommandId.SEND_START
        ask, end = AmdCertificate.parse_prefix(amd_certs)
        ark, end = AmdCertificate.parse_prefix(amd_certs, end)
        if end != len(amd_certs) or ask.usage is not Usage.ASK or ark.body() != self.root.ark.body():
            raise refusal(
                this, Status.INVALID_CERTIFICATE, "the target's ASK and ARK are not of the root that this platform has"
            )
        if not (ark.is_signed_by(ark) and ask.is_signed_by(ark) and cek.is_signed_by(ask)):
            raise refusal(this, Status.BAD_SIGNATURE, "the target's CEK is not certified by its ASK and ARK")
