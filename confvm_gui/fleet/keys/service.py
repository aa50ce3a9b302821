"""Keys over all stores. Every use and every change of a key is an event; key bytes are never seen here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from confvm_gui.domain.approval import Approval
from confvm_gui.domain.errors import ConfvmError, InvalidInput, ReadOnly, Unsupported, WrongState
from confvm_gui.domain.event import EventOutcome, Severity
from confvm_gui.domain.keys import KeyInfo, KeyOperation, KeyState, KeyUse, using_keys_for
from confvm_gui.domain.ports.keystore import GovernsKeys, KeyStore
from confvm_gui.domain.ports.provider import HoldsWrappedKeys, Provider
from confvm_gui.domain.ports.repositories import BoundSecretRepository
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.approvals.service import Approvals
from confvm_gui.fleet.background import Background
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.keys.places import KeyPlaces
from confvm_gui.fleet.keys.rewrap import RewrapContext, Rewrapped
from confvm_gui.fleet.observable import Observable

USUAL_DELAY: Final = 30 * 86400.0
"""Seconds from asking for a destruction to it."""
LONGEST_DELAY: Final = 365 * 86400.0
BOUND_USE: Final = "secret"
"""`KeyUse.what` of a secret of the console's."""
_LONGEST_WAIT: Final = 3600.0
"""Seconds after which due destructions are looked for again: another console may have scheduled one."""


class KeyStores(Protocol):
    """All stores of a session, by scheme."""

    @property
    def schemes(self) -> tuple[str, ...]: ...

    def store(self, scheme: str) -> KeyStore:
        """Raises InvalidInput("disk_key") for a scheme that nobody serves."""


@dataclass(frozen=True, slots=True)
class KeyListing:
    """What there is."""

    keys: tuple[KeyInfo, ...]
    uses: tuple[KeyUse, ...]
    problems: Mapping[str, str]
    """By scheme, why a store could not be asked."""

    def uses_of(self, key_ref: str) -> tuple[KeyUse, ...]:
        return tuple(use for use in self.uses if use.key_ref == key_ref)


