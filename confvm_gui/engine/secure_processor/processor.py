"""The emulated secure processor as its host sees it."""

from __future__ import annotations

from confvm_gui.engine.secure_processor.chip_secret import ChipSecret
from confvm_gui.engine.secure_processor.debug_commands import DebugCommands
from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from confvm_gui.engine.secure_processor.guest_commands import GuestCommands
from confvm_gui.engine.secure_processor.launch_commands import LaunchCommands
from confvm_gui.engine.secure_processor.memory_port import MemoryPort
from confvm_gui.engine.secure_processor.model import MILAN, ProcessorModel
from confvm_gui.engine.secure_processor.platform_commands import PlatformCommands
from confvm_gui.engine.secure_processor.receive_commands import ReceiveCommands
from confvm_gui.engine.secure_processor.send_commands import SendCommands
from confvm_gui.engine.secure_processor.snp_guest_commands import SnpGuestCommands
from confvm_gui.engine.secure_processor.snp_launch_commands import SnpLaunchCommands
from confvm_gui.engine.secure_processor.snp_platform_commands import SnpPlatformCommands
from confvm_gui.engine.secure_processor.snp_request_commands import SnpRequestCommands


class SecureProcessor(
    PlatformCommands,
    GuestCommands,
    LaunchCommands,
    SendCommands,
    ReceiveCommands,
    DebugCommands,
    SnpPlatformCommands,
    SnpGuestCommands,
    SnpLaunchCommands,
    SnpRequestCommands,
):
    """An emulated AMD secure processor with the SEV firmware's commands by their published names.

    A new one is a new chip, unless it is given a chip's secret: keys of its own, UNINIT, owned by itself. Before the
    first guest a host brings it up as Linux does: `snp_init()` if there are to be SNP guests, `platform_init()`,
    `wbinvd()`, `df_flush()`. A refused command raises FirmwareError with the firmware's status and has changed
    nothing. Safe to use from any thread; commands run one at a time.
    """

    def __init__(
        self,
        memory: MemoryPort,
        *,
        model: ProcessorModel = MILAN,
        root: EmulatedRoot | None = None,
        guest_limit: int | None = None,
        chip: ChipSecret | None = None,
    ) -> None:
        """`root` can be shared between processors; `guest_limit` is by default the number of ASIDs.

        Without `chip` this is a new chip; with one it is the chip that has this secret.
        """
        limit = model.asid_count if guest_limit is None else guest_limit
        super().__init__(memory, model, root or EmulatedRoot(), limit, chip or ChipSecret.generate())

    def __repr__(self) -> str:
        return f"<SecureProcessor (emulated {self.model.name}), {self._state.name}, {len(self._guests)} guests>"
