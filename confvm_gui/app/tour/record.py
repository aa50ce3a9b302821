"""What the tour saw, as `tour.json` tells it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from confvm_gui.domain.event import Event
from confvm_gui.domain.instance import Instance


@dataclass(slots=True)
class Search:
    """Places in which the text was found, as each side sees the memory."""

    text: str
    guest: int
    hypervisor: int


@dataclass(slots=True)
class Seen:
    """One instance."""

    name: str
    confidential: bool
    technology: str
    states: list[str] = field(default_factory=list)
    search: Search | None = None


@dataclass(slots=True)
class Attested:
    """A verdict, as the Attestation tab showed it."""

    name: str
    host: str
    by: str
    """Who gave the evidence."""
    format: str
    trusted: bool
    emulated: bool
    """Its root is emulated: it proves nothing about hardware."""
    claims: int
    errors: int
    warnings: int


@dataclass(slots=True)
class Migration:
    """A running instance that moved."""

    name: str
    source: str
    target: str
    """Names of the hosts."""
    seconds: float
    search: Search
    """On the new host."""


@dataclass(slots=True)
class Bundle:
    """An exported evidence bundle, verified again from its file."""

    file: str
    bytes: int
    format: str
    trusted: bool
    emulated: bool


@dataclass(slots=True)
class Record:
    """The whole tour."""

    instances: dict[str, Seen] = field(default_factory=dict)
    """By instance id."""
    attestations: list[Attested] = field(default_factory=list)
    migration: Migration | None = None
    bundle: Bundle | None = None
    screenshots: list[str] = field(default_factory=list)
    seconds_to_running: float = 0.0
    seconds: float = 0.0
    longest_stall_ms: float = 0.0
    """The longest that the GUI thread kept an event waiting."""
    stalls_over_50_ms: int = 0
    longest_delay_ms: float = 0.0
    """The longest that an event waited, with the time in which the thread was ready and had no CPU."""
    stalls: list[dict[str, object]] = field(default_factory=list)

    def add(self, instance: Instance) -> Seen:
        """Begin to record an instance."""
        seen = self.instances.setdefault(
            instance.id, Seen(instance.name, instance.confidential, instance.technology.value)
        )
        seen.name = instance.name
        return seen

    def write(self, path: Path) -> None:
        values = asdict(self)
        values["instances"] = list(values["instances"].values())
        path.write_text(json.dumps(values, ensure_ascii=False, indent=1), encoding="utf-8")


class StateRecorder:
    """Notes every state that an instance goes through, from the events, which miss none."""

    def __init__(self) -> None:
        self._states: dict[str, list[str]] = {}

    def on_event(self, event: Event) -> None:
        kind, _, state = event.action.partition(".")
        if kind == "instance" and event.subject:
            self._states.setdefault(event.subject, []).append(state)

    def states(self, instance_id: str) -> list[str]:
        return self._states.get(instance_id, [])
