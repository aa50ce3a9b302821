"""`audit`: a signed log verified, against the same number of SHA-256 digests of the same texts with bare `hashlib`.

Measured: the verification of `confvm audit verify`, chain and signatures, from the database. Reference: the canonical
texts ready-made in memory, each hashed once, in order: the least that a verification can do.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from confvm_gui.app.bench.figure import Figure, Judged, Rounds, Target, duration
from confvm_gui.domain.errors import BugError
from confvm_gui.fleet.audit.anchor import AnchorFile
from confvm_gui.fleet.audit.checkpoints import EVERY, Checkpointer
from confvm_gui.fleet.audit.verification import verify_log
from confvm_gui.fleet.events import EventFeed
from confvm_gui.keys.local.signer import LocalSigner
from confvm_gui.store import open_store

RECORDS: Final = 100_000
ROUNDS: Final = 5
_TEXT_BYTES: Final = 480
TARGET: Final = Target(Judged.RATIO, 25.0, at_least=False)


def measure(records: int = RECORDS, rounds: int = ROUNDS) -> Figure:
    """Must be called where no event loop runs. Raises StoreError if the temporary folder has no room."""
    with tempfile.TemporaryDirectory(prefix="confvm-bench-") as folder:
        root = Path(folder)
        found = asyncio.run(_rounds(root / "data", AnchorFile(root / "data", root / "anchors"), records, rounds))
    return duration(
        "audit",
        f"{records:,} records of the audit log verified, chain and signatures of every {EVERY}",
        "hashlib's SHA-256 of as many ready-made texts of the same size",
        found,
        target=TARGET,
    )


async def _rounds(data_dir: Path, anchor: AnchorFile, records: int, rounds: int) -> Rounds:
    signer = LocalSigner(data_dir)
    texts = [_text(number) for number in range(records)]
    async with await open_store(data_dir) as store:
        events = EventFeed(store.audit, readonly=False)
        checkpoints = Checkpointer(store.audit, signer, anchor, events)
        made = 0
        while made < records:
            for number in range(made, min(made + EVERY, records)):
                events.record("key.wrap", f"local:disks was used to wrap the disk key of web-{number}", subject="web")
            made += EVERY
            await checkpoints.sign_now()
        await checkpoints.aclose()
        key = await signer.public_key()
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(rounds):
            began = time.perf_counter()
            verdict = await verify_log(store.audit, key, anchor)
            ours.append(time.perf_counter() - began)
            if not verdict.intact or verdict.records < records:
                raise BugError(f"The log that was made for the measurement does not hold: {verdict.reason}")
            theirs.append(_hash(texts))
    return Rounds(tuple(ours), tuple(theirs))


def _text(number: int) -> bytes:
    """As long as a record's canonical text."""
    return f"local:disks was used to wrap the disk key of web-{number}".ljust(_TEXT_BYTES).encode()


def _hash(texts: Sequence[bytes]) -> float:
    began = time.perf_counter()
    for text in texts:
        hashlib.sha256(text).hexdigest()
    return time.perf_counter() - began
