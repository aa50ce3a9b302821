"""Logging of the program: to standard error, without secrets, quiet unless asked."""

from __future__ import annotations

import logging
import sys


def set_up_logging(*, debug: bool) -> None:
    """WARNING and above, or everything of ours with `debug`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    if debug:
        logging.getLogger("confvm_gui").setLevel(logging.DEBUG)
        logging.getLogger("asyncio").setLevel(logging.INFO)
