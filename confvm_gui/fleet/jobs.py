"""Jobs: every change of an instance as an operation, from the intent on disk to its outcome.

An operation is committed to the store before it begins, runs at most once at a time for each instance, in the order
of acceptance, is tried again with growing pauses where trying again can help, and can be cancelled as long as its
provider can turn back. What a crash left unfinished is taken up at the next start: done to its end, or undone and
reported. Providers are idempotent by the operation's id, so nothing is done twice.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from confvm_gui.catalog import Catalog
from confvm_gui.catalog.fit import request_problems
from confvm_gui.domain.errors import (
    ConfvmError,
    InvalidInput,
    NameTaken,
    NotFound,
    OperationCancelled,
    ReadOnly,
    Transient,
    Unsupported,
    WrongState,
)
from confvm_gui.domain.instance import Instance, LaunchRequest, check_labels, check_name
from confvm_gui.domain.operation import Operation, OperationKind, OperationStatus, OperationStep
from confvm_gui.domain.ports.provider import CanClone, CanMigrate, HasSnapshots, Provider
from confvm_gui.domain.ports.repositories import OperationRepository
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet import job_kinds
from confvm_gui.fleet.approvals.service import Approvals
from confvm_gui.fleet.background import Background
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.inventory import Inventory
from confvm_gui.fleet.job_context import Allow, Approve, Copy, JobContext, allow_all, refuse_all
from confvm_gui.fleet.job_kinds import SNAPSHOT_KINDS, TOLD_MORE, UNDONE, perform_optional, require_possible
from confvm_gui.fleet.job_log import JobLog
from confvm_gui.fleet.launch.request_file import request_from_mapping, request_to_mapping
from confvm_gui.fleet.observable import Observable

logger: Final = logging.getLogger(__name__)

ATTEMPTS: Final = 4
RETRY_PAUSE: Final = 0.5
"""Seconds before the second attempt; doubles, with up to half of it added at random."""
CONCURRENT: Final = 8
"""Operations of one provider that run at the same time."""
_jitter: Final = random.SystemRandom()
_SHOWN: Final = 500
"""Finished operations that `recent` tells."""
_KEPT: Final = 5000
"""Finished operations kept in memory, for whoever waits for one only after it has ended."""


class Jobs:
    """Accepts operations and runs them."""

    def __init__(
        self,
        catalog: Catalog,
        providers: Mapping[str, Provider],
        inventory: Inventory,
        repository: OperationRepository,
        events: EventFeed,
        *,
        readonly_reason: str,
        approve: Approve = refuse_all,
        allow: Allow = allow_all,
        retry_pause: float = RETRY_PAUSE,
    ) -> None:
        self.changes: Observable[Operation] = Observable()
        self.approvals: Approvals | None = None  # who may do what, and what needs two; None for no such limits
        self._catalog = catalog
        self._providers = providers
        self._inventory = inventory
        self._repository = repository
        self._log = JobLog(events, inventory)
        self._readonly_reason = readonly_reason
        self._approve = approve
        self._allow = allow
        self._retry_pause = retry_pause
        self._operations: dict[str, Operation] = {}
        self._contexts: dict[str, JobContext] = {}
        self._tasks: dict[str, asyncio.Task[object]] = {}
        self._outcomes: dict[str, asyncio.Future[Operation]] = {}
        self._instance_locks: dict[str, asyncio.Lock] = {}
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._background = Background()

    # What there is --------------------------------------------------------------------------------------------------

    def active(self) -> Sequence[Operation]:
        """Accepted and not final, oldest first."""
        return tuple(operation for operation in self._operations.values() if not operation.status.is_final)

    def recent(self) -> Sequence[Operation]:
        """All that are active and the last 500 that have ended, newest first."""
        found: list[Operation] = []
        ended = 0
        for operation in reversed(self._operations.values()):
            ended += operation.status.is_final
            if ended <= _SHOWN or not operation.status.is_final:
                found.append(operation)
        return tuple(found)

    def get(self, operation_id: str) -> Operation:
        """Raises NotFound."""
        if operation_id not in self._operations:
            raise NotFound("This operation is not known any more")
        return self._operations[operation_id]

    async def load(self) -> None:
        """Show the operations of earlier runs."""
        for operation in reversed(await self._repository.recent(_SHOWN)):
            if operation.status.is_final:
                self._operations[operation.id] = operation

    # Accepting ------------------------------------------------------------------------------------------------------

    async def create(self, request: LaunchRequest) -> Operation:
        """Accept the creation of an instance.

        Raises InvalidInput with the field, NameTaken, PolicyDenied, ReadOnly, StoreError. When it returns, the intent
        is on disk.
        """
        self._require_writable()
        provider = self._providers.get(request.provider)
        if provider is None:
            raise InvalidInput("provider", f"There is no provider named {request.provider!r}")
        check_name(request.name)
        check_labels(request.labels)
        if unfit := provider.reason_unsupported(request.technology):
            raise InvalidInput("technology", unfit)
        for problem in request_problems(self._catalog, request):
            raise problem
        self._require_free_name(request.provider, request.name)
        await self._allow(request)
        self._require_free_name(request.provider, request.name)  # again: the rules took a while
        if request.records is not None:
            # A console that takes this up again may have been started from another folder.
            request = replace(request, records=replace(request.records, path=request.records.path.absolute()))
        told = request_to_mapping(request)
        return await self._one(OperationKind.CREATE, request.provider, uuid.uuid4().hex, request.name, told)

    async def act(
        self, kind: OperationKind, instance_ids: Sequence[str], *, approved: bool = False
    ) -> Sequence[Operation]:
        """Accept `kind` for each of the instances; what needs to be told more has a method of its own.

        Raises WrongState or Unsupported, and accepts none, if one of them cannot be asked for that; Forbidden, or
        NeedsApproval once that is asked for, unless somebody else `approved` it.
        """
        approvals = None if approved else self.approvals
        self._require_writable(None if approved else job_kinds.permission_for(kind))
        if kind in TOLD_MORE:
            raise InvalidInput(*TOLD_MORE[kind])
        operations = []
        for instance in [self._inventory.get(instance_id) for instance_id in dict.fromkeys(instance_ids)]:
            require_possible(kind, instance, self._providers[instance.provider])
            operations.append(self._new(kind, instance.provider, instance.id, instance.name, {}))
        if kind is OperationKind.DELETE and approvals is not None:
            await approvals.require_deletions(operations)
        await self._accept(operations)
        return operations

    async def migrate(self, instance_id: str, host: str) -> Operation:
        """Accept the migration of a running instance to another host of its provider (HostInfo.name).

        Raises NotFound, WrongState, Unsupported with the reason, InvalidInput("host"), ReadOnly, StoreError.
        """
        instance, provider = self._asked(OperationKind.MIGRATE, instance_id)
        assert isinstance(provider, CanMigrate)
        if unfit := provider.migration_unfit(instance_id):
            raise Unsupported(unfit)
        hosts = [known.name for known in provider.hosts()]
        if host not in hosts:
            raise InvalidInput("host", f"There is no host {host!r}; there are {', '.join(hosts) or 'none'}")
        if host == instance.host:
            raise InvalidInput("host", f"{instance.name} runs on {host} already; choose another host")
        return await self._one(OperationKind.MIGRATE, instance.provider, instance.id, instance.name, {"host": host})

    async def snapshot(self, kind: OperationKind, instance_id: str, name: str) -> Operation:
        """Accept the taking of a snapshot, the return to it or its deletion (SNAPSHOT_KINDS).

        Raises NotFound, WrongState, Unsupported with the reason, InvalidInput("snapshot"), ReadOnly, StoreError.
        """
        if kind not in SNAPSHOT_KINDS or not name:
            raise InvalidInput("snapshot", "Give the snapshot a name")
        instance, provider = self._asked(kind, instance_id)
        assert isinstance(provider, HasSnapshots)
        if kind is OperationKind.SNAPSHOT and (unfit := await provider.snapshot_unfit(instance_id)):
            raise Unsupported(unfit)
        return await self._one(kind, instance.provider, instance.id, instance.name, {"snapshot": name})

    async def clone(self, instance_id: str, name: str) -> Operation:
        """Accept the copying of an instance that is off, as another one named `name`.

        Raises NotFound, WrongState, Unsupported with the reason, InvalidInput, NameTaken, PolicyDenied, ReadOnly.
        """
        instance, provider = self._asked(OperationKind.CLONE, instance_id)
        assert isinstance(provider, CanClone)
        check_name(name)
        self._require_free_name(instance.provider, name)
        if unfit := await provider.clone_unfit(instance_id):
            raise Unsupported(unfit)
        await self._allow(Copy(instance, name))
        self._require_free_name(instance.provider, name)  # again: these took a while
        return await self._one(OperationKind.CLONE, instance.provider, uuid.uuid4().hex, name, {"source": instance.id})

    async def retry(self, operation_id: str) -> Operation:
        """Accept a failed, cancelled or rolled back operation anew, under a new id."""
        self._require_writable()
        old = self.get(operation_id)
        if not old.status.is_final or old.status is OperationStatus.SUCCEEDED:
            raise WrongState("Only an operation that failed or was cancelled can be tried again")
        told = {key: str(value) for key, value in old.intent.items()}
        match old.kind:
            case OperationKind.CREATE:
                return await self.create(request_from_mapping(old.intent))
            case OperationKind.MIGRATE:
                return await self.migrate(old.instance_id, told["host"])
            case OperationKind.CLONE:
                return await self.clone(told["source"], old.instance_name)
        if old.kind in SNAPSHOT_KINDS:
            return await self.snapshot(old.kind, old.instance_id, told["snapshot"])
        return (await self.act(old.kind, [old.instance_id]))[0]

    def cancel(self, operation_id: str) -> None:
        """Ask the operation to turn back. It may be too late: its outcome tells. Raises NotFound, Forbidden."""
        operation = self.get(operation_id)
        context = self._contexts.get(operation_id)
        if context is None:
            return  # final, or not on disk yet
        self._require_writable()
        if not context.cancel_asked.is_set():
            self._log.cancel_asked(operation)
        context.cancel_asked.set()
        # What an earlier run began may have left something: its provider is told at the first step, and undoes that.
        if operation.status is OperationStatus.PENDING and not context.resumed:
            self._tasks[operation_id].cancel()
            self._end(operation_id, OperationStatus.CANCELLED, "Cancelled before it began")

    async def wait(self, operation_id: str) -> Operation:
        """Wait for the outcome. Raises NotFound."""
        outcome = self._outcomes.get(operation_id)
        return self.get(operation_id) if outcome is None else await asyncio.shield(outcome)

    # After a crash --------------------------------------------------------------------------------------------------

    async def take_up_unfinished(self, provider: str | None = None) -> Sequence[Operation]:
        """Go on with what an earlier run accepted and did not finish; with `provider` only with what is that one's."""
        if self._readonly_reason:
            return ()
        unfinished = [
            operation
            for operation in await self._repository.unfinished()
            if provider in (None, operation.provider) and operation.id not in self._contexts
        ]
        for operation in unfinished:
            known = operation.provider in self._providers
            self._log.interrupted(operation, resumed=known)
            if known:
                self._begin(replace(operation, status=OperationStatus.PENDING), resumed=True)
        return [operation for operation in unfinished if operation.provider in self._providers]

    def require_idle(self, provider: str) -> None:
        """Raises WrongState while operations of this provider are under way."""
        busy = [operation for operation in self.active() if operation.provider == provider]
        if busy:
            raise WrongState(
                f"{busy[0].kind.value} of {busy[0].instance_name} is under way there: wait for its end, or cancel it"
            )

    async def aclose(self) -> None:
        """Leave what runs: it is on disk and will be taken up at the next start."""
        await self._background.aclose()

    # Inside ---------------------------------------------------------------------------------------------------------

    def _new(
        self, kind: OperationKind, provider: str, instance_id: str, name: str, intent: Mapping[str, object]
    ) -> Operation:
        return Operation(
            id=uuid.uuid4().hex,
            kind=kind,
            provider=provider,
            instance_id=instance_id,
            instance_name=name,
            status=OperationStatus.PENDING,
            accepted_at=time.time(),
            intent=intent,
        )

    def _asked(self, kind: OperationKind, instance_id: str) -> tuple[Instance, Provider]:
        self._require_writable()
        instance = self._inventory.get(instance_id)
        require_possible(kind, instance, self._providers[instance.provider])
        return instance, self._providers[instance.provider]

    async def _one(
        self, kind: OperationKind, provider: str, instance_id: str, name: str, intent: Mapping[str, object]
    ) -> Operation:
        operation = self._new(kind, provider, instance_id, name, intent)
        await self._accept([operation])
        return operation

    async def _accept(self, operations: Sequence[Operation]) -> None:
        self._operations |= {operation.id: operation for operation in operations}  # so that a name is taken at once
        try:
            await self._repository.accept(operations)
        except BaseException:  # whatever it was, cancelled too, the names are free again
            for operation in operations:
                del self._operations[operation.id]
            raise
        for operation in operations:
            self._log.accepted(operation)
            self._begin(operation, resumed=False)

    def _begin(self, operation: Operation, *, resumed: bool) -> None:
        self._operations[operation.id] = operation
        self._outcomes[operation.id] = asyncio.get_running_loop().create_future()
        self._contexts[operation.id] = JobContext(
            operation,
            lambda name, progress, detail: self._on_step(operation.id, name, progress, detail),
            approve=self._approve,
            launched=self._launched,
            resumed=resumed,
        )
        self.changes.emit(operation)
        self._tasks[operation.id] = self._background.start(
            self._run(operation.id), f"{operation.kind.value} {operation.instance_name}"
        )

    async def _run(self, operation_id: str) -> None:
        operation = self._operations[operation_id]
        context = self._contexts[operation_id]
        lock = self._instance_locks.setdefault(operation.instance_id, asyncio.Lock())
        try:
            async with lock, self._slots.setdefault(operation.provider, asyncio.Semaphore(CONCURRENT)):
                self._change(replace(self._operations[operation_id], status=OperationStatus.RUNNING))
                await self._attempt(operation_id, context)
            self._end(operation_id, OperationStatus.SUCCEEDED)
        except OperationCancelled as error:
            await self._give_up(operation_id, OperationStatus.CANCELLED, error.message)
        except ConfvmError as error:
            await self._give_up(operation_id, OperationStatus.FAILED, error.message)
        except Exception:  # a bug of ours ends the operation with a report instead of leaving it to run for ever
            logger.exception("The operation %s of %s met a bug", operation.kind.value, operation.instance_name)
            message = "An internal error stopped it; see the log, and report it"
            await self._give_up(operation_id, OperationStatus.FAILED, message)

    async def _attempt(self, operation_id: str, context: JobContext) -> None:
        pause = self._retry_pause
        for attempt in range(1, ATTEMPTS + 1):
            self._change(replace(self._operations[operation_id], attempts=attempt))
            try:
                await self._perform(self._operations[operation_id], context)
            except Transient as error:
                if attempt == ATTEMPTS:
                    raise
                self._on_step(operation_id, "waiting to try again", 0.0, error.message)
                with suppress(TimeoutError):
                    # Who cancels need not wait for the pause: the next attempt ends at its first step.
                    await asyncio.wait_for(context.cancel_asked.wait(), pause * _jitter.uniform(1, 1.5))
                pause *= 2
            else:
                return

    async def _perform(self, operation: Operation, context: JobContext) -> None:
        provider = self._providers[operation.provider]
        instance: Instance | None = None
        match operation.kind:
            case OperationKind.CREATE | OperationKind.START | OperationKind.RESET:
                instance = await self._power_on(provider, operation, context)
            case OperationKind.STOP:
                instance = await provider.stop(operation.instance_id, context)
            case OperationKind.DELETE:
                await provider.delete(operation.instance_id, context)
                self._inventory.forget(operation.instance_id)
            case _:
                instance = await perform_optional(provider, operation, context)
        if instance is not None:
            self._inventory.observe(instance)

    async def _power_on(self, provider: Provider, operation: Operation, context: JobContext) -> Instance:
        began = time.time()
        self._inventory.power_on_begins(operation.instance_id)
        match operation.kind:
            case OperationKind.CREATE:
                instance = await provider.create(request_from_mapping(operation.intent), context)
            case OperationKind.RESET:
                instance = await provider.reset(operation.instance_id, context)
            case _:
                instance = await provider.start(operation.instance_id, context)
        if not context.resumed:  # one that was taken up may only have confirmed what ran already
            self._inventory.restarted(operation.instance_id, began)
        return instance

    async def _launched(self, instance_id: str) -> LaunchRequest | None:
        creation = await self._repository.creation(instance_id)
        return request_from_mapping(creation.intent) if creation is not None else None

    async def _give_up(self, operation_id: str, status: OperationStatus, error: str) -> None:
        """End an operation that did not succeed. Of a creation or a copy nothing stays behind.

        A migration that a crash interrupted is undone by that: the instance ended with its console, or never left.
        """
        operation = self._operations[operation_id]
        resumed = self._contexts[operation_id].resumed and status is OperationStatus.FAILED
        if resumed and (operation.kind in UNDONE or operation.kind is OperationKind.MIGRATE):
            status = OperationStatus.ROLLED_BACK
        if operation.kind in UNDONE:
            await self._undo(operation)
        self._end(operation_id, status, error)

    async def _undo(self, operation: Operation) -> None:
        # A context of its own: undoing cannot be cancelled, and its steps are not the operation's.
        context = JobContext(operation, lambda *_: None, approve=None, launched=self._launched)
        try:
            await self._providers[operation.provider].delete(operation.instance_id, context)
        except ConfvmError as error:
            self._log.undo_failed(operation, error.message)
        else:
            self._inventory.forget(operation.instance_id)

    def _on_step(self, operation_id: str, name: str, progress: float, detail: str) -> None:
        operation = self._operations[operation_id]
        step = OperationStep(name, time.time(), detail)
        self._change(replace(operation, steps=(*operation.steps, step), progress=progress))

    def _end(self, operation_id: str, status: OperationStatus, error: str = "") -> None:
        done = status is OperationStatus.SUCCEEDED
        before = self._operations[operation_id]
        progress = 1.0 if done else before.progress
        operation = self._change(replace(before, status=status, error=error, ended_at=time.time(), progress=progress))
        self._log.ended(operation)
        self._contexts.pop(operation_id, None)
        self._tasks.pop(operation_id, None)
        self._outcomes.pop(operation_id).set_result(operation)
        self._drop_old()

    def _change(self, operation: Operation) -> Operation:
        self._operations[operation.id] = operation
        self._repository.update(operation)
        self.changes.emit(operation)
        return operation

    def _drop_old(self) -> None:
        if len(self._operations) > _KEPT:
            final = [key for key, operation in self._operations.items() if operation.status.is_final]
            for key in final[: max(len(final) - _KEPT, 0)]:
                instance_id = self._operations.pop(key).instance_id
                lock = self._instance_locks.get(instance_id)
                if lock is not None and not lock.locked():
                    del self._instance_locks[instance_id]

    # Checks ---------------------------------------------------------------------------------------------------------

    def _require_writable(self, permission: Permission | None = Permission.OPERATE) -> None:
        if self._readonly_reason:
            raise ReadOnly(self._readonly_reason)
        if self.approvals is not None and permission is not None:
            self.approvals.permit(permission)

    def _require_free_name(self, provider: str, name: str) -> None:
        taken = any(
            operation.kind in UNDONE and operation.provider == provider and operation.instance_name == name
            for operation in self.active()
        )
        if not taken:
            try:
                self._inventory.find(name, provider)
            except NotFound:
                return
        raise NameTaken("name", f"There is already an instance named {name!r}; choose another name")
