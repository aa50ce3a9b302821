"""Files that a person asked for, written whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from confvm_gui.domain.errors import InvalidInput


def write_whole(path: Path, content: Iterable[bytes]) -> str:
    """Write these one after the other; the SHA-256 of all of it, in hex. Blocks. Raises InvalidInput("path")."""
    digest = hashlib.sha256()
    try:
        # In the same folder, so that the name changes hands in one step: nobody ever sees half a file.
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with beside.open("xb") as file:
                for part in content:
                    digest.update(part)
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except BaseException:  # whatever ends the writing, nothing half-written stays beside
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidInput("path", f"{path} cannot be written: {reason}; choose another place") from None
    return digest.hexdigest()
