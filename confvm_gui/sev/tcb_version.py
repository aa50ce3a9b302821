"""TCB_VERSION: the security version numbers of a platform's firmware components (56860, TCB_VERSION).

Eight bytes, laid out in one way up to Genoa and in another from Turin on. Versions are compared component by
component, never as one number: which component stands in the high byte means nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.snp_product import TcbLayout

_POSITIONS: Mapping[TcbLayout, Mapping[str, int]] = MappingProxyType(
    {
        TcbLayout.MILAN: MappingProxyType({"boot_loader": 0, "tee": 1, "snp": 6, "microcode": 7}),
        TcbLayout.TURIN: MappingProxyType({"fmc": 0, "boot_loader": 1, "tee": 2, "snp": 3, "microcode": 7}),
    }
)
"""Byte of each component, little-endian."""
_KNOWN_BITS: Mapping[TcbLayout, int] = MappingProxyType(
    {layout: sum(0xFF << 8 * byte for byte in positions.values()) for layout, positions in _POSITIONS.items()}
)
"""The bits that belong to a component."""


@dataclass(frozen=True, slots=True)
class TcbVersion:
    """Security version numbers, each 0 to 255. `fmc` is None up to Genoa, where there is none."""

    boot_loader: int
    tee: int
    snp: int
    microcode: int
    fmc: int | None = None
    reserved: int = 0
    """The bits of the 64 that belong to no component, in place; must be zero, and are kept so that a caller sees."""

    def __post_init__(self) -> None:
        for name, value in self.components():
            if not 0 <= value <= 0xFF:
                raise InvalidInput("tcb", f"A TCB's {name} is 0 to 255, not {value}")

    @classmethod
    def decode(cls, value: int, layout: TcbLayout) -> TcbVersion:
        """Read the 64-bit value in `layout`; InvalidInput("tcb") if it is wider."""
        return _decode(value, layout)

    @property
    def layout(self) -> TcbLayout:
        return TcbLayout.MILAN if self.fmc is None else TcbLayout.TURIN

    def to_int(self) -> int:
        """The 64-bit value."""
        positions = _POSITIONS[self.layout]
        return self.reserved | sum(value << 8 * positions[name] for name, value in self.components())

    def components(self) -> tuple[tuple[str, int], ...]:
        """Names and values, in the order of KDS's parameters."""
        common = (
            ("boot_loader", self.boot_loader),
            ("tee", self.tee),
            ("snp", self.snp),
            ("microcode", self.microcode),
        )
        return common if self.fmc is None else (("fmc", self.fmc), *common)

    def below(self, floor: TcbVersion) -> tuple[str, ...]:
        """Names of the components that are lower here than in `floor`; empty if this is at least `floor`.

        A component that only `floor` has counts as missing, so as lower.
        """
        mine = dict(self.components())
        return tuple(name for name, least in floor.components() if mine.get(name, -1) < least)

    def differs_in(self, other: TcbVersion) -> tuple[str, ...]:
        """Names of the components that are not the same, those of one side only included."""
        mine, theirs = dict(self.components()), dict(other.components())
        return tuple(name for name in mine | theirs if mine.get(name) != theirs.get(name))

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.components())


@lru_cache(maxsize=1024)
def _decode(value: int, layout: TcbLayout) -> TcbVersion:
    """Kept, because a report has four that are mostly one, and the same on all chips of a fleet."""
    if not 0 <= value < 1 << 64:
        raise InvalidInput("tcb", f"A TCB version has 64 bits; {value:#x} does not fit")
    parts = {name: value >> 8 * byte & 0xFF for name, byte in _POSITIONS[layout].items()}
    return TcbVersion(
        boot_loader=parts["boot_loader"],
        tee=parts["tee"],
        snp=parts["snp"],
        microcode=parts["microcode"],
        fmc=parts.get("fmc"),
        reserved=value & ~_KNOWN_BITS[layout],
    )
