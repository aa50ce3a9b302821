"""Lists of checksums as vendors publish them.

`HEX  name` and `HEX *name` (coreutils: Debian, Ubuntu, openSUSE's `.sha256`), `SHA256 (name) = HEX` (BSD: Fedora,
Rocky, AlmaLinux), with comments and the lines of a clear-text signature around them.
"""

from __future__ import annotations

import re
from typing import Final

from confvm_gui.domain.errors import InvalidInput

LARGEST_LIST: Final = 1 << 20
_ALGORITHMS: Final = {64: "sha256", 128: "sha512"}
_COREUTILS: Final = re.compile(r"([0-9A-Fa-f]{64}|[0-9A-Fa-f]{128})[ \t]+\*?(?:\./)?([^\s/]{1,255})")
_BSD: Final = re.compile(r"SHA(256|512) \(([^()\s/]{1,255})\) = ([0-9A-Fa-f]{64}|[0-9A-Fa-f]{128})")


def find_checksum(data: bytes, name: str) -> tuple[str, str]:
    """Algorithm (`sha256` or `sha512`) and lower-case hex for the file `name`; the stronger if both are there.

    Raises InvalidInput("image") if the list has none for it, or two that differ.
    """
    if len(data) > LARGEST_LIST:
        raise InvalidInput("image", "The list of checksums is too large")
    found: dict[str, str] = {}
    for line in data.decode("utf-8", "replace").splitlines():
        if len(line) > 1024:
            continue
        text = line.strip()
        if (match := _COREUTILS.fullmatch(text)) is not None:
            digest, named = match[1], match[2]
        elif (match := _BSD.fullmatch(text)) is not None and len(match[3]) * 4 == int(match[1]):
            digest, named = match[3], match[2]
        else:
            continue
        if named != name:
            continue
        algorithm = _ALGORITHMS[len(digest)]
        if found.setdefault(algorithm, digest.lower()) != digest.lower():
            raise InvalidInput("image", f"The list of checksums has two for {name[:80]}")
    for algorithm in ("sha512", "sha256"):
        if algorithm in found:
            return algorithm, found[algorithm]
    raise InvalidInput("image", f"The list of checksums does not name {name[:80]!r}")
