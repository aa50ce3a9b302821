"""How old the last verdict on an instance is."""

from __future__ import annotations

import time
from enum import Enum
from typing import Final

from confvm_gui.domain.instance import Instance
from confvm_gui.fleet.settings import Settings

MAX_AGE_SETTING: Final = "attestation.max_age_seconds"
DEFAULT_MAX_AGE: Final = 24 * 3600.0
"""Seconds."""


class Freshness(Enum):
    """Whether evidence of the present power-on was verified, and how long ago."""

    NOT_APPLICABLE = "not applicable"
    """It does not run, or it is not confidential and nobody asked."""
    NEVER = "never"
    FRESH = "fresh"
    STALE = "stale"


def max_age(settings: Settings) -> float:
    """Seconds after which a verdict is stale, as set; the default for anything that is no positive number."""
    for kind in (DEFAULT_MAX_AGE, int(DEFAULT_MAX_AGE)):
        value = settings.get(MAX_AGE_SETTING, kind)
        if value != DEFAULT_MAX_AGE and not isinstance(value, bool) and value > 0:
            return float(value)
    return DEFAULT_MAX_AGE


def freshness_of(instance: Instance, limit: float, now: float | None = None) -> Freshness:
    """`limit` in seconds; `now` in seconds since the epoch, default the clock's."""
    if not instance.state.is_live:
        return Freshness.NOT_APPLICABLE
    if instance.attested_at is None:
        return Freshness.NEVER if instance.confidential else Freshness.NOT_APPLICABLE
    age = (time.time() if now is None else now) - instance.attested_at
    return Freshness.FRESH if age <= limit else Freshness.STALE
