"""`confvm run`: an embedded instance in the foreground, gone when the command ends."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import TextIO

from confvm_gui.app.bootstrap import check_data_dir, open_session
from confvm_gui.app.verify_command import print_verdict, verdict_to_mapping
from confvm_gui.catalog.fit import default_zone, is_library_image
from confvm_gui.domain.attestation import Verdict
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import ConfvmError, GuestFault, InvalidInput, NotFound, ReadOnly, WrongState
from confvm_gui.domain.event import Event
from confvm_gui.domain.instance import LaunchRequest, RecordsSpec
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.operation import Operation, OperationKind, OperationStatus
from confvm_gui.fleet.guest_ready import guest_ready
from confvm_gui.fleet.launch.plan import default_request
from confvm_gui.fleet.memory.needle import Pattern, text_patterns
from confvm_gui.fleet.memory.plaintext import PlaintextUse, record_plaintext
from confvm_gui.fleet.memory.search import SearchResult, search
from confvm_gui.fleet.records import inspect_records
from confvm_gui.fleet.session import FleetSession

_EMBEDDED = "embedded"
_INTERRUPTED = 130
_RECORDS_SECONDS = 60.0
"""How long past its time a run waits, before a search, for a guest that still reads its disk."""
_LAST_LINES_SECONDS = 5.0
_STEP_SECONDS = 120.0
"""Much longer than a step takes on a busy computer: one that is not done by then would never be."""


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
    attest: bool = False
    """Ask the running instance who vouches for it, and print the verdict."""


class _Report:
    """Prints what happens: JSON lines, or the console with short remarks on standard error.

    When nobody can read the output any more, `lost` tells why and `on_lost` is called, once.
    """

    def __init__(self, out: TextIO, *, as_json: bool, on_lost: Callable[[], None]) -> None:
        self._out = out
        self._as_json = as_json
        self._on_lost = on_lost
        self.lost: OSError | None = None

    def event(self, kind: str, plain: str, **values: object) -> None:
        if self._as_json:
            self._write(json.dumps({"event": kind, **values}, ensure_ascii=False) + "\n")
        elif plain:
            sys.stderr.write(f"confvm: {plain}\n")

    def console(self, data: bytes) -> None:
        text = data.decode(errors="replace")
        if self._as_json:
            self.event("console", "", text=text)
        else:
            self._write(text)

    def verdict(self, verdict: Verdict) -> None:
        """As `confvm verify` prints it."""
        if self._as_json:
            self.event("verdict", "", **verdict_to_mapping(verdict))
        else:
            lines = StringIO()
            print_verdict(verdict, lines)
            self._write(lines.getvalue())

    def _write(self, text: str) -> None:
        if self.lost is not None:
            return
        try:
            self._out.write(text)
            self._out.flush()
        except OSError as error:
            self.lost = error
            self._on_lost()


@dataclass(frozen=True, slots=True)
class _Found:
    """Places in each view."""

    guest: SearchResult
    hypervisor: SearchResult


async def run_instance(options: RunOptions, out: TextIO) -> int:
    """0 when it ran and was ended as asked, 1 when it failed or crashed, 130 when it was stopped before it ran.

    Raises InvalidInput, StoreError, ReadOnly, what a launch raises, GuestFault when a step takes for ever, and OSError
    when `out` cannot be written.
    """
    patterns = text_patterns(options.find) if options.find is not None else ()
    if options.records is not None:
        await inspect_records(options.records)
    with _on_signals() as stopped:
        report = _Report(out, as_json=options.as_json, on_lost=stopped.set)
        async with AsyncExitStack() as stack:
            data_dir, lasting = options.data_dir, options.data_dir is not None
            if data_dir is None:
                data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="confvm-run-")))
            session = await open_session(check_data_dir(data_dir), workers=1, lasting=lasting)
            stack.push_async_callback(session.aclose)
            code = await _run(options, session, report, patterns, stopped)
        if report.lost is not None:
            raise report.lost
        return code


async def _run(
    options: RunOptions, session: FleetSession, report: _Report, patterns: Sequence[Pattern], stopped: asyncio.Event
) -> int:
    if session.readonly:
        raise ReadOnly(session.readonly_reason)
    request = _request(options, session)
    async with in_time("Connecting to the embedded host"):
        await session.connect()
        await session.inventory.connected(_EMBEDDED)
    found: _Found | None = None
    with _told(session, report):
        operation = await _create(session, request, stopped)
        if operation.status is not OperationStatus.SUCCEEDED:
            report.event("failed", operation.error, error=operation.error)
            return _INTERRUPTED if stopped.is_set() else 1
        async with _console(session, operation.instance_id, report):
            verdict = await _attest(session, operation.instance_id, report) if options.attest else None
            ended = await _wait_for_end(session, operation, stopped, options.seconds)
            if options.find is not None and not ended:
                try:
                    if request.records is not None:
                        await _wait_for_records(session, operation.instance_id, stopped)
                    async with in_time("The search through the instance's memory"):
                        found = await _find(session, operation.instance_id, patterns)
                except WrongState as error:
                    ended = error.message  # it crashed at the last moment
                except GuestFault as error:
                    ended = error.message
                    report.event("failed", error.message, error=error.message)
            deletion = (await session.jobs.act(OperationKind.DELETE, [operation.instance_id]))[0]
            async with in_time("Deleting the instance"):
                deletion = await session.jobs.wait(deletion.id)
        if deletion.status is not OperationStatus.SUCCEEDED:
            report.event("failed", deletion.error, error=deletion.error)
    # What was asked for comes last, after all that is told of the instance's end.
    if verdict is not None:
        report.verdict(verdict)
    if found is not None:
        report.event(
            "search",
            f"the text is readable in {found.guest.count} places for the guest, "
            f"in {found.hypervisor.count} for the hypervisor",
            text=options.find,
            guest=found.guest.count,
            hypervisor=found.hypervisor.count,
            expected_by_chance=found.hypervisor.expected_by_chance,
        )
    vouched = verdict is not None and verdict.trusted if options.attest else True
    return 0 if vouched and not ended and deletion.status is OperationStatus.SUCCEEDED else 1


async def _attest(session: FleetSession, instance_id: str, report: _Report) -> Verdict | None:
    """A fresh verdict; None, and why, where there can be none."""
    try:
        async with in_time("Attesting the instance"):
            record = await session.attestations.refresh(instance_id)
    except ConfvmError as error:
        report.event("failed", error.message, error=error.message)
        return None
    return record.verdict


async def _create(session: FleetSession, request: LaunchRequest, stopped: asyncio.Event) -> Operation:
    """The outcome of the creation, which a signal cancels."""
    operation = await session.jobs.create(request)

    async def cancel() -> None:
        await stopped.wait()
        session.jobs.cancel(operation.id)

    cancelling = asyncio.ensure_future(cancel())
    try:
        async with in_time("Creating the instance"):
            return await session.jobs.wait(operation.id)
    finally:
        cancelling.cancel()


@asynccontextmanager
async def in_time(what: str) -> AsyncIterator[None]:
    """Nothing waits for ever: a command that never ends tells nobody what is wrong. Raises GuestFault."""
    try:
        async with asyncio.timeout(_STEP_SECONDS):
            yield
    except TimeoutError:
        raise GuestFault(f"{what} took more than {_STEP_SECONDS:.0f} seconds and was given up") from None


def _request(options: RunOptions, session: FleetSession) -> LaunchRequest:
    catalog = session.catalog
    technology = Technology(options.technology)
    request = default_request(catalog, _EMBEDDED, options.cloud, (), technology)
    with _named("region"):
        region = catalog.region(options.cloud, options.region or request.region)
    with _named("machine-type"):
        machine_type = catalog.machine_type(options.cloud, options.machine_type or request.machine_type)
    image = options.image or request.image
    if not is_library_image(image):
        with _named("image"):
            image = catalog.image(options.cloud, image).name
    return replace(
        request,
        name=options.name,
        region=region.name,
        zone=request.zone if region.name == request.region else default_zone(region, technology),
        machine_type=machine_type.name,
        image=image,
        technology=technology,
        records=RecordsSpec(options.records) if options.records is not None else None,
        min_cpu_platform="",
    )


@contextmanager
def _named(option: str) -> Iterator[None]:
    """What the catalogue does not have was typed wrongly."""
    try:
        yield
    except NotFound as error:
        raise InvalidInput(option, error.message) from error


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


async def _wait_for_records(session: FleetSession, instance_id: str, stopped: asyncio.Event) -> None:
    """Wait until the guest has unlocked its disk and read it, or a signal comes.

    Raises GuestFault if the guest takes too long: a search would take what it has not read for well hidden.
    """
    ready = asyncio.ensure_future(guest_ready(session, instance_id, seconds=_RECORDS_SECONDS))
    signalled = asyncio.ensure_future(stopped.wait())
    await asyncio.wait((ready, signalled), return_when=asyncio.FIRST_COMPLETED)
    for wait in (ready, signalled):
        wait.cancel()
    outcome, _ = await asyncio.gather(ready, signalled, return_exceptions=True)
    if isinstance(outcome, GuestFault):
        raise outcome
    # The search that follows tells why if the guest has ended meanwhile.


async def _find(session: FleetSession, instance_id: str, patterns: Sequence[Pattern]) -> _Found:
    guest = session.memory(instance_id, Viewer.GUEST)
    record_plaintext(
        session.events, session.inventory.get(instance_id), PlaintextUse.SEARCH, where=" by `confvm run --find`"
    )
    return _Found(
        guest=await search(guest, patterns),
        hypervisor=await search(session.memory(instance_id, Viewer.HYPERVISOR), patterns),
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
        # The stream ends with the instance; the last lines come before that.
        await asyncio.wait([task], timeout=_LAST_LINES_SECONDS)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


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
