"""What the audit log is told of plaintext: the memory of a confidential instance as its guest sees it.

Whoever reads it for a person calls `record_plaintext` before it is shown or kept. A plain instance has no plaintext
that its host could not read anyway, so nothing is told of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from confvm_gui.domain.instance import Instance
from confvm_gui.domain.memory import Viewer
from confvm_gui.fleet.memory.session_access import EventRecorder


class PlaintextUse(Enum):
    """The second word of the action."""

    VIEW = "view-plaintext"
    SEARCH = "search-plaintext"
    SNAPSHOT = "snapshot-plaintext"


_SAID = {
    PlaintextUse.VIEW: "was opened",
    PlaintextUse.SEARCH: "was searched",
    PlaintextUse.SNAPSHOT: "was kept as a snapshot in the console's memory",
}


def record_plaintext(
    events: EventRecorder,
    instance: Instance,
    use: PlaintextUse,
    viewers: Iterable[Viewer] = (Viewer.GUEST,),
    *,
    where: str = "",
    detail: Mapping[str, object] | None = None,
) -> None:
    """Tell the log, if one of the `viewers` is the guest of a confidential instance. `where`: ` in the …`."""
    if instance.confidential and Viewer.GUEST in viewers:
        events.record(
            f"memory.{use.value}",
            f"The guest's view of {instance.name}, its memory in plaintext, {_SAID[use]}{where}",
            subject=instance.id,
            detail=detail,
        )
