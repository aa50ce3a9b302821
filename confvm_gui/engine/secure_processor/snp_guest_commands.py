"""Guest management of SEV-SNP (56860): contexts, ASIDs, pages, debugging. A guest's name is its context page's SPA."""

from __future__ import annotations

from dataclasses import dataclass, replace

from confvm_gui.engine.secure_processor.refusal import refusal
from confvm_gui.engine.secure_processor.rmp_entry import PAGE_SIZE, PageState
from confvm_gui.engine.secure_processor.snp_context import SnpGuestContext
from confvm_gui.engine.secure_processor.snp_firmware import SnpFirmware, snp_command
from confvm_gui.engine.secure_processor.snp_states import SnpGuestState
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.snp_policy import SnpPolicy
from confvm_gui.sev.status import Status


@dataclass(frozen=True, slots=True)
class SnpGuestStatus:
    """SNP_GUEST_STATUS."""

    policy: SnpPolicy
    asid: int
    """0: not active."""
    state: SnpGuestState


class SnpGuestCommands(SnpFirmware):
    """SNP_GCTX_CREATE, SNP_ACTIVATE, SNP_DECOMMISSION, SNP_GUEST_STATUS, SNP_PAGE_RECLAIM, SNP_DBG_*."""

    @snp_command(CommandId.SNP_GCTX_CREATE)
    def snp_gctx_create(self, gctx: int) -> None:
        """SNP_GCTX_CREATE: a new guest, its context in the page `gctx`, which the host gave to the firmware before.

        UNSUPPORTED, INVALID_PLATFORM_STATE, INVALID_ADDRESS, INVALID_PAGE_STATE (RMPUPDATE it to Firmware first),
        RESOURCE_LIMIT.
        """
        this = CommandId.SNP_GCTX_CREATE
        self._require_page(this, gctx)
        entry = self.rmp.entry(gctx)
        if entry.state is not PageState.FIRMWARE:
            raise refusal(
                this, Status.INVALID_PAGE_STATE, f"the page {gctx:#x} is {entry.state.value}; RMPUPDATE it to Firmware"
            )
        if len(self._snp_guests) >= self._guest_limit:
            raise refusal(this, Status.RESOURCE_LIMIT, f"{self._guest_limit} guests is the limit; decommission one")
        self.rmp.amend(gctx, replace(entry, vmsa=True))
        self._snp_guests[gctx] = SnpGuestContext(gctx)

    @snp_command(CommandId.SNP_ACTIVATE)
    def snp_activate(self, gctx: int, asid: int) -> None:
        """SNP_ACTIVATE: bind a guest to `asid`, one of those set apart for SEV-ES and SNP, and load its key.

        UNSUPPORTED, INVALID_PLATFORM_STATE, INVALID_ADDRESS, INVALID_GUEST, INVALID_GUEST_STATE, ACTIVE, INVALID_ASID,
        ASID_OWNED, DF_FLUSH_REQUIRED.
        """
        this = CommandId.SNP_ACTIVATE
        guest = self._snp_guest(this, gctx)
        if guest.is_active:
            raise refusal(this, Status.ACTIVE, f"the guest is on ASID {guest.asid} already")
        if not self.model.serves(asid, es=True):
            raise refusal(
                this, Status.INVALID_ASID, f"SNP guests run on ASIDs 1 to {self.model.min_sev_asid - 1} of this host"
            )
        if self._asids.owner(asid) is not None:
            raise refusal(this, Status.ASID_OWNED, f"ASID {asid} is taken; use another")
        if not self._asids.is_flushed(asid):
            raise refusal(
                this, Status.DF_FLUSH_REQUIRED, f"caches may hold ASID {asid}; execute WBINVD, then SNP_DF_FLUSH"
            )
        self._memory.install_key(asid, guest.vek)
        self._asids.claim(asid, gctx)
        guest.asid = asid

    @snp_command(CommandId.SNP_DECOMMISSION)
    def snp_decommission(self, gctx: int) -> None:
        """SNP_DECOMMISSION: destroy a guest's keys; its context page is Firmware again, its ASID must be flushed.

        Its other pages stay assigned until the host takes them back.
        UNSUPPORTED, INVALID_PLATFORM_STATE, INVALID_ADDRESS, INVALID_GUEST.
        """
        guest = self._snp_guest(CommandId.SNP_DECOMMISSION, gctx)
        if guest.is_active:
            self._memory.remove_key(guest.asid)
            self._asids.release(guest.asid)
        guest.wipe()
        del self._snp_guests[gctx]
        self.rmp.amend(gctx, replace(self.rmp.entry(gctx), vmsa=False))

    @snp_command(CommandId.SNP_GUEST_STATUS)
    def snp_guest_status(self, gctx: int) -> SnpGuestStatus:
        """SNP_GUEST_STATUS. UNSUPPORTED, INVALID_PLATFORM_STATE, INVALID_ADDRESS, INVALID_GUEST."""
        guest = self._snp_guest(CommandId.SNP_GUEST_STATUS, gctx)
        return SnpGuestStatus(guest.policy, guest.asid, guest.state)

    @snp_command(CommandId.SNP_PAGE_RECLAIM)
    def snp_page_reclaim(self, spa: int) -> None:
        """SNP_PAGE_RECLAIM: release an immutable page, so that RMPUPDATE can change it again.

        Firmware becomes Reclaim, Pre-Guest Guest-Invalid, Pre-Swap Guest-Valid. A context page must be decommissioned
        first. UNSUPPORTED, INVALID_PLATFORM_STATE, INVALID_ADDRESS, INVALID_PAGE_STATE.
        """
        this = CommandId.SNP_PAGE_RECLAIM
        self._require_page(this, spa)
        entry = self.rmp.entry(spa)
        if entry.state not in (PageState.FIRMWARE, PageState.PRE_GUEST, PageState.PRE_SWAP):
            raise refusal(
                this, Status.INVALID_PAGE_STATE, f"the page {spa:#x} is {entry.state.value} and not to be reclaimed"
            )
        self.rmp.amend(spa, replace(entry, immutable=False))

    @snp_command(CommandId.SNP_DBG_DECRYPT)
    def snp_dbg_decrypt(self, gctx: int, spa: int) -> bytes:
        """SNP_DBG_DECRYPT: the plaintext of the guest's page at `spa`, 4096 bytes.

        UNSUPPORTED, INVALID_PLATFORM_STATE, INVALID_ADDRESS, INVALID_GUEST, INVALID_GUEST_STATE, POLICY_FAILURE,
        INACTIVE, INVALID_PAGE_STATE, INVALID_PAGE_OWNER.
        """
        this = CommandId.SNP_DBG_DECRYPT
        guest = self._snp_debuggable(this, gctx, spa)
        try:
            return self._memory.read_private(guest.asid, spa, PAGE_SIZE)
        except InvalidInput as error:
            raise refusal(this, Status.INVALID_ADDRESS, error.message) from error

    @snp_command(CommandId.SNP_DBG_ENCRYPT)
    def snp_dbg_encrypt(self, gctx: int, spa: int, page: bytes) -> None:
        """SNP_DBG_ENCRYPT: write `page` (4096 bytes) into the guest's page at `spa`.

        UNSUPPORTED, INVALID_PLATFORM_STATE, INVALID_ADDRESS, INVALID_GUEST, INVALID_GUEST_STATE, POLICY_FAILURE,
        INACTIVE, INVALID_PAGE_STATE, INVALID_PAGE_OWNER, INVALID_LENGTH.
        """
        this = CommandId.SNP_DBG_ENCRYPT
        guest = self._snp_debuggable(this, gctx, spa)
        if len(page) != PAGE_SIZE:
            raise refusal(this, Status.INVALID_LENGTH, f"a page has {PAGE_SIZE} bytes, not {len(page)}")
        try:
            self._memory.write_private(guest.asid, spa, page)
        except InvalidInput as error:
            raise refusal(this, Status.INVALID_ADDRESS, error.message) from error

    def _snp_debuggable(self, this: CommandId, gctx: int, spa: int) -> SnpGuestContext:
        guest = self._snp_guest(this, gctx)
        if not guest.policy.debug:
            raise refusal(this, Status.POLICY_FAILURE, "the guest's policy has not DEBUG; launch it with it")
        self._require_snp_active(this, guest)
        self._require_page(this, spa)
        self._require_owned(this, guest, spa, PageState.GUEST_VALID)
        return guest
