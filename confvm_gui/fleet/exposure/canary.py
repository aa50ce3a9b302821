"""Canaries: random tokens that stand in a guest for the secrets that it will hold.

A token protects nothing, so it may be written into settings, seeds and files; found in the hypervisor's view, it says
that a real secret in its place would be readable as well. Planting: by cloud-init, as a file of the seed
(`in_seed`); in the records of an embedded guest (`in_records`), which its program loads into its RAM.
"""

from __future__ import annotations

import csv
import re
import secrets
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.images import SeedSpec
from confvm_gui.fleet.memory.bookmarks import SettingsAccess

PATH: Final = "/run/confvm-canary"
"""In the guest: a file system in RAM."""
COLUMN: Final = "canary"
MOST: Final = 32
"""Kept for each instance; the oldest go first."""
_TOKEN: Final = re.compile(r"confvm-canary-[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Canary:
    token: str
    made_at: float
    """Seconds since the epoch."""


def make_canary() -> Canary:
    """A new one: 128 random bits, so that no other memory holds it by chance."""
    return Canary(f"confvm-canary-{secrets.token_hex(16)}", time.time())


def in_seed(seed: SeedSpec, canary: Canary) -> SeedSpec:
    """`seed` with the token as a file that cloud-init writes at the first boot."""
    others = tuple(each for each in seed.files if each[0] != PATH)
    return replace(seed, files=(*others, (PATH, canary.token + "\n")))


def planted(seed: SeedSpec) -> Canary | None:
    """The canary that `in_seed` has put in, if it has, as made now."""
    text = dict(seed.files).get(PATH, "").strip()
    return Canary(text, time.time()) if _TOKEN.fullmatch(text) else None


def in_records(source: Path, target: Path, canary: Canary) -> None:
    """Copy the CSV file `source` to `target` with one more column, which holds the token in every row. Blocks.

    Raises InvalidInput("records").
    """
    try:
        with (
            source.open(newline="", encoding="utf-8-sig") as read,
            target.open("w", newline="", encoding="utf-8") as to,
        ):
            rows = csv.reader(read)
            writer = csv.writer(to)
            heading = next(rows, None)
            if not heading:
                raise InvalidInput("records", "The file has no heading")
            if COLUMN in heading:
                raise InvalidInput("records", f"The records have a column “{COLUMN}” already")
            writer.writerow([*heading, COLUMN])
            writer.writerows([*row, canary.token] for row in rows if row)
    except (OSError, UnicodeError, csv.Error) as error:
        raise InvalidInput("records", f"The records cannot be copied: {error}") from None


class Canaries:
    """The canaries of one instance, kept in the settings under its name on its provider: a token is planted before
    the instance has an id. Whatever the settings hold that is no canary is ignored."""

    def __init__(self, settings: SettingsAccess, provider: str, name: str) -> None:
        self._settings = settings
        self._key = f"exposure.canaries.{provider}.{name}"

    def all(self) -> tuple[Canary, ...]:
        """Newest first."""
        stored = self._settings.get(self._key, [])
        found = [
            Canary(entry["token"], float(entry["made_at"]))
            for entry in (stored if isinstance(stored, list) else [])
            if isinstance(entry, dict)
            and isinstance(entry.get("token"), str)
            and _TOKEN.fullmatch(entry["token"])
            and isinstance(entry.get("made_at"), int | float)
        ]
        return tuple(sorted(found, key=lambda canary: -canary.made_at))

    def add(self, canary: Canary) -> None:
        kept = [canary, *(each for each in self.all() if each.token != canary.token)][:MOST]
        self._settings.put(self._key, [{"token": each.token, "made_at": each.made_at} for each in kept])
