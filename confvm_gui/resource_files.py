"""Where the files of `resources/` are: in a checkout, in an installed wheel, in a frozen bundle."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

from confvm_gui.domain.errors import NotFound


@cache
def resources_dir() -> Path:
    """The folder that holds `catalog/`, `guests/`, `help/` …

    Raises NotFound when the program was installed without them.
    """
    package = Path(__file__).resolve().parent
    candidates = [package.parent / "resources", package / "resources"]
    frozen = getattr(sys, "_MEIPASS", None)
    if frozen is not None:
        candidates.insert(0, Path(frozen) / "resources")
    for candidate in candidates:
        if (candidate / "catalog").is_dir():
            return candidate
    raise NotFound("The program's resource files are missing; install it again")
