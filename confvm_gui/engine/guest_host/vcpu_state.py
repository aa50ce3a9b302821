"""A vCPU's registers between the emulated CPU and the layout of a VMSA page (24593, volume 2, table B-4).

Under SEV-ES and SEV-SNP the page is the guest's own, encrypted and measured: the vCPU starts from it, and whenever it
stands still its registers are there and nowhere else. For other guests the same layout serves as a container, which
the host fills and reads in the clear.

Moved are the general registers, RIP, RSP, RFLAGS, CR0, CR2, CR3, CR4, the bases of FS and GS, XMM0 to XMM15, MXCSR and
the x87 unit. The built-in guests load no descriptors, so segments stay in the page as they are; the emulated CPU is
always in 64-bit mode, and a page that asks for another is refused as VMRUN refuses an illegal state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from unicorn import x86_const as x86

from confvm_gui.sev.vmsa import Segment, Vmsa

if TYPE_CHECKING:
    from unicorn import Uc

_WHOLE: Final = {
    "cr0": x86.UC_X86_REG_CR0,
    "cr2": x86.UC_X86_REG_CR2,
    "cr3": x86.UC_X86_REG_CR3,
    "cr4": x86.UC_X86_REG_CR4,
    "rflags": x86.UC_X86_REG_RFLAGS,
    "rip": x86.UC_X86_REG_RIP,
    "rsp": x86.UC_X86_REG_RSP,
    "rax": x86.UC_X86_REG_RAX,
    "rbx": x86.UC_X86_REG_RBX,
    "rcx": x86.UC_X86_REG_RCX,
    "rdx": x86.UC_X86_REG_RDX,
    "rbp": x86.UC_X86_REG_RBP,
    "rsi": x86.UC_X86_REG_RSI,
    "rdi": x86.UC_X86_REG_RDI,
    "r8": x86.UC_X86_REG_R8,
    "r9": x86.UC_X86_REG_R9,
    "r10": x86.UC_X86_REG_R10,
    "r11": x86.UC_X86_REG_R11,
    "r12": x86.UC_X86_REG_R12,
    "r13": x86.UC_X86_REG_R13,
    "r14": x86.UC_X86_REG_R14,
    "r15": x86.UC_X86_REG_R15,
    "mxcsr": x86.UC_X86_REG_MXCSR,
    "x87_fcw": x86.UC_X86_REG_FPCW,
    "x87_fsw": x86.UC_X86_REG_FPSW,
    "x87_ftw": x86.UC_X86_REG_FPTAG,
}
"""By name in a VMSA; a register is as wide there as here."""
_BASES: Final = {"fs": x86.UC_X86_REG_FS_BASE, "gs": x86.UC_X86_REG_GS_BASE}
_X87_AT: Final = 0x420
_X87_SIZE: Final = 10
_X87_COUNT: Final = 8
_XMM_AT: Final = 0x470
_XMM_SIZE: Final = 16
_XMM_COUNT: Final = 16

_LONG_MODE: Final = 0x500
"""EFER.LME and LMA."""
_EFER_KNOWN: Final = 0x1D01
"""SCE, LME, LMA, NXE, SVME."""
_CR0_KNOWN: Final = 0xE005_003F
_CR0_PROTECTED: Final = 1
_CR4_KNOWN: Final = 0x77_0FFF
_CODE_64: Final = 0x200
"""Bit L of a code segment's attributes, as the VMCB holds them."""


class IllegalState(Exception):
    """VMRUN refuses the page: VMEXIT_INVALID."""


def blank_page() -> bytes:
    """A page for a guest without one: 64-bit mode, everything else zero until `save` fills it."""
    return Vmsa.of({"cs": Segment(0, 0xA9B, 0xFFFF_FFFF, 0)}, {"efer": _LONG_MODE}).page


def load(engine: Uc, page: bytes) -> int:
    """Put the registers of a page into the CPU, which is as after power-on; return RIP. Raises IllegalState."""
    vmsa = Vmsa(page)
    efer, cr0, cr4 = vmsa.register("efer"), vmsa.register("cr0"), vmsa.register("cr4")
    legal = (
        efer & _LONG_MODE == _LONG_MODE
        and not efer & ~_EFER_KNOWN
        and not cr0 & ~_CR0_KNOWN
        and cr0 & _CR0_PROTECTED
        and not cr4 & ~_CR4_KNOWN
        and vmsa.segment("cs").attrib & _CODE_64
    )
    if not legal:
        raise IllegalState("VMRUN refuses the VMSA (VMEXIT_INVALID): it does not hold a legal state in 64-bit mode")
    for name, register in _BASES.items():
        engine.reg_write(register, vmsa.segment(name).base)
    for index in range(_XMM_COUNT):
        at = _XMM_AT + index * _XMM_SIZE
        engine.reg_write(x86.UC_X86_REG_XMM0 + index, int.from_bytes(page[at : at + _XMM_SIZE], "little"))
    for index in range(_X87_COUNT):
        at = _X87_AT + index * _X87_SIZE
        mantissa, exponent = page[at : at + 8], page[at + 8 : at + _X87_SIZE]
        # A register of the x87 unit is a pair, unlike all others.
        value: Any = (int.from_bytes(mantissa, "little"), int.from_bytes(exponent, "little"))
        engine.reg_write(x86.UC_X86_REG_FP0 + index, value)
    # After the x87 unit's data: its tag word says which of them count.
    for name, register in _WHOLE.items():
        engine.reg_write(register, vmsa.register(name))
    return vmsa.register("rip")


def save(engine: Uc, next_instruction: int, page: bytes) -> bytes:
    """`page` with the registers of the CPU, which stands before `next_instruction`; what is not moved stays."""
    vmsa = Vmsa(page)
    registers = {name: engine.reg_read(register) for name, register in _WHOLE.items()}
    registers["rip"] = next_instruction
    segments = {name: vmsa.segment(name)._replace(base=engine.reg_read(at)) for name, at in _BASES.items()}
    saved = bytearray(vmsa.replaced(segments, registers).page)
    for index in range(_XMM_COUNT):
        at = _XMM_AT + index * _XMM_SIZE
        saved[at : at + _XMM_SIZE] = engine.reg_read(x86.UC_X86_REG_XMM0 + index).to_bytes(_XMM_SIZE, "little")
    for index in range(_X87_COUNT):
        at = _X87_AT + index * _X87_SIZE
        value: Any = engine.reg_read(x86.UC_X86_REG_FP0 + index)
        mantissa, exponent = value
        saved[at : at + _X87_SIZE] = mantissa.to_bytes(8, "little") + exponent.to_bytes(2, "little")
    return bytes(saved)
