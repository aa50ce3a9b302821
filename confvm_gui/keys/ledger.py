"""What this console keeps of keys that know no such thing themselves: disabled, to be destroyed, destroyed.

    <data dir>/keys/ledger.json    by KeyRef; absent as long as nothing was disabled or ended
    <data dir>/keys/ledger.lock

A key that was destroyed stays in it, so that its name is never given to another key: what was wrapped under it would
seem to be readable. All calls block. A damaged ledger is KeyUnavailable: no key is used on a guess.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from confvm_gui.domain.errors import KeyUnavailable
from confvm_gui.domain.keys import KeyState
from confvm_gui.keys.file_lock import holding, unusable, write_whole

_VERSION: Final = 1
_LARGEST: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one key. Times are seconds since the epoch, UTC."""

    disabled: bool = False
    destroy_at: float | None = None
    destroyed_at: float | None = None


class KeyLedger:
    """See the module."""

    def __init__(self, data_dir: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = data_dir / "keys" / "ledger.json"
        self._clock = clock

    @property
    def now(self) -> float:
        return self._clock()

    def standing(self, key_ref: str) -> Standing:
        return self.all().get(key_ref, Standing())

    def all(self) -> Mapping[str, Standing]:
        try:
            with self._path.open("rb") as file:
                text = file.read(_LARGEST + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise unusable(self._path, error) from error
        try:
            value = json.loads(text)
            if len(text) > _LARGEST or value["version"] != _VERSION:
                raise ValueError("version")
            return {str(ref): _standing(kept) for ref, kept in value["keys"].items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise KeyUnavailable(
                f"The ledger of keys {self._path} is damaged: which keys are disabled or destroyed is not known. "
                "Put back a copy of it"
            ) from None

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Within, no other console changes the ledger."""
        with holding(self._path.with_name("ledger.lock")):
            yield

    def put(self, key_ref: str, standing: Standing) -> None:
        """Within `changing` only."""
        kept = {**self.all(), key_ref: standing}
        text = json.dumps({"version": _VERSION, "keys": {ref: asdict(one) for ref, one in sorted(kept.items())}})
        write_whole(self._path, text)

    def destroyed(self, key_ref: str) -> None:
        """Note that it is gone. Within `changing` only."""
        self.put(key_ref, replace(self.standing(key_ref), destroy_at=None, destroyed_at=self.now))

    def is_due(self, standing: Standing) -> bool:
        return standing.destroy_at is not None and standing.destroy_at <= self.now


def refuse_ended(key_ref: str, standing: Standing) -> None:
    """Raises KeyUnavailable for a key that is destroyed, or is to be."""
    if standing.destroyed_at is not None:
        raise KeyUnavailable(
            f"The key {key_ref} was destroyed on {day(standing.destroyed_at)}; what was wrapped under it cannot be "
            "read any more. Choose another key for new instances"
        )
    if standing.destroy_at is not None:
        raise KeyUnavailable(
            f"The key {key_ref} is to be destroyed on {day(standing.destroy_at)} and is not used until then; "
            "restore and enable it to go on using it"
        )


def is_disabled(key_ref: str) -> KeyUnavailable:
    """For a key that is not to be used for a while."""
    return KeyUnavailable(f"The key {key_ref} is disabled; enable it to use it")


def told_state(standing: Standing) -> tuple[KeyState, str]:
    """For a KeyInfo: its state, and why."""
    if standing.destroyed_at is not None:
        return KeyState.DESTROYED, f"destroyed on {day(standing.destroyed_at)}"
    if standing.destroy_at is not None:
        return KeyState.DESTROY_SCHEDULED, f"is destroyed on {day(standing.destroy_at)}"
    return (KeyState.DISABLED, "disabled here") if standing.disabled else (KeyState.ENABLED, "")


def day(at: float) -> str:
    """A moment for people, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _standing(value: object) -> Standing:
    """Raises TypeError for a value that no console wrote."""
    if not isinstance(value, dict):
        raise TypeError("mapping")
    standing = Standing(**value)
    times = (standing.destroy_at, standing.destroyed_at)
    if not isinstance(standing.disabled, bool) or not all(at is None or isinstance(at, float | int) for at in times):
        raise TypeError("values")
    return standing
