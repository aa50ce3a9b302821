"""Which processor: family, model and stepping, as CPUID packs them and as QEMU names them (25481, Fn0000_0001_EAX).

A VMSA starts with the CPUID signature in RDX, so a guest's vCPU type enters the launch digest of SEV-ES and SEV-SNP.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from confvm_gui.sev.errors import InvalidInput

_HIGHEST: Final = (0x0F + 0xFF, 0xFF, 0x0F)


class CpuIdentity(NamedTuple):
    """Family, model and stepping, extended parts included."""

    family: int
    model: int
    stepping: int

    @classmethod
    def checked(cls, family: int, model: int, stepping: int) -> CpuIdentity:
        """The three, or InvalidInput("vcpu") if one does not fit into CPUID's fields."""
        identity = cls(family, model, stepping)
        for name, value, highest in zip(cls._fields, identity, _HIGHEST, strict=True):
            if not 0 <= value <= highest:
                raise InvalidInput("vcpu", f"A vCPU's {name} is 0 to {highest}, not {value}")
        return identity

    @classmethod
    def from_signature(cls, signature: int) -> CpuIdentity:
        """Unpack the 32-bit value of CPUID Fn0000_0001_EAX; InvalidInput("vcpu") if it is wider."""
        if not 0 <= signature <= 0xFFFFFFFF:
            raise InvalidInput("vcpu", f"A vCPU signature has 32 bits; {signature:#x} does not fit")
        family = signature >> 8 & 0xF
        if family == 0xF:
            family += signature >> 20 & 0xFF
        return cls(family, signature >> 12 & 0xF0 | signature >> 4 & 0xF, signature & 0xF)

    @property
    def signature(self) -> int:
        """The 32-bit value that CPUID Fn0000_0001_EAX gives."""
        extended = max(0, self.family - 0xF)
        return (
            extended << 20
            | (self.model & 0xF0) << 12
            | min(self.family, 0xF) << 8
            | (self.model & 0xF) << 4
            | self.stepping
        )


_NAPLES: Final = CpuIdentity(23, 1, 2)
_ROME: Final = CpuIdentity(23, 49, 0)
_MILAN: Final = CpuIdentity(25, 1, 1)
_GENOA: Final = CpuIdentity(25, 17, 0)
_TURIN: Final = CpuIdentity(26, 0, 0)


def _versions(model: str, last: int, identity: CpuIdentity) -> dict[str, CpuIdentity]:
    """A QEMU CPU model and its versions. These differ in features, never in family, model or stepping."""
    return {model: identity} | {f"{model}-v{version}": identity for version in range(1, last + 1)}


CPU_TYPES: Mapping[str, CpuIdentity] = MappingProxyType(
    {
        **_versions("EPYC", 5, _NAPLES),
        "EPYC-IBPB": _NAPLES,
        **_versions("EPYC-Rome", 5, _ROME),
        **_versions("EPYC-Milan", 3, _MILAN),
        **_versions("EPYC-Genoa", 2, _GENOA),
        **_versions("EPYC-Turin", 1, _TURIN),
    }
)
"""QEMU's EPYC models by name (QEMU target/i386/cpu.c, builtin_x86_defs)."""


def cpu_of_type(name: str) -> CpuIdentity:
    """What QEMU's CPU model `name` is; InvalidInput("vcpu-type") if it is no EPYC that is known."""
    identity = CPU_TYPES.get(name)
    if identity is None:
        raise InvalidInput("vcpu-type", f"{name[:60]!r} is no known vCPU type; choose one of {', '.join(CPU_TYPES)}")
    return identity
