"""`confvm endorsements`: the cache of what AMD, Intel and Google say, seen, filled, carried away and emptied.

Exit code 0: done, 1: something is still lacking, 2: bad input. The cache is files in the data directory that a console
and a command may use at once.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from confvm_gui.domain.errors import InvalidInput, Transient

if TYPE_CHECKING:
    from confvm_gui.domain.attestation import EndorsementNeed, Endorsements, Evidence
    from confvm_gui.domain.ports.endorsement_source import CacheEntry, EndorsementCache

FOLDER: Final = "endorsements"
"""Of the cache, in the data directory."""


def add_endorsements_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parents: Sequence[argparse.ArgumentParser]
) -> None:
    """Add `endorsements` and its commands to the command line; `parents` give `--json` and `--data-dir`."""
    shared = list(parents)
    parser = commands.add_parser("endorsements", help="certificates, lists and collateral that are kept")
    inner = parser.add_subparsers(dest="endorsements_command", required=True, metavar="COMMAND")
    inner.add_parser("list", parents=shared, help="what is kept, and until when")
    fetch = inner.add_parser("fetch", parents=shared, help="fetch and keep what this evidence needs")
    fetch.add_argument("evidence", type=Path, metavar="EVIDENCE", help="as for verify")
    for name, text in (("export", "write all that is kept into one zip"), ("add", "take over such a zip")):
        inner.add_parser(name, parents=shared, help=text).add_argument("file", type=Path, metavar="FILE")
    clear = inner.add_parser("clear", parents=shared, help="forget what is kept")
    clear.add_argument("urls", nargs="*", metavar="URL", help="default: all")


def open_endorsements(data_dir: Path | None) -> EndorsementCache:
    """The cache of a data directory; nothing is made or read yet. Raises InvalidInput("data-dir")."""
    from confvm_gui.app.bootstrap import check_data_dir, default_data_dir
    from confvm_gui.endorsements.store import EndorsementStore

    return EndorsementStore(check_data_dir(data_dir or default_data_dir()) / FOLDER)


async def fetch_lacking(cache: EndorsementCache, evidence: Evidence, given: Endorsements) -> tuple[Endorsements, str]:
    """What `evidence` needs beside `given`, as far as it can be had; and what went wrong, in a sentence, or ""."""
    from confvm_gui.fleet.attest.judgement import lacking

    problem = ""

    async def ask(wanted: Sequence[EndorsementNeed]) -> Endorsements:
        nonlocal problem
        if not problem:
            try:
                return await cache.fetch(wanted)
            except (Transient, InvalidInput) as error:
                problem = error.message
        return await cache.cached(wanted)

    return await lacking(evidence, given, ask), problem


def run_endorsements(options: argparse.Namespace, out: TextIO) -> int:
    """One command; its exit code. Raises InvalidInput naming the argument, and StoreError."""
    cache = open_endorsements(options.data_dir)
    match options.endorsements_command:
        case "list":
            return _list(cache, options.json, out)
        case "fetch":
            return _fetch(cache, options.evidence, options.json, out)
        case "clear":
            count, done = cache.clear(options.urls or None), "forgotten"
        case command:
            import asyncio

            export = command == "export"
            count = asyncio.run(cache.export(options.file) if export else cache.add(options.file))
            done = "written" if export else "added"
    if options.json:
        out.write(json.dumps({done: count}) + "\n")
    else:
        out.write(f"{count} endorsement{'' if count == 1 else 's'} {done}.\n")
    return 0


def entry_to_mapping(entry: CacheEntry) -> dict[str, object]:
    """JSON-able."""
    return {
        "url": entry.url,
        "kind": entry.kind.value,
        "state": entry.state.value,
        "stored_at": _moment(entry.stored_at),
        "expires_at": None if entry.expires_at is None else _moment(entry.expires_at),
        "size": entry.size,
    }


def _list(cache: EndorsementCache, as_json: bool, out: TextIO) -> int:
    entries = cache.entries()
    if as_json:
        out.write(json.dumps([entry_to_mapping(entry) for entry in entries]) + "\n")
        return 0
    if not entries:
        out.write("No endorsements are kept.\n")
    for entry in entries:
        until = "for ever" if entry.expires_at is None else f"until {_moment(entry.expires_at)}"
        out.write(f"{entry.state.value:13}  {until:26}  {entry.size:7}  {entry.url}\n")
    return 0


def _fetch(cache: EndorsementCache, path: Path, as_json: bool, out: TextIO) -> int:
    import asyncio

    from confvm_gui.attestation.needs import needs
    from confvm_gui.fleet.attest.evidence_files import read_evidence

    evidence, given, _ = read_evidence(path)
    fetched, problem = asyncio.run(fetch_lacking(cache, evidence, given))
    lacking = [need.url for need in needs(evidence, given + fetched)]
    counts = {
        "certificates": len(fetched.certificates),
        "crls": len(fetched.crls),
        "documents": len(fetched.documents),
    }
    if as_json:
        out.write(json.dumps({**counts, "lacking": lacking, "problem": problem}) + "\n")
    else:
        out.write(
            f"{counts['certificates']} certificates, {counts['crls']} revocation lists and {counts['documents']} "
            "documents of Intel's are there.\n"
        )
        out.writelines(f"lacking: {url}\n" for url in lacking)
        if problem:
            out.write(f"{problem}\n")
    return 1 if lacking else 0


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
