"""Zips in memory, written so that the same content gives the same bytes, and read with limits.

A small zip can stand for a very large file, and its directory can say what it likes: sizes are counted while unpacking.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from confvm_gui.domain.errors import InvalidInput

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""Time of every entry: the same content is the same file."""


@dataclass(frozen=True, slots=True)
class ZipLimits:
    """What is accepted of a zip."""

    files: int
    content: int
    """Bytes of all files together."""
    file: int
    """Bytes of each."""


def pack_zip(files: Iterable[tuple[str, bytes]], mode: int) -> bytes:
    """The zip of these (name, content), in their order, with the Unix permissions `mode`."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = mode << 16
            archive.writestr(entry, content)
    return output.getvalue()


def unpack_zip(
    data: bytes,
    limits: ZipLimits,
    malformed: Callable[[str], InvalidInput],
    belongs: Callable[[str], bool] = lambda _: True,
) -> dict[str, bytes]:
    """Content of every file by name; raises `malformed(problem)`, the problem put as "has ...", where it is none.

    `belongs` tells which names may be in there.
    """
    found: dict[str, bytes] = {}
    left = limits.content
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > limits.files:
                raise malformed(f"has {len(entries)} files; {limits.files} are accepted")
            for entry in entries:
                name = entry.filename
                if name in found or not belongs(name):
                    raise malformed("has a file twice, or one that does not belong there")
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise malformed("is packed in an unusual way")
                with archive.open(entry) as file:
                    content = file.read(min(left, limits.file) + 1)
                left -= len(content)
                if left < 0 or len(content) > limits.file:
                    raise malformed("holds more than is accepted")
                found[name] = content
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as problem:
        # OSError and ValueError: impossible offsets. RuntimeError: an encrypted file; NotImplementedError is one, too.
        raise malformed(f"is no readable zip ({' '.join(str(problem).split())[:80]})") from None
    return found
