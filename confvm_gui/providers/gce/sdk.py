"""Modules of Google's SDK, loaded when they are first needed."""

from __future__ import annotations

import importlib
from typing import Any, Final

from confvm_gui.domain.errors import Unsupported

INSTALL: Final = (
    "The package google-cloud-compute is not installed; install the console with pip install 'confvm-console[gce]'"
)


def sdk(module: str) -> Any:
    """A module of the SDK. Raises Unsupported, saying what to install, if it is not there."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise Unsupported(INSTALL) from None
