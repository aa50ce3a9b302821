"""Logging of the program: to standard error, without secrets, quiet unless asked."""

from __future__ import annotations

import logging
import sys

_NAME = "confvm"


def set_up_logging(*, debug: bool) -> None:
    """WARNING and above, or everything of ours with `debug`. A second call replaces the first."""
    handler = logging.StreamHandler(sys.stderr)
    handler.set_name(_NAME)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    for old in [each for each in root.handlers if each.get_name() == _NAME]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    if debug:
        logging.getLogger("confvm_gui").setLevel(logging.DEBUG)
        logging.getLogger("asyncio").setLevel(logging.INFO)
