"""What the SNP commands share: their platform state, the RMP, the guests, TCBs and the VCEK, and the checks before all.

The VCEK follows from the chip's secret and a TCB: under another TCB the chip is another signer, so that a report tells
which firmware vouches for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec

from confvm_gui.engine.secure_processor.chip_secret import ChipSecret
from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from confvm_gui.engine.secure_processor.firmware_state import FirmwareState
from confvm_gui.engine.secure_processor.memory_port import MemoryPort
from confvm_gui.engine.secure_processor.model import ProcessorModel
from confvm_gui.engine.secure_processor.refusal import refusal
from confvm_gui.engine.secure_processor.rmp import ReverseMap
from confvm_gui.engine.secure_processor.rmp_entry import PAGE_SIZE, PageState
from confvm_gui.engine.secure_processor.snp_context import SnpGuestContext
from confvm_gui.engine.secure_processor.snp_part import SnpPart
from confvm_gui.engine.secure_processor.snp_states import (
    SNP_GUEST_COMMANDS,
    SNP_PLATFORM_COMMANDS,
    SnpPlatformState,
)
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.status import Status
from confvm_gui.sev.tcb_version import TcbVersion
from confvm_gui.sev.vek_extensions import VekExtensions


class SnpFirmware(FirmwareState):
    """Base of the SNP command groups."""

    def __init__(
        self, memory: MemoryPort, model: ProcessorModel, root: EmulatedRoot, guest_limit: int, chip: ChipSecret
    ) -> None:
        super().__init__(memory, model, root, guest_limit, chip)
        self.rmp = ReverseMap()
        """The host's reverse map table, which its instructions and its memory controller use too."""
        self._snp_state = SnpPlatformState.UNINIT
        self._snp_guests: dict[int, SnpGuestContext] = {}
        self._mask_chip_id = False
        self._mask_chip_key = False
        part = model.snp
        self._committed_tcb = None if part is None else part.committed_tcb
        self._committed_version = model.version if part is None else part.committed_version
        self._reported_tcb = self._committed_tcb
        self._vcek_certificates: dict[TcbVersion, bytes] = {}

    @property
    def snp_chip_id(self) -> bytes:
        """CHIP_ID of a report, 64 bytes: as many as the product uses, then zeros."""
        part = self.model.snp
        size = 64 if part is None else part.line.chip_id_size
        return self._identity.chip_id[:size].ljust(64, b"\x00")

    def vcek_certificate(self, tcb: TcbVersion | None = None) -> bytes:
        """The VCEK's X.509 certificate in DER, for `tcb` or the reported one: what AMD's KDS would give for this chip.

        The same bytes each time, as from the KDS: one signature for each TCB.
        May take seconds the first time: the emulated root is made then. InvalidInput("tcb") for a TCB that is above the
        current one, or of another product.
        """
        part = self.model.snp
        if part is None or self._reported_tcb is None:
            raise InvalidInput("tcb", f"{self.model.name} has no SEV-SNP")
        wanted = tcb or self._reported_tcb
        if wanted.layout is not part.line.tcb_layout or part.current_tcb.below(wanted):
            raise InvalidInput("tcb", f"the chip has no VCEK for TCB {wanted.to_int():#x}; its own is the highest")
        kept = self._vcek_certificates.get(wanted)
        if kept is None:
            extensions = VekExtensions(
                product_name=part.product_name, tcb=wanted, hwid=self._identity.chip_id[: part.line.chip_id_size]
            )
            made = self.root.certify_vcek(part.line, self._vcek(wanted).public_key(), extensions)
            # Evidence is asked for on several threads: the first certificate is everybody's.
            kept = self._vcek_certificates.setdefault(wanted, made)
        return kept

    def _vcek(self, tcb: TcbVersion) -> ec.EllipticCurvePrivateKey:
        return self._chip.key_for(b"vcek", tcb.to_int().to_bytes(8, "little"))

    def _part(self, command: CommandId) -> tuple[SnpPart, TcbVersion, TcbVersion]:
        """The part, its committed and its reported TCB; UNSUPPORTED without SNP."""
        if self.model.snp is None or self._committed_tcb is None or self._reported_tcb is None:
            raise refusal(command, Status.UNSUPPORTED, f"{self.model.name} has no SEV-SNP; choose a newer part")
        return self.model.snp, self._committed_tcb, self._reported_tcb

    def _require_snp(self, command: CommandId) -> None:
        self._part(command)
        if command not in SNP_PLATFORM_COMMANDS[self._snp_state]:
            raise refusal(
                command,
                Status.INVALID_PLATFORM_STATE,
                f"SNP is {self._snp_state.name}; "
                + ("SNP_INIT first" if self._snp_state is SnpPlatformState.UNINIT else "SNP_SHUTDOWN first"),
            )

    def _snp_guest(self, command: CommandId, gctx: int) -> SnpGuestContext:
        """The guest whose context page is `gctx`, if `command` is legal in its state.

        INVALID_ADDRESS, INVALID_GUEST, INVALID_GUEST_STATE.
        """
        self._require_page(command, gctx)
        guest = self._snp_guests.get(gctx)
        if guest is None:
            raise refusal(command, Status.INVALID_GUEST, f"there is no guest context at {gctx:#x}")
        if command not in SNP_GUEST_COMMANDS[guest.state]:
            legal = [state.name for state, commands in SNP_GUEST_COMMANDS.items() if command in commands]
            raise refusal(
                command,
                Status.INVALID_GUEST_STATE,
                f"the guest is {guest.state.name} and the command needs {' or '.join(legal)}",
            )
        return guest

    @staticmethod
    def _require_page(command: CommandId, spa: int) -> None:
        if spa < 0 or spa % PAGE_SIZE:
            raise refusal(command, Status.INVALID_ADDRESS, f"{spa:#x} is not the address of a page")

    def _require_snp_active(self, command: CommandId, guest: SnpGuestContext) -> None:
        if not guest.is_active:
            raise refusal(command, Status.INACTIVE, "SNP_ACTIVATE the guest on an ASID first")

    def _require_owned(self, command: CommandId, guest: SnpGuestContext, spa: int, *states: PageState) -> None:
        """INVALID_PAGE_STATE, INVALID_PAGE_OWNER unless the page is in one of `states` and the guest's."""
        entry = self.rmp.entry(spa)
        if entry.state not in states:
            names = " or ".join(state.value for state in states)
            raise refusal(
                command, Status.INVALID_PAGE_STATE, f"the page {spa:#x} is {entry.state.value}; {names} is needed"
            )
        if entry.asid != guest.asid:
            raise refusal(
                command, Status.INVALID_PAGE_OWNER, f"the page {spa:#x} is of ASID {entry.asid}, not {guest.asid}"
            )


_Snp = TypeVar("_Snp", bound=SnpFirmware)
_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


def snp_command(
    identifier: CommandId,
) -> Callable[[Callable[Concatenate[_Snp, _Parameters], _Result]], Callable[Concatenate[_Snp, _Parameters], _Result]]:
    """Mark a method as the firmware's SNP command `identifier`: one at a time, and only in a legal platform state."""

    def decorate(
        method: Callable[Concatenate[_Snp, _Parameters], _Result],
    ) -> Callable[Concatenate[_Snp, _Parameters], _Result]:
        @wraps(method)
        def run(self: _Snp, /, *args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
            with self._lock:
                self._require_snp(identifier)
                return method(self, *args, **kwargs)

        return run

    return decorate
