"""`confvm run`: an embedded instance in the foreground, gone when the command ends."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from confvm_gui.app.bootstrap import check_data_dir, open_session
from confvm_gui.catalog.fit import default_zone
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput, NotFound, ReadOnly
from confvm_gui.domain.event import Event
from confvm_gui.domain.instance import LaunchRequest, RecordsSpec
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.operation import Operation, OperationKind, OperationStatus
from confvm_gui.fleet.launch.plan import default_request
from confvm_gui.fleet.memory.needle import Pattern, text_patterns
from confvm_gui.fleet.memory.search import search
from confvm_gui.fleet.session import FleetSession

_EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line said. None: not given."""

    name: str
    cloud: str
    region: str | None
    machine_type: str | None
    image: str | None
    technology: str
    records: Path | None
    seconds: float | None
    find: str | None
    as_json: bool
    data_dir: Path | None


class _Report:
    """Prints what happens: JSON lines, or the console with short remarks on standard error."""

    def __init__(self, out: TextIO, *, as_json: bool) -> None:
        self._out = out
        self._as_json = as_json

    def event(self, kind: str, plain: str, **values: object) -> None:
        if self._as_json:
            self._out.write(json.dumps({"event": kind, **values}, ensure_ascii=False) + "\n")
            self._out.flush()
        elif plain:
            sys.stderr.write(f"confvm: {plain}\n")

    def console(self, data: bytes) -> None:
        text = data.decode(errors="replace")
        if self._as_json:
            self.event("console", "", text=text)
        else:
            self._out.write(text)
            self._out.flush()


async def run_instance(options: RunOptions, out: TextIO) -> int:
    """0 when it ran and was ended as asked, 1 when it failed or crashed.

    Raises InvalidInput, StoreError, ReadOnly and what a launch raises.
    """
    report = _Report(out, as_json=options.as_json)
    patterns = text_patterns(options.find) if options.find is not None else ()
    async with AsyncExitStack() as stack:
        data_dir = options.data_dir
        if data_dir is None:
            data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="confvm-run-")))
        session = await open_session(check_data_dir(data_dir), workers=1)
        stack.push_async_callback(session.aclose)
        if session.readonly:
            raise ReadOnly(session.readonly_reason)
        request = _request(options, session)
        stopped = stack.enter_context(_on_signals())
        await session.connect()
        await session.inventory.connected(_EMBEDDED)
        stack.enter_context(_told(session, report))
        operation = await session.jobs.wait((await session.jobs.create(request)).id)
        if operation.status is not OperationStatus.SUCCEEDED:
            report.event("failed", operation.error, error=operation.error)
            return 1
        async with _console(session, operation.instance_id, report):
            ended = await _wait_for_end(session, operation, stopped, options.seconds)
            if options.find is not None and not ended:
                await _find(session, operation.instance_id, options.find, patterns, report)
        deletion = (await session.jobs.act(OperationKind.DELETE, [operation.instance_id]))[0]
        await session.jobs.wait(deletion.id)
        return 1 if ended else 0


def _request(options: RunOptions, session: FleetSession) -> LaunchRequest:
    catalog = session.catalog
    technology = Technology(options.technology)
    request = default_request(catalog, _EMBEDDED, options.cloud, (), technology)
    try:
        region = catalog.region(options.cloud, options.region or request.region)
        machine_type = catalog.machine_type(options.cloud, options.machine_type or request.machine_type)
        image = catalog.image(options.cloud, options.image or request.image)
    except NotFound as error:
        raise InvalidInput("catalogue", error.message) from error
    return replace(
        request,
        name=options.name,
        region=region.name,
        zone=request.zone if region.name == request.region else default_zone(region, technology),
        machine_type=machine_type.name,
        image=image.name,
        technology=technology,
        records=RecordsSpec(options.records) if options.records is not None else None,
        min_cpu_platform="",
    )


async def _wait_for_end(
    session: FleetSession, operation: Operation, stopped: asyncio.Event, seconds: float | None
) -> str:
    """Wait for the time, a signal or the guest's own end; return why the guest ended, or "" if it still runs."""
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def look() -> None:
        with suppress(NotFound):
            instance = session.inventory.get(operation.instance_id)
            if not instance.state.is_live and not instance.state.is_transitional and not ended.done():
                ended.set_result(instance.state_reason or instance.state.value)

    unsubscribe = session.inventory.changes.subscribe(lambda _: look())
    look()
    signalled = asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait((ended, signalled), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        unsubscribe()
        signalled.cancel()
    return ended.result() if ended.done() else ""


async def _find(
    session: FleetSession, instance_id: str, text: str, patterns: Sequence[Pattern], report: _Report
) -> None:
    counts = {viewer: await search(session.memory(instance_id, viewer), patterns) for viewer in Viewer}
    guest, hypervisor = counts[Viewer.GUEST], counts[Viewer.HYPERVISOR]
    report.event(
        "search",
        f"the text is readable in {guest.count} places for the guest, in {hypervisor.count} for the hypervisor",
        text=text,
        guest=guest.count,
        hypervisor=hypervisor.count,
        expected_by_chance=hypervisor.expected_by_chance,
    )


@contextmanager
def _told(session: FleetSession, report: _Report) -> Iterator[None]:
    """Report every operation's steps and every state of the instance."""
    seen: dict[str, int] = {}

    def on_operation(operation: Operation) -> None:
        for step in operation.steps[seen.get(operation.id, 0) :]:
            report.event("step", f"{step.name} {step.detail}".rstrip(), name=step.name, detail=step.detail)
        seen[operation.id] = len(operation.steps)

    def on_event(event: Event) -> None:
        of_instance = event.action.startswith("instance.")
        plain = event.message if of_instance else ""
        report.event("state" if of_instance else "log", plain, action=event.action, message=event.message)

    endings = (session.jobs.changes.subscribe(on_operation), session.events.changes.subscribe(on_event))
    try:
        yield
    finally:
        for end in endings:
            end()


@asynccontextmanager
async def _console(session: FleetSession, instance_id: str, report: _Report) -> AsyncIterator[None]:
    async def copy() -> None:
        async for data in session.console(instance_id).stream():
            report.console(data)

    task = asyncio.ensure_future(copy())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@contextmanager
def _on_signals() -> Iterator[asyncio.Event]:
    """An event that Ctrl-C and SIGTERM set, so that the instance is removed before the command ends."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    # asyncio hears no signals on Windows: Ctrl-C ends the command by KeyboardInterrupt there.
    numbers = () if sys.platform == "win32" else (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, stopped.set)
    try:
        yield stopped
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
