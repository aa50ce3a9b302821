"""Undoing that is seen to its end: whoever is cancelled meanwhile waits for it, and the first error is the one told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from confvm_gui.domain.errors import ConfvmError

_LOG = logging.getLogger(__name__)


async def to_the_end(undoing: Coroutine[Any, Any, object]) -> ConfvmError | None:
    """Wait for `undoing`; return the error it ended with, if any.

    If the caller is cancelled meanwhile, CancelledError is raised, but not before the end.
    """
    task = asyncio.ensure_future(undoing)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    failure: ConfvmError | None = None
    try:
        task.result()
    except ConfvmError as error:
        _LOG.info("what had been begun could not be undone: %s", error)
        failure = error
    if cancelled is not None:
        raise cancelled
    return failure
