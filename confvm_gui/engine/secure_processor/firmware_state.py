"""What all commands share: the platform's state, the guests, and the checks that come before every command.

The real firmware takes one command at a time from its mailbox; here a lock does the same, so that a SecureProcessor
may be used from any thread.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Concatenate, Final, NoReturn, ParamSpec, TypeVar

from confvm_gui.engine.secure_processor.asid_table import AsidTable
from confvm_gui.engine.secure_processor.chip_secret import ChipSecret
from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from confvm_gui.engine.secure_processor.guest_context import GuestContext
from confvm_gui.engine.secure_processor.identity import PlatformIdentity
from confvm_gui.engine.secure_processor.memory_port import MemoryPort
from confvm_gui.engine.secure_processor.model import ProcessorModel
from confvm_gui.engine.secure_processor.refusal import refusal
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.states import PlatformState, guest_states_for, platform_states_for
from confvm_gui.sev.status import Status

ALIGNMENT: Final = 16
"""Bytes: addresses and lengths of guest data are multiples of the cipher's block."""
VMSA_SIZE: Final = 4096
"""Bytes of a vCPU's register state."""


class FirmwareState:
    """Base of the command groups."""

    def __init__(
        self, memory: MemoryPort, model: ProcessorModel, root: EmulatedRoot, guest_limit: int, chip: ChipSecret
    ) -> None:
        self.model = model
        self.root = root
        self._chip = chip
        self._memory = memory
        self._lock = RLock()
        self._state = PlatformState.UNINIT
        self._es_enabled = False
        self._identity = PlatformIdentity(model.version, root, chip)
        self._nv: bytearray | None = None
        """The host's buffer for what persists, from INIT_EX to SHUTDOWN."""
        self._asids = AsidTable(model)
        self._guests: dict[int, GuestContext] = {}
        self._guest_limit = guest_limit
        self._last_handle = 0

    def _require_platform(self, command: CommandId) -> None:
        """INVALID_PLATFORM_STATE unless `command` is legal now (section 5.1.2)."""
        legal = platform_states_for(command)
        if self._state not in legal:
            names = " or ".join(state.name for state in sorted(legal))
            raise refusal(
                command,
                Status.INVALID_PLATFORM_STATE,
                f"the platform is {self._state.name} and the command needs {names}",
            )

    def _guest(self, command: CommandId, handle: int) -> GuestContext:
        """The guest of `handle`, if `command` is legal in its state (section 6.1.1).

        INVALID_GUEST, INVALID_GUEST_STATE.
        """
        guest = self._guests.get(handle)
        if guest is None:
            raise refusal(command, Status.INVALID_GUEST, f"there is no guest with handle {handle}")
        legal = guest_states_for(command)
        if guest.state not in legal:
            names = " or ".join(state.name for state in sorted(legal))
            raise refusal(
                command,
                Status.INVALID_GUEST_STATE,
                f"guest {handle} is {guest.state.name} and the command needs {names}",
            )
        return guest

    def _require_active(self, command: CommandId, guest: GuestContext) -> None:
        if not guest.is_active:
            raise refusal(command, Status.INACTIVE, f"ACTIVATE guest {guest.handle} on an ASID first")

    @staticmethod
    def _require_es(command: CommandId, guest: GuestContext) -> None:
        if not guest.policy.es:
            raise refusal(command, Status.POLICY_FAILURE, "the guest's policy does not ask for SEV-ES (ES)")

    @staticmethod
    def _check_span(command: CommandId, spa: int, length: int) -> None:
        """INVALID_ADDRESS, INVALID_LENGTH unless both go with the cipher's block."""
        if spa < 0 or spa % ALIGNMENT:
            raise refusal(command, Status.INVALID_ADDRESS, f"{spa:#x} is not a multiple of {ALIGNMENT}")
        if length <= 0 or length % ALIGNMENT:
            raise refusal(command, Status.INVALID_LENGTH, f"a multiple of {ALIGNMENT} bytes is needed, not {length}")

    @staticmethod
    def _check_vmsa(command: CommandId, spa: int, length: int) -> None:
        """INVALID_ADDRESS, INVALID_LENGTH unless this is one page."""
        if spa < 0 or spa % VMSA_SIZE:
            raise refusal(command, Status.INVALID_ADDRESS, f"a VMSA begins at a page, not at {spa:#x}")
        if length != VMSA_SIZE:
            raise refusal(command, Status.INVALID_LENGTH, f"a VMSA has {VMSA_SIZE} bytes, not {length}")

    def _read_private(self, command: CommandId, guest: GuestContext, spa: int, length: int) -> bytes:
        try:
            return self._memory.read_private(guest.asid, spa, length)
        except InvalidInput as error:
            raise refusal(command, Status.INVALID_ADDRESS, error.message) from error

    def _write_private(self, command: CommandId, guest: GuestContext, spa: int, data: bytes) -> None:
        try:
            self._memory.write_private(guest.asid, spa, data)
        except InvalidInput as error:
            raise refusal(command, Status.INVALID_ADDRESS, error.message) from error

    def _persist(self) -> None:
        """Owner or platform keys have changed: write them to the buffer that INIT_EX was given."""
        if self._nv is not None:
            self._nv[:] = self._identity.sealed()

    def _deactivate(self, guest: GuestContext) -> None:
        self._memory.remove_key(guest.asid)
        self._asids.release(guest.asid)
        guest.asid = 0

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secure processor is neither pickled nor copied")


_Firmware = TypeVar("_Firmware", bound=FirmwareState)
_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


def command(
    identifier: CommandId,
) -> Callable[
    [Callable[Concatenate[_Firmware, _Parameters], _Result]], Callable[Concatenate[_Firmware, _Parameters], _Result]
]:
    """Mark a method as the firmware's command `identifier`: one at a time, and only in a legal platform state."""

    def decorate(
        method: Callable[Concatenate[_Firmware, _Parameters], _Result],
    ) -> Callable[Concatenate[_Firmware, _Parameters], _Result]:
        @wraps(method)
        def run(self: _Firmware, /, *args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
            with self._lock:
                self._require_platform(identifier)
                return method(self, *args, **kwargs)

        return run

    return decorate
