"""Platform commands of SEV-SNP (56860): SNP_INIT to SNP_COMMIT."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from confvm_gui.engine.secure_processor.refusal import refusal
from confvm_gui.engine.secure_processor.snp_firmware import SnpFirmware, snp_command
from confvm_gui.engine.secure_processor.snp_states import SnpPlatformState
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.measurement import FirmwareVersion
from confvm_gui.sev.states import PlatformState
from confvm_gui.sev.status import Status
from confvm_gui.sev.tcb_version import TcbVersion

SNP_PLATFORM_STATUS_SIZE: Final = 32

_STATUS: Final = struct.Struct("<BBBBIIIQQ")


@dataclass(frozen=True, slots=True)
class SnpPlatformStatus:
    """SNP_PLATFORM_STATUS."""

    version: FirmwareVersion
    state: SnpPlatformState
    rmp_initialized: bool
    alias_check_complete: bool
    mask_chip_id: bool
    mask_chip_key: bool
    guest_count: int
    current_tcb: TcbVersion
    reported_tcb: TcbVersion

    def to_bytes(self) -> bytes:
        """SNP_PLATFORM_STATUS_SIZE bytes."""
        return _STATUS.pack(
            self.version.api_major,
            self.version.api_minor,
            self.state,
            self.rmp_initialized | self.alias_check_complete << 1,
            self.version.build,
            self.mask_chip_id | self.mask_chip_key << 1,
            self.guest_count,
            self.current_tcb.to_int(),
            self.reported_tcb.to_int(),
        )


class SnpPlatformCommands(SnpFirmware):
    """SNP_INIT, SNP_SHUTDOWN, SNP_PLATFORM_STATUS, SNP_DF_FLUSH, SNP_SET_CONFIG, SNP_COMMIT."""

    @snp_command(CommandId.SNP_INIT)
    def snp_init(self) -> None:
        """SNP_INIT: all pages are the hypervisor's, and every ASID must be flushed. Comes before INIT.

        UNSUPPORTED (a part without SNP), INVALID_PLATFORM_STATE.
        """
        if self._state is not PlatformState.UNINIT:
            raise refusal(
                CommandId.SNP_INIT,
                Status.INVALID_PLATFORM_STATE,
                f"the SEV platform is {self._state.name}; SNP_INIT comes before INIT",
            )
        self.rmp.clear()
        self._asids.mark_all()
        self._snp_state = SnpPlatformState.INIT

    @snp_command(CommandId.SNP_SHUTDOWN)
    def snp_shutdown(self) -> None:
        """SNP_SHUTDOWN: to UNINIT. All SNP guests are gone with their keys. UNSUPPORTED, INVALID_PLATFORM_STATE."""
        for guest in self._snp_guests.values():
            if guest.is_active:
                self._memory.remove_key(guest.asid)
                self._asids.release(guest.asid)
            guest.wipe()
        self._snp_guests.clear()
        self.rmp.clear()
        self._snp_state = SnpPlatformState.UNINIT

    @snp_command(CommandId.SNP_PLATFORM_STATUS)
    def snp_platform_status(self) -> SnpPlatformStatus:
        """SNP_PLATFORM_STATUS: legal in every state. UNSUPPORTED."""
        part, _, reported = self._part(CommandId.SNP_PLATFORM_STATUS)
        return SnpPlatformStatus(
            version=self.model.version,
            state=self._snp_state,
            rmp_initialized=self._snp_state is SnpPlatformState.INIT,
            alias_check_complete=part.platform_info.alias_check_complete,
            mask_chip_id=self._mask_chip_id,
            mask_chip_key=self._mask_chip_key,
            guest_count=len(self._snp_guests),
            current_tcb=part.current_tcb,
            reported_tcb=reported,
        )

    @snp_command(CommandId.SNP_DF_FLUSH)
    def snp_df_flush(self) -> None:
        """SNP_DF_FLUSH: as DF_FLUSH. UNSUPPORTED, INVALID_PLATFORM_STATE, WBINVD_REQUIRED."""
        if not self._asids.df_flush():
            raise refusal(CommandId.SNP_DF_FLUSH, Status.WBINVD_REQUIRED, "execute WBINVD on all cores first")

    @snp_command(CommandId.SNP_CONFIG)
    def snp_set_config(
        self, reported_tcb: TcbVersion | None = None, *, mask_chip_id: bool = False, mask_chip_key: bool = False
    ) -> None:
        """SNP_CONFIG (SNP_SET_CONFIG): the TCB that reports name and are signed for, and what they hide of the chip.

        `reported_tcb` is at most the committed one, which None stands for.
        UNSUPPORTED, INVALID_PLATFORM_STATE, INVALID_PARAM.
        """
        part, committed, _ = self._part(CommandId.SNP_CONFIG)
        wanted = reported_tcb or committed
        if wanted.layout is not part.line.tcb_layout or wanted.reserved or committed.below(wanted):
            raise refusal(
                CommandId.SNP_CONFIG,
                Status.INVALID_PARAM,
                f"the reported TCB is at most the committed one, {committed.to_int():#x}, in every component",
            )
        self._reported_tcb = wanted
        self._mask_chip_id = mask_chip_id
        self._mask_chip_key = mask_chip_key

    @snp_command(CommandId.SNP_COMMIT)
    def snp_commit(self) -> None:
        """SNP_COMMIT: the current firmware is committed, never to be rolled back, and the reported TCB follows.

        UNSUPPORTED, INVALID_PLATFORM_STATE.
        """
        part, _, _ = self._part(CommandId.SNP_COMMIT)
        self._committed_tcb = self._reported_tcb = part.current_tcb
        self._committed_version = self.model.version
