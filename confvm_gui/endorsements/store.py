"""Endorsements from their publishers, behind a cache that can be seen, carried away, and used without a network."""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Final

from confvm_gui.domain.attestation import EndorsementKind, EndorsementNeed, Endorsements
from confvm_gui.domain.daemon_thread import in_daemon_thread
from confvm_gui.domain.errors import ConfvmError, InvalidInput, StoreError, Transient
from confvm_gui.domain.ports.endorsement_source import CacheEntry, EntryState
from confvm_gui.endorsements.cache import EndorsementFiles
from confvm_gui.endorsements.content import LARGEST, parse_content
from confvm_gui.endorsements.offline_bundle import LARGEST_BUNDLE, pack_endorsements, unpack_endorsements
from confvm_gui.endorsements.publishers import Address, check_address
from confvm_gui.endorsements.record import Record
from confvm_gui.endorsements.transport import Limits, Response, Transport
from confvm_gui.endorsements.waiting import DAY, LONGEST_WAIT, NOT_PUBLISHED_AGE, expiry, wait_after

__all__ = ["CacheEntry", "EndorsementStore", "EntryState"]

_ABSENT: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
"""KDS answers 400 for a chip id that it takes for none."""
_UNREACHABLE: Final = 10.0
"""Seconds for which a host that could not be reached is not tried again."""
_GRACE: Final = 10.0
"""Seconds that a request may take beyond its limits before it is given up."""
_NO_BASES: Final[Mapping[str, str]] = MappingProxyType({})


