"""What a guest answers to `status`: names with values, taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from confvm_gui.domain.errors import GuestFault
from confvm_gui.engine.guests.mailbox import MailboxAnswer

_PAIR: Final = 2
_TRIPLE: Final = 3


@dataclass(frozen=True, slots=True)
class GuestStatus:
    """State of a built-in guest; of the heartbeat guest only `state` and `ticks` are told."""

    state: str
    """`reading`, `indexing`, `preparing`, `ready`; of the heartbeat guest `beating`."""
    values: Mapping[str, str] = field(repr=False)
    """All single values by name: `queries_per_second`, `index_ms`, `loss`, `accuracy`, `messages_ignored` …"""
    columns: tuple[str, ...] = field(repr=False)
    """Names of the records' columns, which answers to other questions have their fields in."""
    numeric: tuple[bool, ...] = ()
    weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """Of the last finished training, by column of the features; `bias` is among `values`."""

    @property
    def ready(self) -> bool:
        """Whether questions about records are answered."""
        return self.state == "ready"

    @property
    def trained(self) -> bool:
        return "accuracy" in self.values


def parse_status(answer: MailboxAnswer) -> GuestStatus:
    """Raises GuestFault if the answer is not one to `status`."""
    values: dict[str, str] = {}
    columns: dict[str, bool] = {}
    weights: dict[str, float] = {}
    for row in answer.rows:
        if len(row) == _PAIR:
            values[row[0]] = row[1]
        elif len(row) == _TRIPLE and row[0] == "column":
            columns[row[1]] = row[2] == "numeric"
        elif len(row) == _TRIPLE and row[0] == "weight":
            try:
                weights[row[1]] = float(row[2])
            except ValueError:
                raise GuestFault("The guest's status has a weight that is not a number") from None
        else:
            raise GuestFault("The guest's status does not have the form of one")
    if not answer.ok or "state" not in values:
        raise GuestFault("The guest's status does not say its state")
    return GuestStatus(
        values["state"], MappingProxyType(values), tuple(columns), tuple(columns.values()), MappingProxyType(weights)
    )
