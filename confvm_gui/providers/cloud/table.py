"""What is known of an account's instances.

Answers cross each other: a list that was asked for before a change was made may come after it. Every answer carries
when it was asked for (a count), and what was learnt later than that stands.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from confvm_gui.domain.instance import Instance
from confvm_gui.domain.ports.provider import Change, ChangeKind

LABEL_ID: Final = "confvm-instance"
LABEL_OPERATION: Final = "confvm-operation"
LABEL_IMAGE: Final = "confvm-image"
OWN_LABELS: Final = frozenset({LABEL_ID, LABEL_OPERATION, LABEL_IMAGE})
"""What the console makes carries: the console's id of it, the operation that made it, the catalogue's image."""
_FOREIGN: Final = uuid.UUID("6c1f2c53-5f0e-5b55-9d4c-0d5a7d1d7a11")
_HEX_ID: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Seen:
    """An instance, with what is needed to ask for it again."""

    instance: Instance
    number: str
    """The service's own id, which no later instance of the same name has."""
    status: str
    """In the service's words."""
    operation_id: str
    """What made it here; "" for an instance of others."""
    handle: str = ""
    """What the service is asked by where that is not its id."""


def own_id(labels: Mapping[str, str]) -> str:
    """The console's id of an instance that it made; "" for one of others."""
    own = labels.get(LABEL_ID, "")
    return own if _HEX_ID.fullmatch(own) else ""


def foreign_id(number: str) -> str:
    """The console's id of an instance that it did not make."""
    return uuid.uuid5(_FOREIGN, number).hex


@dataclass(slots=True)
class Entry:
    """One instance."""

    seen: Seen
    at: int
    """When what is known of it was asked for."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    reset_by: str = ""
    """The last operation that has reset it."""

    @property
    def instance(self) -> Instance:
        return self.seen.instance


class InstanceTable:
    """The instances by the console's id. `tell` is called with every change. On the event loop."""

    def __init__(self, tell: Callable[[Change], None]) -> None:
        self._tell = tell
        self._entries: dict[str, Entry] = {}
        self._gone: dict[str, int] = {}
        """The service's ids of what was deleted, and when: an older list may still have them."""
        self._count = 0

    def now(self) -> int:
        """To be taken before something is asked."""
        self._count += 1
        return self._count

    def find(self, instance_id: str) -> Entry | None:
        return self._entries.get(instance_id)

    def all(self) -> Sequence[Entry]:
        return tuple(self._entries.values())

    def take(self, seen: Seen, at: int) -> Entry | None:
        """What was asked for at `at`. Returns its entry; None if it is known to be gone since."""
        if self._gone.get(seen.number, -1) >= at:
            return None
        seen = self._under_its_own_id(seen)
        entry = self._entries.get(seen.instance.id)
        if entry is None:
            entry = self._entries[seen.instance.id] = Entry(seen, at)
        elif entry.at > at:
            return entry
        else:
            before, entry.seen, entry.at = entry.instance, seen, at
            if before == seen.instance:
                return entry
        self._tell(Change(ChangeKind.OBSERVED, seen.instance))
        return entry

    def take_list(self, numbers: Collection[str], at: int, silent: Collection[str]) -> None:
        """The list that was asked for at `at` has these instances and no others, but in the zones that were silent."""
        self.take_part(numbers, at, lambda instance: instance.zone not in silent)

    def take_part(self, numbers: Collection[str], at: int, within: Callable[[Instance], bool]) -> None:
        """The same for a list of a part only: what is not in the list and not `within` stays."""
        for entry in self.all():
            if entry.at < at and entry.seen.number not in numbers and within(entry.instance):
                self.remove(entry.instance.id)

    def note_silent(self, zones: Collection[str], at: int) -> None:
        """Zones that did not answer: what is known of their instances is of before."""
        for zone in zones:
            self.note_unseen(f"The zone {zone} does not answer", at, partial(_is_in_zone, zone))

    def note_unseen(self, why: str, at: int, within: Callable[[Instance], bool]) -> None:
        """A part of the service did not answer since `at`. `why`: without a full stop."""
        reason = f"{why}; this is as it was seen last"
        for entry in self.all():
            if entry.at < at and within(entry.instance) and entry.instance.state_reason != reason:
                entry.seen = replace(entry.seen, instance=replace(entry.instance, state_reason=reason))
                self._tell(Change(ChangeKind.OBSERVED, entry.instance))

    def remove(self, instance_id: str) -> None:
        """It is gone."""
        entry = self._entries.get(instance_id)
        if entry is not None:
            self.remove_number(entry.seen.number)

    def remove_number(self, number: str) -> None:
        """The instance with this id of the service is gone, whether it was seen or not."""
        self._gone[number] = self.now()
        for instance_id, entry in tuple(self._entries.items()):
            if entry.seen.number == number:
                del self._entries[instance_id]
                self._tell(Change(ChangeKind.REMOVED, entry.instance))

    def forget_gone(self, before: int) -> None:
        """No answer from before `before` is under way any more."""
        self._gone = {number: at for number, at in self._gone.items() if at >= before}

    def _under_its_own_id(self, seen: Seen) -> Seen:
        """A copy that somebody made of an instance has its labels, too: the id is the first one's."""
        holder = self._entries.get(seen.instance.id)
        if holder is None or holder.seen.number == seen.number:
            return seen
        return replace(seen, instance=replace(seen.instance, id=foreign_id(seen.number)), operation_id="")


def _is_in_zone(zone: str, instance: Instance) -> bool:
    return instance.zone == zone
