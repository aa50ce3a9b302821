"""One emulated CPU, on which the guests of a worker take turns as VMs do on a real core.

There is a single Unicorn engine per worker. It has the host's whole DRAM mapped at its system physical addresses;
a TLB miss is answered from the page tables of the guest that is on the core. A turn restores the guest's registers,
drops the TLB, runs, and saves the registers: about 2 µs, and 10 KiB for a guest that waits.

A turn is ended from another thread, and Unicorn 2.1.4 then goes back to the start of an instruction whose memory
access it had done: one that reads, changes and writes the same memory (`inc mem`, `add %rax, mem`) takes effect twice.
The built-in guests are compiled without such instructions, and their build refuses an image that has one.
"""

from __future__ import annotations

import ctypes
import threading
import time
from dataclasses import dataclass
from enum import Enum
from mmap import mmap
from typing import TYPE_CHECKING, Any, Final

from unicorn import Uc, UcError
from unicorn import unicorn_const as uc
from unicorn import x86_const as x86

from confvm_gui.engine.guest_host.page_walk import PageFault, PageWalk

if TYPE_CHECKING:
    from unicorn import UcContext

    from confvm_gui.engine.guest_host.devices import Devices
    from confvm_gui.engine.guest_host.protocol import GuestConfig

_CPUID_MAXIMUM_EXTENDED: Final = 0x8000_0000
_CPUID_ENCRYPTED_MEMORY: Final = 0x8000_001F
_PHYSICAL_BITS_REDUCTION: Final = 6
"""CPUID Fn8000_001F EBX[11:6] of parts with 1006 ASIDs."""
_REASONS: Final = {
    uc.UC_ERR_INSN_INVALID: "invalid instruction",
    uc.UC_ERR_EXCEPTION: "unhandled processor exception",
    uc.UC_ERR_FETCH_UNMAPPED: "instruction fetch from unmapped memory",
    uc.UC_ERR_READ_UNMAPPED: "read of unmapped memory",
    uc.UC_ERR_WRITE_UNMAPPED: "write to unmapped memory",
    uc.UC_ERR_FETCH_PROT: "instruction fetch from protected memory",
    uc.UC_ERR_READ_PROT: "read of protected memory",
    uc.UC_ERR_WRITE_PROT: "write to protected memory",
}


class Turn(Enum):
    """How a turn on the core ended."""

    PREEMPTED = "preempted"
    HALTED = "halted"
    """HLT: waits for its timer or the doorbell."""
    POWERED_OFF = "powered off"
    CRASHED = "crashed"


@dataclass(slots=True)
class Vcpu:
    """A guest's virtual CPU while it is not on the core."""

    config: GuestConfig
    walk: PageWalk
    devices: Devices
    context: UcContext
    """Saved registers."""
    next_instruction: int
    crash: str = ""
    cpu_seconds: float = 0.0


