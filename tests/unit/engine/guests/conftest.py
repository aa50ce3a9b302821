"""What is collected here depends on whether C for the guests' processor can be compiled and called."""

from __future__ import annotations

import platform
import shutil

collect_ignore = (
    []
    if platform.system() == "Linux" and platform.machine() == "x86_64" and shutil.which("gcc")
    else ["test_guest_cryptography.py"]
)
