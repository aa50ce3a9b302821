"""Guest management (55766, chapter 6): binding guests to ASIDs, asking for their state, deleting them."""

from __future__ import annotations

from confvm_gui.engine.secure_processor.firmware_state import FirmwareState, command
from confvm_gui.engine.secure_processor.refusal import refusal
from confvm_gui.sev.attestation_report import AttestationReport
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.measurement import NONCE_SIZE
from confvm_gui.sev.platform_buffers import GuestStatus
from confvm_gui.sev.states import PlatformState
from confvm_gui.sev.status import Status


class GuestCommands(FirmwareState):
    """ACTIVATE, DEACTIVATE, GUEST_STATUS, DECOMMISSION, ATTESTATION."""

    @command(CommandId.ACTIVATE)
    def activate(self, handle: int, asid: int) -> None:
        """ACTIVATE: bind a guest to `asid` and load its VEK into the memory controller.

        INVALID_PLATFORM_STATE, INVALID_GUEST, INVALID_GUEST_STATE, ACTIVE, INVALID_ASID, ASID_OWNED,
        DF_FLUSH_REQUIRED.
        """
        this = CommandId.ACTIVATE
        guest = self._guest(this, handle)
        if guest.is_active:
            raise refusal(this, Status.ACTIVE, f"guest {handle} is on ASID {guest.asid}; DEACTIVATE it first")
        if not self.model.serves(asid, es=guest.policy.es):
            raise refusal(this, Status.INVALID_ASID, self._asid_advice(asid, es=guest.policy.es))
        owner = self._asids.owner(asid)
        if owner is not None:
            raise refusal(this, Status.ASID_OWNED, f"guest {owner} has ASID {asid}; use another or DEACTIVATE it")
        if not self._asids.is_flushed(asid):
            raise refusal(this, Status.DF_FLUSH_REQUIRED, f"caches may hold ASID {asid}; execute WBINVD, then DF_FLUSH")
        self._memory.install_key(asid, guest.vek)
        self._asids.claim(asid, handle)
        guest.asid = asid

    @command(CommandId.DEACTIVATE)
    def deactivate(self, handle: int) -> None:
        """DEACTIVATE: unload the guest's VEK and release its ASID, which needs WBINVD and DF_FLUSH to serve again.

        INVALID_PLATFORM_STATE, INVALID_GUEST, INVALID_GUEST_STATE, INACTIVE.
        """
        guest = self._guest(CommandId.DEACTIVATE, handle)
        self._require_active(CommandId.DEACTIVATE, guest)
        self._deactivate(guest)

    @command(CommandId.GUEST_STATUS)
    def guest_status(self, handle: int) -> GuestStatus:
        """GUEST_STATUS. INVALID_PLATFORM_STATE, INVALID_GUEST."""
        guest = self._guest(CommandId.GUEST_STATUS, handle)
        return GuestStatus(handle, guest.policy, guest.asid, guest.state)

    @command(CommandId.DECOMMISSION)
    def decommission(self, handle: int) -> None:
        """DECOMMISSION: delete a guest and destroy its keys; with the last guest the platform goes back to INIT.

        INVALID_PLATFORM_STATE, INVALID_GUEST, ACTIVE.
        """
        guest = self._guest(CommandId.DECOMMISSION, handle)
        if guest.is_active:
            raise refusal(CommandId.DECOMMISSION, Status.ACTIVE, f"DEACTIVATE guest {handle} first")
        guest.wipe()
        del self._guests[handle]
        if not self._guests:
            self._state = PlatformState.INIT

    @command(CommandId.ATTESTATION)
    def attestation(self, handle: int, mnonce: bytes) -> bytes:
        """ATTESTATION: launch digest and policy under `mnonce` (16 bytes), signed by the PEK; 208 bytes.

        INVALID_PLATFORM_STATE, INVALID_GUEST, INVALID_GUEST_STATE, INVALID_LENGTH.
        """
        guest = self._guest(CommandId.ATTESTATION, handle)
        if len(mnonce) != NONCE_SIZE:
            raise refusal(CommandId.ATTESTATION, Status.INVALID_LENGTH, f"MNONCE has {NONCE_SIZE} bytes")
        if not guest.launch_digest:
            raise refusal(
                CommandId.ATTESTATION,
                Status.INVALID_GUEST_STATE,
                f"guest {handle} was received, and its launch digest is with the platform that launched it",
            )
        report = AttestationReport(bytes(mnonce), guest.launch_digest, guest.policy)
        return report.signed(self._identity.attestation_key).to_bytes()

    def _asid_advice(self, asid: int, *, es: bool) -> str:
        lowest, highest = (1, self.model.min_sev_asid - 1) if es else (self.model.min_sev_asid, self.model.asid_count)
        kind = "SEV-ES" if es else "SEV"
        if lowest > highest:
            return f"no ASID is set apart for {kind} guests (MIN_SEV_ASID is {self.model.min_sev_asid})"
        return f"a {kind} guest takes an ASID from {lowest} to {highest}, not {asid}"