class Keys:
    """See the module. Methods that change something raise ReadOnly in a session that only reads."""

    def __init__(
        self, stores: KeyStores, providers: Mapping[str, Provider], events: EventFeed, *, readonly_reason: str = ""
    ) -> None:
        self.changes: Observable[str] = Observable()
        """The KeyRef of a key that was made or changed."""
        self.approvals: Approvals | None = None
        """Who may do what, and what needs two; None for no such limits."""
        self.secrets: BoundSecretRepository | None = None
        """What keys wrap beside disk keys; None where there is nothing of that."""
        self._stores = stores
        self._providers = providers
        self._events = events
        self._readonly_reason = readonly_reason
        self._background = Background()
        self.places: KeyPlaces | None = None
        """Where keys are looked for; None where that cannot be chosen."""

    @property
    def schemes(self) -> tuple[str, ...]:
        return self._stores.schemes

    def record_use(self, operation: KeyOperation) -> None:
        """Log one use of a key. Given to whoever routes uses to stores."""
        failed = bool(operation.problem)
        kept = "a disk key" if operation.instance_id else "a key or secret of the console"
        said = {"create": "looked for, and made if there was none", "wrap": f"used to wrap {kept}"}.get(
            operation.use, f"used to unwrap {kept}"
        )
        self._events.record(
            f"key.{operation.use}" + ("-refused" if failed else ""),
            f"{operation.key_ref} could not be used: {operation.problem}" if failed else f"{operation.key_ref} {said}",
            subject=operation.instance_id,
            severity=Severity.WARNING if failed else Severity.INFO,
            detail={"key": operation.key_ref},
            outcome=EventOutcome.FAILURE if failed else EventOutcome.SUCCESS,
        )

    # What there is --------------------------------------------------------------------------------------------------

    async def listing(self, *, without: Collection[str] = ()) -> KeyListing:
        """All keys of all stores, and whose disks they hold. A store that cannot be asked is told in `problems`.

        `without`: schemes of stores that are not asked, such as those that would ask a person again.
        """
        schemes = [scheme for scheme in self._stores.schemes if scheme not in without]
        answers = await asyncio.gather(*(self._keys_of(scheme) for scheme in schemes))
        keys: list[KeyInfo] = []
        problems: dict[str, str] = {}
        for scheme, answer in zip(schemes, answers, strict=True):
            if isinstance(answer, str):
                problems[scheme] = answer
            else:
                keys += answer
        uses = await self.uses()
        for key_ref in sorted({use.key_ref for use in uses} - {info.ref for info in keys}):
            scheme = _scheme(key_ref)
            known = problems.get(scheme, "This store was not asked" if scheme in without else "")
            keys.append(_unreachable(key_ref, known) if known else await self._elsewhere(key_ref))
        return KeyListing(tuple(keys), uses, problems)

    async def info(self, key_ref: str) -> KeyInfo:
        """Raises NotFound, KeyUnavailable, Unsupported, InvalidInput."""
        return await self._governor(key_ref).info(key_ref)

    async def uses(self, key_ref: str | None = None) -> tuple[KeyUse, ...]:
        """What `key_ref`, or any key, holds: instances of all providers that tell, and secrets. Raises StoreError."""
        found: list[KeyUse] = []
        for provider in tuple(self._providers.values()):
            if isinstance(provider, HoldsWrappedKeys):
                found += await provider.key_uses()
        if self.secrets is not None:
            found += [
                KeyUse(f"secret:{kept.kind.value}:{kept.name}", kept.name, kept.key_ref, BOUND_USE)
                for kept in await self.secrets.all()
                if kept.revoked_at is None
            ]
        return tuple(use for use in found if key_ref is None or use.key_ref == key_ref)

    # Changes --------------------------------------------------------------------------------------------------------

    async def create(self, key_ref: str) -> KeyInfo:
        """Make the key; one that exists stays as it is."""
        self._require_writable()
        await self._stores.store(_scheme(key_ref)).create(key_ref)
        return await self._changed("create", key_ref, "made", self._governor(key_ref).info(key_ref))

    async def rotate(self, key_ref: str) -> KeyInfo:
        """A new primary version; what older ones wrapped stays readable until it is wrapped anew or they end."""
        return await self._change("rotate", key_ref, "has a new version", lambda store: store.rotate(key_ref))

    async def disable(self, key_ref: str) -> KeyInfo:
        return await self._change("disable", key_ref, "disabled", lambda store: store.disable(key_ref))

    async def enable(self, key_ref: str) -> KeyInfo:
        return await self._change("enable", key_ref, "enabled", lambda store: store.enable(key_ref))

    async def restore(self, key_ref: str) -> KeyInfo:
        """Call the destruction off; the key is disabled then."""
        return await self._change("restore", key_ref, "is not destroyed", lambda store: store.restore(key_ref))

    async def destroy_approved(self, approval: Approval) -> None:
        """What two people want to be destroyed. Raises as `destroy` does."""
        after, lose = approval.intent.get("after_seconds"), approval.intent.get("lose")
        seconds = float(after) if isinstance(after, int | float) else USUAL_DELAY
        ids = [str(each) for each in lose] if isinstance(lose, list | tuple) else []
        await self.destroy(approval.subject, after_seconds=seconds, lose=ids, approved=True)

    async def destroy(
        self,
        key_ref: str,
        *,
        after_seconds: float = USUAL_DELAY,
        lose: Sequence[str] = (),
        approved: bool = False,
    ) -> KeyInfo:
        """Schedule the key's destruction; 0 for now.

        `lose`: ids of the uses of which the user knows that their data are lost with it (see `uses`). Raises
        WrongState with their names while the key holds others, and InvalidInput("after") for a time that is none.
        """
        self._require_writable(None if approved else Permission.MANAGE_KEYS)
        if not 0 <= after_seconds <= LONGEST_DELAY:
            raise InvalidInput("after", f"A key is destroyed now or within {LONGEST_DELAY / 86400:.0f} days")
        held = await self.uses(key_ref)
        unknown = [use for use in held if use.instance_id not in lose]
        if unknown:
            raise WrongState(f"{key_ref} holds {_would_be_lost(unknown)}, or agree to lose them")
        if self.approvals is not None and not approved:
            intent = {"after_seconds": after_seconds, "lose": sorted(lose)}
            await self.approvals.require("key.destroy", key_ref, f"Destroying {key_ref}", intent)
        scheduled = "is to be destroyed" if after_seconds else "destroyed"
        lost = [use.instance_name for use in held]
        return await self._change(
            "destroy",
            key_ref,
            scheduled + (f"; lost with it: the data of {', '.join(lost)}" if lost else ""),
            lambda store: store.destroy(key_ref, after_seconds=after_seconds),
            Severity.WARNING,
            {"after_seconds": after_seconds, "lost": lost},
        )

    async def rewrap(self, key_ref: str, to_ref: str = "", instance_ids: Sequence[str] | None = None) -> Rewrapped:
        """Wrap what `key_ref` holds under `to_ref`, by default under its own newest version.

        `instance_ids`: only of these. One that fails stays as it was and does not stop the others.
        """
        self._require_writable()
        target = to_ref or key_ref
        await self._governor(target).info(target)  # one message for a key that is not there, not one for each disk
        done: list[str] = []
        failed: dict[str, str] = {}
        for provider in tuple(self._providers.values()):
            if not isinstance(provider, HoldsWrappedKeys):
                continue
            for use in await provider.key_uses():
                if use.key_ref != key_ref or (instance_ids is not None and use.instance_id not in instance_ids):
                    continue
                try:
                    with using_keys_for(use.instance_id):
                        await provider.rewrap(use.instance_id, target, RewrapContext(use.instance_id))
                except ConfvmError as error:
                    failed[use.instance_name] = error.message
                else:
                    done.append(use.instance_name)
                self._tell_rewrapped(use, target, failed.get(use.instance_name, ""))
        self.changes.emit(target)
        return Rewrapped(tuple(done), failed)

    # Destructions that are due --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Look after scheduled destructions while the session is open."""
        if not self._readonly_reason:
            self._background.start(self._carry_out_due(), "scheduled destruction of keys")

    async def aclose(self) -> None:
        await self._background.aclose()

    async def _carry_out_due(self) -> None:
        before: dict[str, KeyState] = {}
        while True:
            keys: Sequence[KeyInfo] = ()
            with suppress(ConfvmError):  # tried again at the next turn, and told when somebody asks for the list
                store = self._stores.store("local")
                if isinstance(store, GovernsKeys):
                    keys = await store.keys()  # erases what is due
            for info in keys:
                if info.state is KeyState.DESTROYED and before.get(info.ref) is KeyState.DESTROY_SCHEDULED:
                    self._events.record("key.destroyed", f"{info.ref} was destroyed, as scheduled", actor="console")
                    self.changes.emit(info.ref)
            before = {info.ref: info.state for info in keys}
            now = time.time()
            due = [info.destroy_at - now for info in keys if info.destroy_at is not None]
            await asyncio.sleep(max(1.0, min([_LONGEST_WAIT, *due])))

    # Within ---------------------------------------------------------------------------------------------------------

    async def _keys_of(self, scheme: str) -> Sequence[KeyInfo] | str:
        try:
            store = self._stores.store(scheme)
            return await store.keys() if isinstance(store, GovernsKeys) else ()
        except ConfvmError as error:
            return error.message

    async def _elsewhere(self, key_ref: str) -> KeyInfo:
        """A key that holds disks and is in no store's list: in another region, in a token that is not plugged in."""
        try:
            return await self.info(key_ref)
        except ConfvmError as error:
            return _unreachable(key_ref, error.message)

    def _governor(self, key_ref: str) -> GovernsKeys:
        store = self._stores.store(_scheme(key_ref))
        if not isinstance(store, GovernsKeys):
            raise Unsupported(f"Keys of the kind {store.scheme}: cannot be listed or changed from here")
        return store

    async def _change(
        self,
        action: str,
        key_ref: str,
        said: str,
        work: Callable[[GovernsKeys], Awaitable[KeyInfo]],
        severity: Severity = Severity.INFO,
        detail: Mapping[str, object] | None = None,
    ) -> KeyInfo:
        self._require_writable()
        store = self._governor(key_ref)
        before: KeyInfo | None = None
        with suppress(ConfvmError):  # a store that cannot tell says so once more when it is asked for the change
            before = await store.info(key_ref)
        return await self._changed(action, key_ref, said, work(store), severity, detail, before)

    async def _changed(
        self,
        action: str,
        key_ref: str,
        said: str,
        work: Awaitable[KeyInfo],
        severity: Severity = Severity.INFO,
        detail: Mapping[str, object] | None = None,
        before: KeyInfo | None = None,
    ) -> KeyInfo:
        """Do it and log it, also where it fails."""
        try:
            info = await work
        except ConfvmError as error:
            self._events.record(
                f"key.{action}-refused",
                f"{key_ref}: {action} refused: {error.message}",
                severity=Severity.WARNING,
                detail={"key": key_ref},
                outcome=EventOutcome.FAILURE,
                before=_standing(before),
            )
            raise
        kept = {"key": key_ref, "state": info.state.value, "version": info.primary_version, **(detail or {})}
        self._events.record(
            f"key.{action}",
            f"{key_ref} {said}",
            severity=severity,
            detail=kept,
            before=_standing(before),
            after=_standing(info),
        )
        self.changes.emit(key_ref)
        return info

    def _tell_rewrapped(self, use: KeyUse, target: str, problem: str) -> None:
        self._events.record(
            "key.rewrap-refused" if problem else "key.rewrap",
            f"The {use.what} key of {use.instance_name} stays under {use.key_ref}: {problem}"
            if problem
            else f"The {use.what} key of {use.instance_name} is wrapped by {target}",
            subject=use.instance_id,
            severity=Severity.WARNING if problem else Severity.INFO,
            detail={"key": target},
            outcome=EventOutcome.FAILURE if problem else EventOutcome.SUCCESS,
            before=use.key_ref,
            after=use.key_ref if problem else target,
        )

    def _require_writable(self, permission: Permission | None = Permission.MANAGE_KEYS) -> None:
        if self._readonly_reason:
            raise ReadOnly(f"{self._readonly_reason}: no key can be changed from here")
        if self.approvals is not None and permission is not None:
            self.approvals.permit(permission)