class Core:
    """The worker's CPU."""

    def __init__(self, memory: mmap, size: int) -> None:
        """`memory`: the host's DRAM, `size` bytes, mapped for as long as the core lives."""
        self._engine = Uc(uc.UC_ARCH_X86, uc.UC_MODE_64)
        self._buffer = (ctypes.c_char * size).from_buffer(memory)
        self._engine.ctl_set_tlb_mode(uc.UC_TLB_VIRTUAL)
        self._engine.ctl_exits_enabled(True)
        self._engine.mem_map_ptr(0, size, uc.UC_PROT_ALL, ctypes.addressof(self._buffer))
        self._engine.hook_add(uc.UC_HOOK_TLB_FILL, self._on_tlb_miss)
        self._engine.hook_add(uc.UC_HOOK_INSN, self._on_in, None, 1, 0, x86.UC_X86_INS_IN)
        self._engine.hook_add(uc.UC_HOOK_INSN, self._on_out, None, 1, 0, x86.UC_X86_INS_OUT)
        self._engine.hook_add(uc.UC_HOOK_INSN, self._on_cpuid, None, 1, 0, x86.UC_X86_INS_CPUID)
        self._reset_state = self._engine.context_save()
        self._current: Vcpu | None = None
        self._stop_asked = False
        self._stopping = threading.Lock()

    def new_context(self) -> UcContext:
        """Registers as after power-on, for a new vCPU."""
        self._engine.context_restore(self._reset_state)
        return self._engine.context_save()

    def run(self, vcpu: Vcpu) -> Turn:
        """Put `vcpu` on the core until it halts, ends or `stop` is called from another thread."""
        engine = self._engine
        self._current = vcpu
        engine.context_restore(vcpu.context)
        engine.ctl(uc.UC_CTL_TLB_FLUSH, uc.UC_CTL_IO_WRITE)
        vcpu.crash = ""
        with self._stopping:
            self._stop_asked = False
        started = time.thread_time()
        try:
            engine.emu_start(vcpu.next_instruction, 0)  # exits are disabled: the second address means nothing
        except UcError as error:
            # A hook that stops the emulation after a fault has told the better reason already.
            reason = vcpu.crash or _REASONS.get(error.errno, str(error))
            where = engine.reg_read(x86.UC_X86_REG_RIP)
            vcpu.crash = f"{reason} (RIP {where:#x})"
            return Turn.CRASHED
        finally:
            vcpu.cpu_seconds += time.thread_time() - started
            self._current = None
        if vcpu.devices.powered_off:
            return Turn.POWERED_OFF
        vcpu.next_instruction = engine.reg_read(x86.UC_X86_REG_RIP)
        engine.context_update(vcpu.context)
        return Turn.PREEMPTED if self._stop_asked else Turn.HALTED

    def stop(self) -> None:
        """End the current turn. Called from another thread; harmless when no turn runs."""
        # Both or neither after a turn has begun: if the note were lost and the turn ended, the guest would be taken for
        # one that waits. The other way round it only wakes early.
        with self._stopping:
            self._stop_asked = True
            self._engine.emu_stop()

    def drop_translations(self) -> None:
        """Forget translated code: memory that held code was changed from outside, or has a new owner."""
        self._engine.ctl_flush_tb()

    def _on_tlb_miss(self, engine: Any, virtual: int, access: int, entry: Any, data: Any) -> bool:
        vcpu = self._current
        if vcpu is None:
            return False
        try:
            spa, writable = vcpu.walk.translate(virtual, engine.reg_read(x86.UC_X86_REG_CR3))
        except PageFault as fault:
            vcpu.crash = str(fault)
            return False
        entry.paddr = spa
        entry.perms = uc.UC_PROT_ALL if writable else uc.UC_PROT_READ | uc.UC_PROT_EXEC
        return True

    def _on_in(self, engine: Any, port: int, size: int, data: Any) -> int:
        return self._current.devices.port_in(port, size) if self._current is not None else 0

    def _on_out(self, engine: Any, port: int, size: int, value: int, data: Any) -> None:
        if self._current is None:
            return
        self._current.devices.port_out(port, value)
        if self._current.devices.powered_off:
            engine.emu_stop()

    def _on_cpuid(self, engine: Any, data: Any) -> int:
        vcpu = self._current
        leaf = engine.reg_read(x86.UC_X86_REG_EAX)
        if vcpu is None or leaf not in (_CPUID_MAXIMUM_EXTENDED, _CPUID_ENCRYPTED_MEMORY):
            return 0
        if leaf == _CPUID_MAXIMUM_EXTENDED:
            values = (_CPUID_ENCRYPTED_MEMORY, 0, 0, 0)
        elif vcpu.config.sev:
            # Fn8000_001F (APM volume 3, E.4.17): EAX bit 1 SEV; EBX C-bit position and reduction; ECX, EDX ASIDs.
            position = vcpu.config.c_bit | _PHYSICAL_BITS_REDUCTION << 6
            values = (1 << 1, position, vcpu.config.asids, vcpu.config.minimum_asid)
        else:
            values = (0, 0, 0, 0)
        registers = (x86.UC_X86_REG_RAX, x86.UC_X86_REG_RBX, x86.UC_X86_REG_RCX, x86.UC_X86_REG_RDX)
        for register, value in zip(registers, values, strict=True):
            engine.reg_write(register, value)
        return 1
