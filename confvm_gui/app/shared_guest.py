"""The records guest on data of several owners, in the foreground: launched, asked for, handed its shares, asked."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from confvm_gui.app.run_command import in_time
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import GuestFault, InvalidInput, ReadOnly
from confvm_gui.domain.instance import RecordsSpec
from confvm_gui.domain.operation import OperationKind, OperationStatus
from confvm_gui.domain.query import Query
from confvm_gui.domain.sealed_set import SealedSet
from confvm_gui.domain.shared_data import Agreement, build_shared_disk
from confvm_gui.fleet.attest.evidence_files import read_file
from confvm_gui.fleet.guest_ready import guest_ready
from confvm_gui.fleet.launch.plan import default_request
from confvm_gui.fleet.records import SAMPLE_RECORDS
from confvm_gui.fleet.release.sharing import DataSharing
from confvm_gui.fleet.session import FleetSession
from confvm_gui.fleet.whole_file import write_whole

_EMBEDDED: Final = "embedded"
_LOOK_AGAIN_SECONDS: Final = 0.2
_MOST_RELEASE: Final = 8192

Tell = Callable[[dict[str, object], str], None]


@asynccontextmanager
async def running_guest(session: FleetSession, disk: Path | None) -> AsyncIterator[str]:
    """Id of an SEV-SNP instance with this disk, or with the sample's records; deleted at the end.

    Raises ReadOnly, and GuestFault with the reason.
    """
    if session.readonly:
        raise ReadOnly(session.readonly_reason)
    async with in_time("Connecting to the embedded host"):
        await session.connect()
        await session.inventory.connected(_EMBEDDED)
    taken = {instance.name for instance in session.inventory.all()}
    request = default_request(session.catalog, _EMBEDDED, taken_names=taken, technology=Technology.SEV_SNP)
    request = replace(
        request, technology=Technology.SEV_SNP, records=RecordsSpec(disk or SAMPLE_RECORDS), min_cpu_platform=""
    )
    created = await session.jobs.create(request)
    async with in_time("Creating the instance"):
        operation = await session.jobs.wait(created.id)
    if operation.status is not OperationStatus.SUCCEEDED:
        raise GuestFault(operation.error)
    try:
        yield operation.instance_id
    finally:
        (deletion,) = await session.jobs.act(OperationKind.DELETE, [operation.instance_id])
        async with in_time("Deleting the instance"):
            await session.jobs.wait(deletion.id)


async def serve(
    session: FleetSession,
    sharing: DataSharing,
    agreement: Agreement,
    sets: Sequence[SealedSet],
    *,
    nonces: Mapping[int, bytes],
    request: Path,
    releases: Sequence[Path],
    seconds: float,
    queries: Sequence[Query],
    told: Tell,
) -> int:
    """Run the guest until its answers are told. 0, or 1 where this console, itself an owner, does not trust it.

    `nonces` of the other owners, by number; `releases` are waited for. Raises InvalidInput, EvidenceRefused, and what
    `running_guest` and `DataSharing` raise.
    """
    agreement.require_approved()
    own = await sharing.owner_among(agreement.owners)
    others = set(range(len(agreement.owners))) - {own}
    if set(nonces) != others or len(releases) != len(others):
        raise InvalidInput("nonce", f"Give a nonce and a file for the release of each of {len(others)} other owners")
    if queries and own != agreement.asker:
        raise InvalidInput("count", f"Only {agreement.owners[agreement.asker].name} may ask the guest")
    with tempfile.TemporaryDirectory(prefix="confvm-share-") as folder:
        disk = Path(folder) / "shared.img"
        image = await asyncio.to_thread(build_shared_disk, agreement, sets)
        await asyncio.to_thread(disk.write_bytes, image)
        async with running_guest(session, disk) as instance_id:
            given = dict(nonces)
            if own is not None:
                given[own] = await sharing.nonce(agreement)
            asked = await sharing.request(agreement, instance_id, [given[each] for each in sorted(given)])
            found: list[bytes] = []
            if own is not None:
                release = await sharing.release(agreement, sets, asked)
                if not release.given:
                    told({"given": False, "reason": release.reason}, f"REFUSED by this console: {release.reason}")
                    return 1
                found.append(release.sealed)
            await asyncio.to_thread(write_whole, request, [asked.encode()])
            told({"request": str(request)}, f"{request}: for the other owners")
            found += await _released(releases, seconds)
            await sharing.hand_over(agreement, instance_id, found)
            told({"opened": True}, "The guest has opened the data of all owners.")
            if own == agreement.asker:
                await _ask(session, instance_id, queries, told)
    return 0


async def _released(paths: Sequence[Path], seconds: float) -> Sequence[bytes]:
    """What the others released, once all of it is there. Raises InvalidInput("releases")."""
    try:
        async with asyncio.timeout(seconds):
            missing = list(paths)
            while missing:
                missing = await asyncio.to_thread(_missing, missing)
                await asyncio.sleep(_LOOK_AGAIN_SECONDS if missing else 0)
    except TimeoutError:
        names = ", ".join(map(str, missing))
        raise InvalidInput("releases", f"{names} did not come within {seconds:.0f} seconds") from None
    return [await asyncio.to_thread(read_file, path, "releases", _MOST_RELEASE) for path in paths]


def _missing(paths: Sequence[Path]) -> list[Path]:
    return [path for path in paths if not path.exists()]


async def _ask(session: FleetSession, instance_id: str, queries: Sequence[Query], told: Tell) -> None:
    await guest_ready(session, instance_id)
    for query in queries:
        answer = await session.query(instance_id, query)
        text = f"{query.column} = {query.value}: {answer.count:,} rows"
        told({"column": query.column, "value": query.value, "count": answer.count}, text)
