"""How long ago evidence was verified, in words, and from when on that is too long ago. Translated.

The words change with time: whoever shows them looks again every REFRESH_MS.
"""

from __future__ import annotations

import time

from confvm_gui.domain.instance import Instance, Trust
from confvm_gui.fleet.attest.freshness import DEFAULT_MAX_AGE, Freshness, freshness_of
from confvm_gui.ui.models.counted_words import counted
from confvm_gui.ui.text import moment, translate, trust_meaning, trust_word

REFRESH_MS = 15_000


def is_stale(instance: Instance, limit: float = DEFAULT_MAX_AGE, now: float | None = None) -> bool:
    """Whether evidence was verified, but longer ago than `limit` seconds."""
    return freshness_of(instance, limit, now) is Freshness.STALE


def ago(at: float, now: float | None = None) -> str:
    """`just now`, `3 minutes ago`, `5 days ago`; never in the future, whatever a clock said."""
    seconds = max(0, int((time.time() if now is None else now) - at))
    if seconds < 10:
        return translate("Freshness", "just now")
    if seconds < 60:
        return counted().seconds_ago(seconds)
    if seconds < 3600:
        return counted().minutes_ago(seconds // 60)
    if seconds < 48 * 3600:
        return counted().hours_ago(seconds // 3600)
    return counted().days_ago(seconds // 86400)


def short_age(at: float, now: float | None = None) -> str:
    """`12 s`, `3 min`, `5 h`, `9 d`: for a narrow column."""
    seconds = max(0, int((time.time() if now is None else now) - at))
    if seconds < 60:
        return translate("Freshness", "{count} s").format(count=seconds)
    if seconds < 3600:
        return translate("Freshness", "{count} min").format(count=seconds // 60)
    if seconds < 48 * 3600:
        return translate("Freshness", "{count} h").format(count=seconds // 3600)
    return translate("Freshness", "{count} d").format(count=seconds // 86400)


def trust_cell(instance: Instance, limit: float = DEFAULT_MAX_AGE, now: float | None = None) -> str:
    """The trust column: the word, then how old it is: `Trusted · 3 min`, `Trusted · 2 d, stale`.

    What emulated hardware vouches for is never called trusted without saying so.
    """
    if instance.trust is Trust.NOT_APPLICABLE:
        return "–"
    word = trust_word(instance.trust)
    if instance.trust is Trust.TRUSTED and instance.emulated:
        word = translate("Verdict", "Trusted (emulated)")
    if instance.attested_at is None:
        return word
    age = short_age(instance.attested_at, now)
    if is_stale(instance, limit, now):
        return translate("Freshness", "{word} · {age}, stale").format(word=word, age=age)
    return f"{word} · {age}"


def trust_tool_tip(instance: Instance, limit: float = DEFAULT_MAX_AGE, now: float | None = None) -> str:
    """What the trust stands on: its meaning, who said so, when, and whether that is too long ago."""
    lines = [trust_meaning(instance.trust)]
    if instance.trust_by:
        lines.append(translate("Freshness", "By: {who}").format(who=instance.trust_by))
    if instance.attested_at is not None:
        lines.append(
            translate("Freshness", "Verified {ago} ({moment})").format(
                ago=ago(instance.attested_at, now), moment=moment(instance.attested_at)
            )
        )
        if is_stale(instance, limit, now):
            lines.append(translate("Freshness", "Stale: ask for fresh evidence on its Attestation page"))
    elif instance.confidential:
        lines.append(translate("Freshness", "No evidence was verified since it was powered on"))
    if instance.emulated and instance.confidential:
        lines.append(translate("Freshness", "Emulated: this proves nothing about hardware"))
    return "\n".join(lines)