class EndorsementStore:
    """The EndorsementCache of a data directory. Used on one event loop; blocking work is done on threads.

    Each host is asked one thing at a time, and hosts do not wait for each other. What a host refuses holds for the
    whole host, also after a restart.
    """

    def __init__(
        self,
        folder: Path,
        *,
        online: bool = True,
        bases: Mapping[str, str] = _NO_BASES,
        ca_file: Path | None = None,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`folder` is made when something is kept. `bases`: `https://host` → another, such as a mirror of KDS;
        `ca_file`: PEM of the roots that are trusted instead of the system's; `clock`: seconds since the epoch."""
        self.online = online
        self._bases = bases
        self._clock = clock
        self._files = EndorsementFiles(folder)
        self._transport = Transport(ca_file, limits)
        self._hosts: dict[str, asyncio.Lock] = {}
        self._unreachable: dict[str, tuple[float, str]] = {}

    @property
    def notes(self) -> Sequence[str]:
        """What was dropped because it was damaged, and what could not be kept; the last ones, a sentence each."""
        return tuple(self._files.notes)

    async def fetch(self, needs: Sequence[EndorsementNeed]) -> Endorsements:
        """All of `needs` that can be had: from the cache, else from the publishers.

        Left out is what is not published, what has an address that is no publisher's, and all that is not there while
        `online` is False. Raises Transient if a publisher cannot be reached or asks to wait: what the others gave is
        kept by then, and `cached` has it. Raises InvalidInput("endorsements") if what one gave is malformed.
        """
        asked = [(need, address) for need in needs if (address := self._address(need)) is not None]
        found, missing = await asyncio.to_thread(self._look_up, asked)
        if missing and self.online:
            by_host: dict[str, list[tuple[EndorsementNeed, Address]]] = {}
            for need, address in missing:
                by_host.setdefault(address.host, []).append((need, address))
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._ask_host(host, items)) for host, items in by_host.items()]
            answers = [answer for task in tasks for answer in task.result()]
            _raise_problems([answer for answer in answers if isinstance(answer, ConfvmError)])
            found += [answer for answer in answers if isinstance(answer, Endorsements)]
        elif missing:
            found += await asyncio.to_thread(self._stale, missing)
        return _together(found)

    async def cached(self, needs: Sequence[EndorsementNeed]) -> Endorsements:
        """What is there of `needs`, fresh or not. Nothing is asked of anybody."""
        asked = [(need, address) for need in needs if (address := self._address(need)) is not None]
        return _together(await asyncio.to_thread(self._stale, asked))

    def entries(self) -> Sequence[CacheEntry]:
        """All that is remembered, by address. Reads only files that have changed since the last time."""
        now = self._clock()
        found: dict[str, CacheEntry] = {}
        for record in self._files.records():
            entry = _entry(record, now)
            if entry is None:
                continue
            other = found.get(entry.url)
            if other is not None and other.state is EntryState.WAITING:
                entry, other = other, entry
            if other is not None:  # it is there, and its host is left alone
                entry = CacheEntry(
                    entry.url, entry.kind, entry.state, entry.stored_at, entry.expires_at, entry.size or other.size
                )
            found[entry.url] = entry
        return sorted(found.values(), key=lambda entry: entry.url)

    def clear(self, urls: Collection[str] | None = None) -> int:
        """Forget these addresses, or all; how many were known. StoreError if the files cannot be removed."""
        known = {entry.url for entry in self.entries()}
        self._unreachable.clear()
        if urls is None:
            self._files.remove()
            return len(known)
        wanted = frozenset(urls)
        self._files.remove(lambda record: record.url in wanted)
        return len(known & wanted)

    async def export(self, path: Path) -> int:
        """Write all endorsements that are there as one zip; how many. InvalidInput("path") if it cannot be written."""
        return await asyncio.to_thread(self._export, path)

    async def add(self, path: Path) -> int:
        """Take over what a zip of `export` holds, if all of it is well-formed, but for what is there in no older form.

        How many were taken; InvalidInput("path") if it cannot be read or is malformed, StoreError if it cannot be kept.
        """
        return await asyncio.to_thread(self._add, path)

    def _address(self, need: EndorsementNeed) -> Address | None:
        try:
            return check_address(need.url)
        except InvalidInput as problem:
            self._files.notes.append(problem.message)
            return None

    def _look_up(
        self, asked: Sequence[tuple[EndorsementNeed, Address]]
    ) -> tuple[list[Endorsements], list[tuple[EndorsementNeed, Address]]]:
        """What the cache settles, by having it or by knowing that there is none; and the rest."""
        found: list[Endorsements] = []
        missing: list[tuple[EndorsementNeed, Address]] = []
        now = self._clock()
        for need, address in asked:
            known = self._files.get(address.url)
            if known is None or not known[0].is_fresh(now):
                missing.append((need, address))
            elif known[1] is not None:
                found.append(known[1].endorsements)
        return found, missing

    def _stale(self, asked: Sequence[tuple[EndorsementNeed, Address]]) -> list[Endorsements]:
        known = [self._files.get(address.url) for _, address in asked]
        return [item[1].endorsements for item in known if item is not None and item[1] is not None]

    async def _ask_host(
        self, host: str, asked: Sequence[tuple[EndorsementNeed, Address]]
    ) -> list[Endorsements | ConfvmError]:
        """One after the other; what was asked for by somebody else meanwhile is in the cache then."""
        answers: list[Endorsements | ConfvmError] = []
        async with self._hosts.setdefault(host, asyncio.Lock()):
            for need, address in asked:
                try:
                    async with asyncio.timeout(self._transport.limits.total + _GRACE):
                        answers += await in_daemon_thread("endorsements", partial(self._ask, need, address))
                except TimeoutError:  # headers that come byte by byte: no single wait of the connection ends it
                    answers.append(Transient(f"{address.publisher} ({host}) does not answer in time; try again later"))
                except (Transient, InvalidInput) as problem:
                    answers.append(problem)
        return answers

    def _ask(self, need: EndorsementNeed, address: Address, stop: threading.Event) -> list[Endorsements]:
        """On a thread. The endorsement, or nothing if there is none; Transient, InvalidInput("endorsements")."""
        found, missing = self._look_up([(need, address)])
        if not missing:
            return found
        attempts = self._require_open(address)
        response = self._request(need.kind, address, stop)
        now = self._clock()
        match response.status:
            case HTTPStatus.OK:
                chain = response.headers.get(need.chain_header.lower(), "") if need.chain_header else ""
                if need.chain_header and not chain:
                    raise InvalidInput("endorsements", f"{address.publisher} gave no issuers in {need.chain_header}")
                content = parse_content(need.kind, address.url, response.body, chain)
                until = expiry(need.kind, content, now)
                self._files.put(Record(address.url, need.kind, 200, now, until, response.body, chain))
                found = [content.endorsements]
            case status if status in _ABSENT:
                self._files.put(Record(address.url, need.kind, 404, now, now + NOT_PUBLISHED_AGE))
            case status:
                wait = wait_after(attempts + 1, response.headers.get("retry-after", ""), now)
                held = Record(address.url, need.kind, status, now, now + wait, attempts=attempts + 1)
                self._files.put_hold(address.host, held)
                self._unreachable[address.host] = now + wait, _please_wait(address, status, now + wait)
                raise Transient(_please_wait(address, status, now + wait))
        self._files.clear_hold(address.host)
        return found

    def _require_open(self, address: Address) -> int:
        """How many refusals in a row there were before; Transient while the host is to be left alone."""
        now = self._clock()
        until, why = self._unreachable.get(address.host, (0.0, ""))
        if now < until <= now + LONGEST_WAIT:
            raise Transient(why)
        hold = self._files.hold(address.host)
        if hold is None or hold.expires_at is None:
            return 0
        if now < hold.expires_at <= now + LONGEST_WAIT:
            raise Transient(_please_wait(address, hold.status, hold.expires_at))
        return hold.attempts if now - hold.expires_at < DAY else 0

    def _request(self, kind: EndorsementKind, address: Address, stop: threading.Event) -> Response:
        base = f"https://{address.host}"
        url = self._bases.get(base, base) + address.url[len(base) :]
        try:
            return self._transport.get(url, LARGEST[kind], address.publisher, stop)
        except Transient as problem:
            if not stop.is_set():
                self._unreachable[address.host] = self._clock() + _UNREACHABLE, str(problem)
            raise

    def _export(self, path: Path) -> int:
        known = [self._files.get(record.url) for record in list(self._files.records()) if record.present]
        records = [item[0] for item in known if item is not None]
        data = pack_endorsements(records)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            try:
                with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    file.write(data)
                draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)
        except (OSError, ValueError) as error:
            raise InvalidInput("path", f"{path} cannot be written: {_why(error)}") from error
        return len(records)

    def _add(self, path: Path) -> int:
        try:
            with path.open("rb") as file:
                data = file.read(LARGEST_BUNDLE + 1)
        except (OSError, ValueError) as error:
            raise InvalidInput("path", f"{path} cannot be read: {_why(error)}") from error
        taken = 0
        for record, content in unpack_endorsements(data, self._clock()):
            known = self._files.get(record.url)
            if known is None or known[1] is None or known[1].issued_at < content.issued_at:
                if not self._files.put(record):
                    raise StoreError(self._files.notes[-1])
                taken += 1
        return taken


