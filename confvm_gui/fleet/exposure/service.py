"""Runs exposure scans, keeps each instance's last result in memory, and tells the audit log.

Neither events nor results hold a text that was searched for: labels and SHA-256 digests only.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence

from confvm_gui.domain.errors import Forbidden, Unsupported, WrongState
from confvm_gui.domain.event import Severity
from confvm_gui.domain.exposure import ExposureResult, Readability
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.ports.memory_source import DescribedMemory, MemorySource
from confvm_gui.fleet.exposure.scan import ExposureProgress, ViewProgress, pattern_search, scan_view
from confvm_gui.fleet.exposure.terms import Term
from confvm_gui.fleet.memory.plaintext import PlaintextUse, record_plaintext
from confvm_gui.fleet.memory.session_access import MemorySession
from confvm_gui.fleet.observable import Observable


async def scan_sources(
    instance: Instance,
    sources: Sequence[MemorySource],
    terms: Sequence[Term],
    on_progress: Callable[[ExposureProgress], None],
    keep: Callable[[ExposureResult], None],
) -> None:
    """Search all RAM of `instance`, one source for each view, and give the result to `keep`.

    When it is cancelled or fails on the way, `keep` is given what was found by then. Raises Transient, WrongState
    (the instance was stopped meanwhile), InvalidInput("pattern"), WorkerLost.
    """
    started_at = time.time()
    views: list[ViewProgress] = []
    complete = False
    try:
        async with pattern_search(terms) as (patterns, by_chance):
            for source in sources:
                view = ViewProgress(source.viewer)
                views.append(view)
                await scan_view(source, terms, patterns, by_chance, view, on_progress)
        complete = True
    finally:
        if any(view.searched for view in views) or complete:
            keep(_result(instance, started_at, complete, views, sources))


class Exposures:
    """Exposure scans of a session's instances. Used on the event loop."""

    def __init__(self, session: MemorySession) -> None:
        self.changes: Observable[ExposureResult] = Observable()
        self._session = session
        self._last: dict[str, ExposureResult] = {}

    def last(self, instance_id: str) -> ExposureResult | None:
        """The last result of this run of the console."""
        return self._last.get(instance_id)

    def viewers(self, instance_id: str) -> tuple[Viewer, ...]:
        """Which views can be searched now, the hypervisor's first. Raises NotFound, WrongState, Unsupported or
        Forbidden with the reason if none can."""
        found: list[Viewer] = []
        reasons: list[Unsupported | WrongState | Forbidden] = []
        for viewer in (Viewer.HYPERVISOR, Viewer.GUEST):
            try:
                self._session.memory(instance_id, viewer)
                found.append(viewer)
            except (Unsupported, WrongState, Forbidden) as error:
                reasons.append(error)
        if not found:
            raise reasons[0]
        return tuple(found)

    async def scan(
        self,
        instance_id: str,
        terms: Sequence[Term],
        viewers: Sequence[Viewer] = (Viewer.HYPERVISOR,),
        on_progress: Callable[[ExposureProgress], None] = lambda _: None,
    ) -> ExposureResult:
        """Search all RAM of the instance in `viewers` for `terms` (`terms.numbered`).

        When cancelled, what was found by then is kept as an incomplete result. Raises NotFound, Unsupported,
        WrongState (it does not run, or was stopped meanwhile), Transient, InvalidInput("pattern"), WorkerLost.
        """
        instance = self._session.inventory.get(instance_id)
        sources = [self._session.memory(instance_id, viewer) for viewer in viewers]
        record_plaintext(
            self._session.events, instance, PlaintextUse.SEARCH, viewers, where=", for texts that the host could read"
        )
        await scan_sources(instance, sources, terms, on_progress, self._keep)
        return self._last[instance_id]

    def _keep(self, result: ExposureResult) -> None:
        self._last[result.instance_id] = result
        readable = result.readable_by_host
        asked = len({(each.term.form, each.term.sha256) for each in result.exposures})
        confidential = result.technology.value != "none"
        words = (
            f"{len(readable)} of {asked} texts or patterns are readable by the host in the memory of "
            f"{result.instance_name}"
            if readable
            else f"None of {asked} texts or patterns was found readable by the host in the memory of "
            f"{result.instance_name}"
        )
        if not result.complete:
            words += "; the scan was not finished"
        self._session.events.record(
            "exposure.scan",
            words,
            subject=result.instance_id,
            severity=Severity.WARNING if readable and confidential else Severity.INFO,
            detail={
                "complete": result.complete,
                "terms": [
                    {
                        "label": each.term.label,
                        "form": each.term.form.value,
                        "sha256": each.term.sha256,
                        "view": each.viewer.value,
                        "count": each.count,
                        "readability": each.readability.value,
                    }
                    for each in result.exposures
                    if each.readability is not Readability.NOT_FOUND
                ],
            },
        )
        self.changes.emit(result)


def _result(
    instance: Instance,
    started_at: float,
    complete: bool,
    views: Sequence[ViewProgress],
    sources: Sequence[MemorySource],
) -> ExposureResult:
    notes = [source.note for source in sources if isinstance(source, DescribedMemory)]
    return ExposureResult(
        id=uuid.uuid4().hex,
        instance_id=instance.id,
        instance_name=instance.name,
        provider=instance.provider,
        technology=instance.technology,
        emulated=instance.emulated,
        started_at=started_at,
        complete=complete,
        scans=tuple(view.scan() for view in views),
        exposures=tuple(exposure for view in views for exposure in view.exposures()),
        note=" ".join(dict.fromkeys(note for note in notes if note)),
    )
