"""One emulated CPU, on which the guests of a worker take turns as VMs do on a real core.

There is a single Unicorn engine per worker. It has the host's whole DRAM mapped at its system physical addresses;
a TLB miss is answered from the page tables of the guest that is on the core. A turn restores the guest's registers,
drops the TLB, runs, and saves the registers: about 2 µs, and 10 KiB for a guest that waits.

A turn is ended from another thread, and Unicorn 2.1.4 then goes back to the start of an instruction whose memory
access it had done: one that reads, changes and writes the same memory (`inc mem`, `add %rax, mem`) takes effect twice.
The built-in guests are compiled without such instructions, and their build refuses an image that has one.

In the same way IN, OUT and what follows a TLB miss are done twice when another thread's stop comes right behind them;
`_end_hook` sees to that.

PVALIDATE, which Unicorn takes for an invalid instruction, is emulated in the hook for those.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from mmap import mmap
from typing import TYPE_CHECKING, Any, Final

from unicorn import Uc, UcError
from unicorn import unicorn_const as uc
from unicorn import x86_const as x86

from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.engine.guest_host import vcpu_state
from confvm_gui.engine.guest_host.devices import DISK_COMMAND, GUEST_REQUEST, STATE_CHANGE
from confvm_gui.engine.guest_host.host_calls import HostRefusal
from confvm_gui.engine.guest_host.page_walk import PageFault, PageWalk

if TYPE_CHECKING:
    from unicorn import UcContext

    from confvm_gui.engine.guest_host.devices import Devices
    from confvm_gui.engine.guest_host.protocol import GuestConfig

_CPUID_MAXIMUM_EXTENDED: Final = 0x8000_0000
_CPUID_ENCRYPTED_MEMORY: Final = 0x8000_001F
_PHYSICAL_BITS_REDUCTION: Final = 6
"""CPUID Fn8000_001F EBX[11:6] of parts with 1006 ASIDs."""
_PVALIDATE: Final = b"\xf2\x0f\x01\xff"
_LARGE_PAGE: Final = 2 << 20
_FAIL_INPUT: Final = 1
_CARRY: Final = 1
_ZERO: Final = 1 << 6
_ARITHMETIC_FLAGS: Final = 0x8D5
_HOST_CALLS: Final = frozenset({DISK_COMMAND, GUEST_REQUEST, STATE_CHANGE})
"""Ports that keep the guest waiting for its host. Its turn ends with them: it has had its time."""
_QUIET_SECONDS: Final = 0.0005
"""After a hook nobody else stops the turn for so long: much more than Unicorn needs to get on."""
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
    pvalidate: Callable[[int, int, bool], tuple[int, bool]] | None = None
    """(page, count, validate) -> (code, changed); None: not an SEV-SNP guest. Raises HostRefusal."""
    crash: str = ""
    ended: str = ""
    """Why it runs no more; "" while it does."""
    cpu_seconds: float = 0.0


class Core:
    """The worker's CPU."""

    def __init__(self, memory: mmap, size: int) -> None:
        """`memory`: the host's DRAM, `size` bytes, mapped for as long as the core lives."""
        self._memory = memory
        self._engine = Uc(uc.UC_ARCH_X86, uc.UC_MODE_64)
        self._buffer = (ctypes.c_char * size).from_buffer(memory)
        self._engine.ctl_set_tlb_mode(uc.UC_TLB_VIRTUAL)
        self._engine.ctl_exits_enabled(True)
        self._engine.mem_map_ptr(0, size, uc.UC_PROT_ALL, ctypes.addressof(self._buffer))
        self._engine.hook_add(uc.UC_HOOK_TLB_FILL, self._on_tlb_miss)
        # With a stop pending Unicorn asks the first of these only, and would answer a CPUID itself.
        self._engine.hook_add(uc.UC_HOOK_INSN, self._on_cpuid, None, 1, 0, x86.UC_X86_INS_CPUID)
        self._engine.hook_add(uc.UC_HOOK_INSN, self._on_in, None, 1, 0, x86.UC_X86_INS_IN)
        self._engine.hook_add(uc.UC_HOOK_INSN, self._on_out, None, 1, 0, x86.UC_X86_INS_OUT)
        self._engine.hook_add(uc.UC_HOOK_INSN_INVALID, self._on_invalid)
        self._reset_state = self._engine.context_save()
        self._current: Vcpu | None = None
        self._stop_asked = False
        self._stop_wanted = False
        self._last_hook = 0.0
        self._stopping = threading.Lock()

    def new_context(self) -> UcContext:
        """Registers as after power-on, for a new vCPU."""
        self._engine.context_restore(self._reset_state)
        return self._engine.context_save()

    def load(self, vcpu: Vcpu, page: bytes) -> None:
        """Give a vCPU that is off the core the registers of a VMSA page. Raises IllegalState."""
        self._engine.context_restore(self._reset_state)
        vcpu.next_instruction = vcpu_state.load(self._engine, page)
        self._engine.context_update(vcpu.context)

    def save(self, vcpu: Vcpu, page: bytes) -> bytes:
        """The registers of a vCPU that is off the core, in a VMSA page made of `page`."""
        self._engine.context_restore(vcpu.context)
        return vcpu_state.save(self._engine, vcpu.next_instruction, page)

    def run(self, vcpu: Vcpu) -> Turn:
        """Put `vcpu` on the core until it halts, ends or `stop` is called from another thread."""
        engine = self._engine
        self._current = vcpu
        engine.context_restore(vcpu.context)
        engine.ctl(uc.UC_CTL_TLB_FLUSH, uc.UC_CTL_IO_WRITE)
        vcpu.crash = ""
        with self._stopping:
            self._stop_asked = self._stop_wanted = False
        started = time.thread_time()
        try:
            engine.emu_start(vcpu.next_instruction, 0)  # exits are disabled: the second address means nothing
        except UcError as error:
            if vcpu.devices.powered_off:
                # The emulator may go on for some instructions behind the one that was told to be the last.
                return Turn.POWERED_OFF
            # A hook that stops the emulation after a fault has told the better reason already.
            reason = vcpu.crash or _REASONS.get(error.errno, str(error))
            where = engine.reg_read(x86.UC_X86_REG_RIP)
            vcpu.crash = f"{reason} (RIP {where:#x})"
            return Turn.CRASHED
        except HostRefusal as refusal:
            vcpu.crash = f"{refusal} (RIP {engine.reg_read(x86.UC_X86_REG_RIP):#x})"
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
        """End the current turn soon. Called from another thread, again and again until the turn has ended.

        Harmless when no turn runs.
        """
        # Both or neither after a turn has begun: if the note were lost and the turn ended, the guest would be taken for
        # one that waits. The other way round it only wakes early.
        with self._stopping:
            self._stop_wanted = True
            if time.monotonic() - self._last_hook > _QUIET_SECONDS:
                self._stop_asked = True
                self._engine.emu_stop()

    def _end_hook(self, *, ends_turn: bool) -> None:
        """A stop that comes shortly behind a hook makes Unicorn go back to where the hook found it, and what was done
        since is done twice; one from within is obeyed at once. So no other comes for a while."""
        with self._stopping:
            self._last_hook = time.monotonic()
            if ends_turn or self._stop_wanted:
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
        self._end_hook(ends_turn=False)
        return True

    def _on_in(self, engine: Any, port: int, size: int, data: Any) -> int:
        if self._current is None:
            return 0
        value = self._current.devices.port_in(port, size)
        self._end_hook(ends_turn=False)
        return value

    def _on_out(self, engine: Any, port: int, size: int, value: int, data: Any) -> None:
        if self._current is None:
            return
        self._current.devices.port_out(port, value)
        self._end_hook(ends_turn=self._current.devices.powered_off or port in _HOST_CALLS)
        if port in _HOST_CALLS:
            # Pages may have gone: nothing that was looked up before may serve any more.
            engine.ctl(uc.UC_CTL_TLB_FLUSH, uc.UC_CTL_IO_WRITE)

    def _on_invalid(self, engine: Any, data: Any) -> bool:
        """PVALIDATE (24594): RAX address, ECX page size, EDX validate; result in EAX and CF. False: truly invalid."""
        vcpu = self._current
        if vcpu is None or vcpu.pvalidate is None:
            return False
        try:
            at = engine.reg_read(x86.UC_X86_REG_RIP)
            cr3 = engine.reg_read(x86.UC_X86_REG_CR3)
            if self._instruction(vcpu, at, cr3) != _PVALIDATE:
                return False
            large = engine.reg_read(x86.UC_X86_REG_ECX)
            validate = bool(engine.reg_read(x86.UC_X86_REG_EDX) & 1)
            gpa = vcpu.walk.locate(engine.reg_read(x86.UC_X86_REG_RAX), cr3)
            page, count = gpa // PAGE_SIZE, _LARGE_PAGE // PAGE_SIZE if large == 1 else 1
            if large > 1 or (large and gpa % _LARGE_PAGE):
                code, changed = _FAIL_INPUT, False
            else:
                code, changed = vcpu.pvalidate(page, count, validate)
        except (PageFault, HostRefusal) as reason:
            # Told as the end of the guest; what this hook raises itself is lost behind the invalid instruction.
            vcpu.crash = str(reason)
            return False
        if code == 0:
            vcpu.walk.note_validated(page, count, validate)
            if not validate:
                engine.ctl(uc.UC_CTL_TLB_FLUSH, uc.UC_CTL_IO_WRITE)
        flags = engine.reg_read(x86.UC_X86_REG_RFLAGS) & ~_ARITHMETIC_FLAGS
        flags |= (0 if changed else _CARRY) | (_ZERO if code == 0 else 0)
        engine.reg_write(x86.UC_X86_REG_RFLAGS, flags)
        engine.reg_write(x86.UC_X86_REG_RAX, code)
        engine.reg_write(x86.UC_X86_REG_RIP, at + len(_PVALIDATE))
        # Having had its RIP written, Unicorn leaves RIP alone at every stop until it is started anew: a later stop from
        # another thread would go back to here.
        self._end_hook(ends_turn=True)
        return True

    def _instruction(self, vcpu: Vcpu, at: int, cr3: int) -> bytes:
        """The next four bytes of code, which may lie on two pages. Raises PageFault."""
        code = b""
        while len(code) < len(_PVALIDATE):
            address = at + len(code)
            offset = address % PAGE_SIZE
            spa, _ = vcpu.walk.translate(address, cr3)
            code += self._memory[spa + offset : spa + min(PAGE_SIZE, offset + len(_PVALIDATE) - len(code))]
        return code

    def _on_cpuid(self, engine: Any, data: Any) -> int:
        vcpu = self._current
        leaf = engine.reg_read(x86.UC_X86_REG_EAX)
        if vcpu is None or leaf not in (_CPUID_MAXIMUM_EXTENDED, _CPUID_ENCRYPTED_MEMORY):
            return 0
        if leaf == _CPUID_MAXIMUM_EXTENDED:
            values = (_CPUID_ENCRYPTED_MEMORY, 0, 0, 0)
        elif vcpu.config.sev:
            # Fn8000_001F (APM volume 3, E.4.17): EAX bits 1 SEV, 3 SEV-ES, 4 SEV-SNP; EBX C-bit and reduction; ECX,
            # EDX ASIDs. Who has SEV-SNP has SEV-ES as well.
            position = vcpu.config.c_bit | _PHYSICAL_BITS_REDUCTION << 6
            features = 1 << 1 | (vcpu.config.es or vcpu.config.snp) << 3 | vcpu.config.snp << 4
            values = (features, position, vcpu.config.asids, vcpu.config.minimum_asid)
        else:
            values = (0, 0, 0, 0)
        registers = (x86.UC_X86_REG_RAX, x86.UC_X86_REG_RBX, x86.UC_X86_REG_RCX, x86.UC_X86_REG_RDX)
        for register, value in zip(registers, values, strict=True):
            engine.reg_write(register, value)
        return 1
