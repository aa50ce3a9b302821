"""Reading a records file, for whoever looks at it before a launch and whoever makes the disk of it.

Blocks on the disk: call it off the event loop.
"""

from __future__ import annotations

import stat
from pathlib import Path

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.records import MAXIMUM_BYTES, check_size


def read_records_file(path: Path) -> bytes:
    """The bytes of the file, at most 16 MiB: a bigger one is refused by its size, without reading it.

    Raises InvalidInput("records") where it is not there, no file, not readable, empty or too big.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InvalidInput("records", f"{path} is a folder; give a CSV file")
        if not stat.S_ISREG(status.st_mode):
            raise InvalidInput("records", f"{path} is not a regular file; give a CSV file")
        check_size(status.st_size)
        with path.open("rb") as file:
            data = file.read(MAXIMUM_BYTES + 1)  # it may have grown since it was looked at
    except FileNotFoundError:
        raise InvalidInput("records", f"There is no file {path}") from None
    except PermissionError:
        raise InvalidInput("records", f"The file {path} may not be read by this user") from None
    except (OSError, ValueError) as error:  # ValueError: a zero character in the path
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidInput("records", f"The file {path} cannot be read: {reason}") from None
    check_size(len(data))
    return data
