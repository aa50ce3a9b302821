"""The emulated secure processor as its host sees it."""

from __future__ import annotations

from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from confvm_gui.engine.secure_processor.guest_commands import GuestCommands
from confvm_gui.engine.secure_processor.launch_commands import LaunchCommands
from confvm_gui.engine.secure_processor.memory_port import MemoryPort
from confvm_gui.engine.secure_processor.model import MILAN, ProcessorModel
from confvm_gui.engine.secure_processor.platform_commands import PlatformCommands


class SecureProcessor(PlatformCommands, GuestCommands, LaunchCommands):
    """An emulated AMD secure processor with the SEV firmware's commands by their published names.

    A new one is a new chip: keys of its own, UNINIT, owned by itself. Before the first guest a host brings it up as
    Linux does: `platform_init()`, `wbinvd()`, `df_flush()`. A refused command raises FirmwareError with the
    firmware's status and has changed nothing. Safe to use from any thread; commands run one at a time.
    """

    def __init__(
        self,
        memory: MemoryPort,
        *,
        model: ProcessorModel = MILAN,
        root: EmulatedRoot | None = None,
        guest_limit: int | None = None,
    ) -> None:
        """`root` can be shared between processors; `guest_limit` is by default the number of ASIDs."""
        limit = model.asid_count if guest_limit is None else guest_limit
        super().__init__(memory, model, root or EmulatedRoot(), limit)

    def __repr__(self) -> str:
        return f"<SecureProcessor (emulated {self.model.name}), {self._state.name}, {len(self._guests)} guests>"
