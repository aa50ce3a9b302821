"""All instances in column arrays: what makes filtering and sorting 100,000 of them a matter of milliseconds.

A row lives in a slot, which it keeps until it is removed; a removed row's slot is given to the next new one. Columns
are parallel to slots. For each sort column the order of all slots is cached and repaired where rows changed, so that
a keystroke in the filter never sorts and a change of a few rows merges them into a list that is nearly sorted.
Plain Python on `bytes` and integers: at these sizes as fast as arrays of numpy here, and nothing to import at start.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from typing import TypeVar

from confvm_gui.domain.instance import Instance
from confvm_gui.ui.models.coded_column import CodedColumn
from confvm_gui.ui.models.fleet_columns import (
    CODED,
    NUMBERS,
    FleetColumn,
    coded_value,
    natural_key,
    number_value,
)

_Key = TypeVar("_Key", str, float)

_REPAIR_SHARE = 4
"""An order is repaired while fewer than one row in this many changed, else sorted anew."""


class FleetTable:
    """Instances by slot, with masks over columns and cached sort orders."""

    def __init__(self) -> None:
        self._instances: list[Instance | None] = []
        self._slot_of: dict[str, int] = {}
        self._free: list[int] = []
        self._alive = bytearray()
        self._names: list[str] = []
        self._name_keys: list[str] = []
        self._coded = {column: CodedColumn() for column in CODED}
        self._numbers: dict[FleetColumn, list[float]] = {column: [] for column in NUMBERS}
        self._orders: dict[FleetColumn, list[int]] = {}
        self._dirty: dict[FleetColumn, set[int]] = {column: set() for column in FleetColumn}

    def __len__(self) -> int:
        return len(self._slot_of)

    @property
    def slots(self) -> int:
        """How many slots there are, free ones included: the length of every mask."""
        return len(self._instances)

    @property
    def alive(self) -> bytes:
        """Mask of the slots in use."""
        return bytes(self._alive)

    @property
    def names(self) -> Sequence[str]:
        """Lower-case names by slot, for text search."""
        return self._names

    def instance(self, slot: int) -> Instance:
        found = self._instances[slot]
        if found is None:
            raise LookupError(f"slot {slot} is free")
        return found

    def get(self, slot: int) -> Instance | None:
        """The instance in a slot, None when it is free."""
        return self._instances[slot]

    def find(self, instance_id: str) -> int | None:
        """Slot of an instance, or None."""
        return self._slot_of.get(instance_id)

    def coded(self, column: FleetColumn) -> CodedColumn:
        return self._coded[column]

    def numbers(self, column: FleetColumn) -> Sequence[float]:
        return self._numbers[column]

    def upsert(self, instances: Iterable[Instance]) -> set[int]:
        """Insert or replace by id. The slots that are new or differ from before."""
        touched: set[int] = set()
        for instance in instances:
            slot = self._slot_of.get(instance.id)
            if slot is None:
                touched.add(self._insert(instance))
            elif self._instances[slot] != instance:
                self._replace(slot, instance)
                touched.add(slot)
        return touched

    def _insert(self, instance: Instance) -> int:
        if self._free:
            slot = self._free.pop()
            self._slot_of[instance.id] = slot
            self._alive[slot] = 1
            self._fill(slot, instance)
        else:
            slot = len(self._instances)
            self._slot_of[instance.id] = slot
            self._instances.append(instance)
            self._alive.append(1)
            self._names.append(instance.name.lower())
            self._name_keys.append(natural_key(instance.name))
            for column, codes in self._coded.items():
                codes.append(coded_value(instance, column))
            for column, numbers in self._numbers.items():
                numbers.append(number_value(instance, column))
        self._disturb(slot)
        return slot

    def _disturb(self, slot: int) -> None:
        """The slot's place is wrong in every order that there is; a column never sorted by has none to repair."""
        for column in self._orders:
            self._dirty[column].add(slot)

    def _fill(self, slot: int, instance: Instance) -> None:
        self._instances[slot] = instance
        self._names[slot] = instance.name.lower()
        self._name_keys[slot] = natural_key(instance.name)
        for column, codes in self._coded.items():
            codes.set(slot, coded_value(instance, column))
        for column, numbers in self._numbers.items():
            numbers[slot] = number_value(instance, column)

    def _replace(self, slot: int, instance: Instance) -> None:
        before = self._instances[slot]
        self._instances[slot] = instance
        if before is None or before.name != instance.name:
            self._names[slot] = instance.name.lower()
            self._name_keys[slot] = natural_key(instance.name)
            self._disturb(slot)
        for column, codes in self._coded.items():
            if codes.set(slot, coded_value(instance, column)) and column in self._orders:
                self._dirty[column].add(slot)
        for column, numbers in self._numbers.items():
            value = number_value(instance, column)
            if numbers[slot] != value:
                numbers[slot] = value
                if column in self._orders:
                    self._dirty[column].add(slot)

    def remove(self, instance_ids: Iterable[str]) -> set[int]:
        """Forget instances; unknown ids are passed over. The slots that became free."""
        freed: set[int] = set()
        for instance_id in instance_ids:
            slot = self._slot_of.pop(instance_id, None)
            if slot is None:
                continue
            self._instances[slot] = None
            self._alive[slot] = 0
            self._free.append(slot)
            freed.add(slot)
            self._disturb(slot)
        return freed

    def order(self, column: FleetColumn) -> Sequence[int]:
        """Slots in use, ascending by `column`; equal ones by name when sorted anew."""
        dirty = self._dirty[column]
        order = self._orders.get(column)
        if order is not None and not dirty:
            return order
        if column is FleetColumn.NAME:
            order = self._sorted_by(self._name_keys.__getitem__, order, dirty, by_name=True)
        elif column.is_coded:
            order = self._sorted_by_code(self._coded[column])
        else:
            order = self._sorted_by(self._numbers[column].__getitem__, order, dirty, by_name=False)
        self._orders[column] = order
        dirty.clear()
        return order

    def _sorted_by(
        self, get: Callable[[int], _Key], order: list[int] | None, dirty: set[int], *, by_name: bool
    ) -> list[int]:
        if order is None or len(dirty) > len(self) // _REPAIR_SHARE:
            kept: list[int] = []
            fresh = list(compress(range(self.slots), self._alive)) if by_name else list(self.order(FleetColumn.NAME))
        else:
            kept = [slot for slot in order if slot not in dirty]
            fresh = [slot for slot in dirty if self._alive[slot]]
            fresh.sort(key=self._name_keys.__getitem__)
        fresh.sort(key=get)
        if not kept:
            return fresh
        # Two sorted runs: timsort finds and merges them.
        kept += fresh
        kept.sort(key=get)
        return kept

    def _sorted_by_code(self, codes: CodedColumn) -> list[int]:
        buckets: list[list[int]] = [[] for _ in codes.values]
        by_slot = codes.codes
        for slot in self.order(FleetColumn.NAME):
            buckets[by_slot[slot]].append(slot)
        ranked = sorted(range(len(buckets)), key=lambda code: natural_key(codes.values[code]))
        return [slot for code in ranked for slot in buckets[code]]

    def values_in_use(self, column: FleetColumn) -> list[str]:
        """Distinct values that some instance has, sorted."""
        codes = self._coded[column]
        used = set(compress(codes.codes, self._alive))
        return sorted((codes.values[code] for code in used), key=natural_key)

    def label_keys(self) -> list[str]:
        """Keys of all labels in use, sorted."""
        keys: set[str] = set()
        for text in self.values_in_use(FleetColumn.LABELS):
            keys.update(part.partition("=")[0] for part in text.split(", ") if part)
        return sorted(keys)

    def group_counts(self, mask: bytes, group: Callable[[str], str], column: FleetColumn) -> list[tuple[str, int]]:
        """How many rows of `mask` fall into each group, largest first; `group` names the group of a value."""
        codes = self._coded[column]
        counts: Counter[str] = Counter()
        for code, count in Counter(compress(codes.codes, mask)).items():
            counts[group(codes.values[code])] += count
        return sorted(counts.items(), key=lambda item: (-item[1], natural_key(item[0])))
