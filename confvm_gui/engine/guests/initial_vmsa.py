"""The VMSA with which the built-in guests start under SEV-ES and SEV-SNP (24593, volume 2, table B-4).

Their machine starts in 64-bit mode at the first byte of the image, with no operating system's loader before them:

    0x000  ES SS DS FS GS  selector 0x10, attributes 0xC93 (data, present, 4 GiB), base 0
    0x010  CS              selector 0x08, attributes 0xA9B (code, present, long), base 0
    0x060  GDTR LDTR IDTR  limit 0: no descriptor is ever loaded, no interrupt ever taken
    0x090  TR              attributes 0x8B: the busy TSS that VMRUN asks for in long mode
    0x0CA  VMPL, CPL       0
    0x0D0  EFER            0x1500: LME, LMA, and SVME, which VMRUN asks for
    0x148  CR4             0x660: PAE, MCE, OSFXSR, OSXMMEXCPT
    0x150  CR3             0: the emulated machine takes this for an identity mapping, all of it private
    0x158  CR0             0x80000033: PE, MP, ET, NE, PG
    0x160  DR7, DR6        their reset values
    0x170  RFLAGS, RIP     0x2, 0x100000
    0x1D8  RSP             0; the guest sets its own
    0x268  G_PAT           its reset value
    0x310  RDX             the CPUID signature, as QEMU leaves it at reset
    0x3B0  SEV_FEATURES    1 under SNP, else 0
    0x3E8  XCR0            1
    0x408  MXCSR, 0x410 FCW  0x1F80, 0x37F

Every other byte is zero, so the page, and with it the launch digest, follows from the two arguments alone.
"""

from __future__ import annotations

from typing import Final

from confvm_gui.engine.guests.memory_map import IMAGE_GPA
from confvm_gui.sev.vmsa import Segment, SevFeatures, Vmsa

_CODE: Final = Segment(0x08, 0xA9B, 0xFFFF_FFFF, 0)
_DATA: Final = Segment(0x10, 0xC93, 0xFFFF_FFFF, 0)
_NO_TABLE: Final = Segment(0, 0, 0, 0)


def initial_vmsa(*, cpu_signature: int, snp: bool) -> bytes:
    """The 4,096 bytes that LAUNCH_UPDATE_VMSA, or SNP_LAUNCH_UPDATE with page type VMSA, measures.

    `cpu_signature` is CPUID Fn0000_0001_EAX of the host's processor (32 bits). Raises InvalidInput("vmsa") where it
    does not fit into RDX.
    """
    segments = dict.fromkeys(("es", "ss", "ds", "fs", "gs"), _DATA) | {
        "cs": _CODE,
        "gdtr": _NO_TABLE,
        "idtr": _NO_TABLE,
        "ldtr": Segment(0, 0x82, 0, 0),
        "tr": Segment(0, 0x8B, 0, 0),
    }
    registers = {
        "efer": 0x1500,
        "cr4": 0x660,
        "cr3": 0,
        "cr0": 0x8000_0033,
        "dr7": 0x400,
        "dr6": 0xFFFF_0FF0,
        "rflags": 0x2,
        "rip": IMAGE_GPA,
        "rsp": 0,
        "g_pat": 0x0007_0406_0007_0406,
        "rdx": cpu_signature,
        "sev_features": int(SevFeatures.SNP_ACTIVE) if snp else 0,
        "xcr0": 0x1,
        "mxcsr": 0x1F80,
        "x87_fcw": 0x37F,
    }
    return Vmsa.of(segments, registers).page
