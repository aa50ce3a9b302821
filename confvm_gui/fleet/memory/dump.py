"""Writes RAM, as one viewer sees it, to a file.

A range becomes a file of just its bytes. All touched RAM becomes a sparse file in which the byte at GPA x stands at
position x, and a JSON file beside it says which ranges were written and what their pages are.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.memory import PAGE_SIZE, PageKind
from confvm_gui.domain.ports.memory_source import MemorySource
from confvm_gui.fleet.memory.address_space import AddressSpace, Run, chunks
from confvm_gui.fleet.memory.ranges import populated_runs, read_length


@dataclass(frozen=True, slots=True)
class Dumped:
    """What was written."""

    path: Path
    bytes_written: int


async def dump_range(
    source: MemorySource,
    gpa: int,
    length: int,
    path: Path,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> Dumped:
    """Write the bytes from `gpa` on to `path`, replacing it only when all are there.

    Raises InvalidInput("gpa") where the range leaves RAM or crosses a hole, InvalidInput("file") where the file
    cannot be written.
    """
    space = AddressSpace(source.regions())
    parts = space.parts(space.offset(gpa), length)
    if length <= 0 or len(parts) != 1 or parts[0].length != length:
        raise InvalidInput("gpa", f"The {length} bytes from 0x{gpa:x} on are not all in one range of RAM")
    return await _write(source, space, parts, path, None, on_progress)


async def dump_touched(
    source: MemorySource, path: Path, *, on_progress: Callable[[int, int], None] | None = None
) -> Dumped:
    """Write all RAM that was ever written to a sparse `path`, and `path`.json beside it.

    Raises InvalidInput("file") where they cannot be written.
    """
    space = AddressSpace(source.regions())
    index: list[dict[str, object]] = []
    return await _write(source, space, populated_runs(source, space), path, index, on_progress)


async def _write(
    source: MemorySource,
    space: AddressSpace,
    parts: tuple[Run, ...],
    path: Path,
    index: list[dict[str, object]] | None,
    on_progress: Callable[[int, int], None] | None,
) -> Dumped:
    total, done = sum(part.length for part in parts), 0
    beside = path.with_name(path.name + ".part")
    try:
        with await asyncio.to_thread(beside.open, "wb") as file:
            for part in parts:
                for piece in chunks(part, read_length(source)):
                    whole = space.aligned(piece, source.granularity)
                    chunk = await source.read(whole.gpa, whole.length)
                    start = piece.gpa - whole.gpa
                    place = piece.gpa if index is not None else done
                    await asyncio.to_thread(_put, file, place, chunk.data[start : start + piece.length])
                    if index is not None:
                        index.extend(_ranges(whole.gpa, chunk.kinds))
                    done += piece.length
                    if on_progress is not None:
                        on_progress(done, total)
        if index is not None:
            about = {"viewer": source.viewer.value, "layout": "the byte at GPA x stands at position x", "ranges": index}
            text = json.dumps(about, indent=1)
            await asyncio.to_thread(path.with_name(path.name + ".json").write_text, text, "utf-8")
        await asyncio.to_thread(beside.replace, path)
    except OSError as error:
        raise InvalidInput("file", f"{path.name} cannot be written: {_reason(error)}") from error
    finally:
        # Gone already when it became `path`; left behind by an error or a cancellation otherwise.
        beside.unlink(missing_ok=True)
    return Dumped(path, done)


def _put(file: BinaryIO, place: int, data: bytes) -> None:
    file.seek(place)
    file.write(data)


def _ranges(gpa: int, kinds: bytes) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    start = 0
    for page in range(1, len(kinds) + 1):
        if page == len(kinds) or kinds[page] != kinds[start]:
            length = (page - start) * PAGE_SIZE
            found.append({"gpa": gpa + start * PAGE_SIZE, "length": length, "kind": PageKind(kinds[start]).name})
            start = page
    return found


def _reason(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "there is no space left; choose another place"
    return f"{os.strerror(error.errno).lower()}; choose another place" if error.errno else "choose another place"