def _entry(record: Record, now: float) -> CacheEntry | None:
    """None for what is remembered no longer."""
    if record.present:
        state = EntryState.FRESH if record.is_fresh(now) else EntryState.STALE
    elif not record.is_fresh(now):
        return None
    else:
        state = EntryState.NOT_PUBLISHED if record.status == HTTPStatus.NOT_FOUND else EntryState.WAITING
    return CacheEntry(record.url, record.kind, state, record.stored_at, record.expires_at, len(record.body))


def _together(found: Sequence[Endorsements]) -> Endorsements:
    """Each once: Intel's answers all bring the same issuers."""
    total = sum(found, Endorsements())
    return Endorsements(
        tuple(dict.fromkeys(total.certificates)),
        tuple(dict.fromkeys(total.crls)),
        tuple(dict.fromkeys(total.amd_certificates)),
        tuple(dict.fromkeys(total.documents)),
    )


def _raise_problems(problems: Sequence[ConfvmError]) -> None:
    """Malformed answers go first: waiting does not help against them."""
    for kind in (InvalidInput, Transient):
        texts = dict.fromkeys(problem.message for problem in problems if isinstance(problem, kind))
        if texts:
            text = "; ".join(texts)
            raise InvalidInput("endorsements", text) if kind is InvalidInput else Transient(text)


def _please_wait(address: Address, status: int, until: float) -> str:
    moment = f"{datetime.fromtimestamp(until, UTC):%Y-%m-%d %H:%M:%S} UTC"
    asks = "asks to wait" if status == HTTPStatus.TOO_MANY_REQUESTS else f"fails (HTTP {status})"
    return f"{address.publisher} ({address.host}) {asks}; it is asked again from {moment} on"


def _why(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "the path is not one"