def _standing(info: KeyInfo | None) -> dict[str, object] | None:
    """What of a key can change, for the audit log."""
    if info is None:
        return None
    return {
        "state": info.state.value,
        "versions": info.versions,
        "primary_version": info.primary_version,
        "destroy_at": info.destroy_at,
    }


def _unreachable(key_ref: str, reason: str) -> KeyInfo:
    return KeyInfo(key_ref, "not known", "not known", KeyState.UNREACHABLE, reason, 0, 0)


def _scheme(key_ref: str) -> str:
    return key_ref.partition(":")[0]


def _disks(count: int) -> str:
    return "disk" if count == 1 else "disks"


def _would_be_lost(uses: Sequence[KeyUse]) -> str:
    """What a key holds, and what to do before it ends."""
    disks = ", ".join(use.instance_name for use in uses if use.what != BOUND_USE)
    secrets = ", ".join(use.instance_name for use in uses if use.what == BOUND_USE)
    if not disks:
        return f"secrets ({secrets}), which would be lost for good. Bind them anew under another key first"
    count = sum(use.what != BOUND_USE for use in uses)
    beside = f" and secrets ({secrets})" if secrets else ""
    return (
        f"the {_disks(count)} of {disks}{beside}: their data would be lost for good. Wrap them under another key first"
    )
