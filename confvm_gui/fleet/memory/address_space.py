"""The RAM of an instance as one run of bytes without holes, and back to guest physical addresses (GPA).

A guest's RAM may have holes (below 4 GiB on PC-like machines). A reader scrolls through offsets 0 … `length`;
everything that is shown or typed is a GPA.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.memory import PAGE_SIZE, MemoryRegion


@dataclass(frozen=True, slots=True)
class Run:
    """A range without holes. All in bytes."""

    offset: int
    gpa: int
    length: int

    @property
    def end(self) -> int:
        """GPA past the last byte."""
        return self.gpa + self.length


class AddressSpace:
    """Offsets and GPAs of the RAM in `regions`."""

    def __init__(self, regions: Sequence[MemoryRegion]) -> None:
        ordered = sorted(regions, key=lambda region: region.gpa)
        self.runs: tuple[Run, ...] = ()
        """One per region, by ascending GPA."""
        offset = 0
        for region in ordered:
            self.runs += (Run(offset, region.gpa, region.length),)
            offset += region.length
        self.length = offset
        """Bytes of RAM."""
        self._offsets = [run.offset for run in self.runs]
        self._gpas = [run.gpa for run in self.runs]

    @property
    def pages(self) -> int:
        return self.length // PAGE_SIZE

    @property
    def digits(self) -> int:
        """Hexadecimal digits of the highest address, at least 8."""
        highest = self.runs[-1].end - 1 if self.runs else 0
        return max(8, (highest.bit_length() + 3) // 4)

    def gpa(self, offset: int) -> int:
        """GPA of the byte at `offset`. Raises InvalidInput("gpa") outside RAM."""
        if not 0 <= offset < self.length:
            raise InvalidInput("gpa", f"Offset {offset} lies outside this machine's {self.length} bytes of RAM")
        run = self.runs[bisect_right(self._offsets, offset) - 1]
        return run.gpa + offset - run.offset

    def offset(self, gpa: int) -> int:
        """Offset of the byte at `gpa`. Raises InvalidInput("gpa") outside RAM."""
        index = bisect_right(self._gpas, gpa) - 1
        if index >= 0 and gpa < self.runs[index].end:
            run = self.runs[index]
            return run.offset + gpa - run.gpa
        ranges = ", ".join(f"0x{run.gpa:x} to 0x{run.end - 1:x}" for run in self.runs)
        raise InvalidInput("gpa", f"There is no RAM at 0x{gpa:x}; this machine has {ranges or 'none'}")

    def contains(self, gpa: int) -> bool:
        index = bisect_right(self._gpas, gpa) - 1
        return index >= 0 and gpa < self.runs[index].end

    def parts(self, offset: int, length: int) -> tuple[Run, ...]:
        """The bytes from `offset` on, clipped to RAM, split where addresses have a hole."""
        end = min(offset + length, self.length)
        found: list[Run] = []
        for run in self.runs[max(0, bisect_right(self._offsets, offset) - 1) :]:
            start, stop = max(offset, run.offset), min(end, run.offset + run.length)
            if run.offset >= end:
                break
            if start < stop:
                found.append(Run(start, run.gpa + start - run.offset, stop - start))
        return tuple(found)

    def of_regions(self, regions: Iterable[MemoryRegion]) -> tuple[Run, ...]:
        """The parts of `regions` that are RAM, by ascending address, overlapping and touching ones joined."""
        found: list[Run] = []
        for region in sorted(regions, key=lambda each: each.gpa):
            for run in self.runs[max(0, bisect_right(self._gpas, region.gpa) - 1) :]:
                start, stop = max(region.gpa, run.gpa), min(region.gpa + region.length, run.end)
                if run.gpa >= region.gpa + region.length:
                    break
                if start >= stop:
                    continue
                last = found[-1] if found else None
                if last is not None and last.gpa >= run.gpa and start <= last.end:
                    found[-1] = Run(last.offset, last.gpa, max(last.end, stop) - last.gpa)
                else:
                    found.append(Run(run.offset + start - run.gpa, start, stop - start))
        return tuple(found)

    def aligned(self, part: Run, granularity: int) -> Run:
        """`part` widened to whole granules, within its region."""
        region = self.runs[bisect_right(self._offsets, part.offset) - 1]
        start = max(region.gpa, part.gpa // granularity * granularity)
        stop = min(region.end, -(-part.end // granularity) * granularity)
        return Run(region.offset + start - region.gpa, start, stop - start)


def chunks(run: Run, length: int) -> Iterable[Run]:
    """`run` in pieces of `length` bytes, the last one shorter."""
    for start in range(0, run.length, length):
        yield Run(run.offset + start, run.gpa + start, min(length, run.length - start))


def parse_address(text: str, space: AddressSpace, base: int = 0) -> int:
    """GPA from what a person types: `0x1000`, `1000`, `1_0000`, `1000h`, or `+200`/`-200` relative to `base`, all in
    hexadecimal.

    Raises InvalidInput("gpa") with what is wrong.
    """
    wanted = text.strip().lower().replace("_", "").replace("`", "").replace(" ", "")
    sign = wanted[:1] if wanted[:1] in ("+", "-") else ""
    digits = wanted.removeprefix(sign).removeprefix("0x").removesuffix("h")
    if not digits:
        raise InvalidInput("gpa", "Type an address in hexadecimal, for example 0x100000")
    if not set(digits) <= set("0123456789abcdef"):
        raise InvalidInput("gpa", f"“{text.strip()[:40]}” is not a hexadecimal address: use digits 0-9 and letters a-f")
    if len(digits.lstrip("0")) > 16:
        raise InvalidInput("gpa", "An address has at most 16 hexadecimal digits")
    value = int(digits, 16)
    gpa = base + value if sign == "+" else base - value if sign == "-" else value
    if gpa < 0:
        raise InvalidInput("gpa", "That lies below address 0")
    space.offset(gpa)
    return gpa
