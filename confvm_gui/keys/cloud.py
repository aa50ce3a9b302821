"""What the stores in clouds have alike: an SDK that may not be there, and failures told in the same words."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final, TypeVar

from confvm_gui.domain.daemon_thread import in_daemon_thread
from confvm_gui.domain.errors import InvalidInput, KeyUnavailable

T = TypeVar("T")

CONNECT_SECONDS: Final = 10
ANSWER_SECONDS: Final = 30
"""A launch waits for it."""
DAY: Final = 86400


def sdk(module: str, extra: str) -> Any:
    """A module of an SDK, loaded when it is first needed. Raises KeyUnavailable if it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise KeyUnavailable(
            f"The package {module} is not installed; install the console with pip install 'confvm-console[{extra}]'"
        ) from None


async def asked(service: str, work: Callable[[], T]) -> T:
    """`work`'s result. SDKs block, and their retries may take long: not in a thread that holds the console's end."""
    return await in_daemon_thread(f"{service} keys", lambda _stop: work())


def busy(service: str, why: str) -> KeyUnavailable:
    """It may work when tried again."""
    return KeyUnavailable(f"{service} cannot be used now ({why}); try again later")


def refused(service: str, key_ref: str, why: str) -> KeyUnavailable:
    return KeyUnavailable(f"{service} refused {key_ref}: {why}")


def forged(service: str, what: str) -> KeyUnavailable:
    """An answer that does not hold what was asked for."""
    return KeyUnavailable(f"The answer of {service} is not to be believed: {what}. Nothing was taken from it")


def whole_days(after_seconds: float, least: int, most: int, service: str) -> int:
    """Days for a destruction, never fewer than asked for. Raises InvalidInput("after")."""
    days = -int(-after_seconds // DAY)
    if not least <= days <= most:
        raise InvalidInput("after", f"{service} destroys a key {least} to {most} days after it is asked to")
    return days
