"""`confvm attest`: who vouches for an instance, asked for with a fresh nonce and verified; or what was found before.

Exit code 0: trusted, 1: not trusted or not to be had. Embedded instances live inside a running console: they are asked
there (or by `confvm run --attest`), and here their history is read.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from confvm_gui.domain.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from confvm_gui.domain.attestation_record import AttestationRecord, AttestationSummary
    from confvm_gui.fleet.session import FleetSession

_COLUMNS = ("at", "occasion", "format", "verdict", "errors", "warnings", "by", "record")


def add_attest_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parents: Sequence[argparse.ArgumentParser]
) -> None:
    """Add `attest` and its options to the command line; `parents` give `--json` and `--data-dir`."""
    parser = commands.add_parser("attest", parents=list(parents), help="ask who vouches for an instance, and verify it")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--format", metavar="F", help="snp-report, sev-report, tpm-quote … (default: the strongest)")
    parser.add_argument(
        "--export", type=Path, metavar="FILE", help="write evidence and endorsements as a bundle for `confvm verify`"
    )
    parser.add_argument("--history", action="store_true", help="print the verdicts so far, newest first; ask nobody")


async def run_attest(options: argparse.Namespace, out: TextIO) -> int:
    """0 if the verdict is trusted, 1 if not; with `--history` of the newest one.

    Raises InvalidInput naming the option, NotFound, StoreError, Unsupported with the reason, and what asking raises.
    """
    from confvm_gui.app.bootstrap import check_data_dir, default_data_dir, open_session

    if options.history and (options.format or options.export):
        raise InvalidInput("history", "The history asks nobody: give it without --format and --export")
    data_dir = check_data_dir(options.data_dir or default_data_dir())
    session = await open_session(data_dir, readonly=options.history, workers=1)
    try:
        instance_id = _instance_id(session, options.name) if options.history else await _found(session, options.name)
        if options.history:
            return _print_history(await session.attestations.history(instance_id), options.json, out)
        record = await _ask(session, instance_id, options.format)
        if options.export is not None:
            await session.attestations.export(record.id, options.export)
        _print_record(record, options.json, out)
        return 0 if record.verdict.trusted else 1
    finally:
        await session.aclose()


async def _found(session: FleetSession, name: str) -> str:
    """The instance's id, once its provider has answered."""
    instance = session.inventory.find(name)
    await session.connect()
    if not session.readonly:
        await session.inventory.connected(instance.provider)
    return _instance_id(session, name)


def _instance_id(session: FleetSession, name: str) -> str:
    return session.inventory.find(name).id


async def _ask(session: FleetSession, instance_id: str, name: str | None) -> AttestationRecord:
    from confvm_gui.domain.attestation import EvidenceFormat

    try:
        form = EvidenceFormat(name) if name is not None else None
    except ValueError:
        known = ", ".join(EvidenceFormat)
        raise InvalidInput("format", f"{name!r} is no format of evidence; there are {known}") from None
    return await session.attestations.refresh(instance_id, form)


def _print_record(record: AttestationRecord, as_json: bool, out: TextIO) -> None:
    from confvm_gui.app.verify_command import print_verdict, verdict_to_mapping

    if as_json:
        values = {"record": record.id, "at": _time(record.at), "by": record.by, **verdict_to_mapping(record.verdict)}
        out.write(json.dumps(values, ensure_ascii=False) + "\n")
    else:
        print_verdict(record.verdict, out)


def _print_history(lines: Sequence[AttestationSummary], as_json: bool, out: TextIO) -> int:
    if as_json:
        out.writelines(json.dumps({**asdict(line), "at": _time(line.at)}, ensure_ascii=False) + "\n" for line in lines)
    elif lines:
        from confvm_gui.app.store_commands import print_table

        print_table(_COLUMNS, [_row(line) for line in lines], out)
    if not lines:
        raise NotFound("Nothing was asked of this instance yet, so there is no verdict on it")
    return 0 if lines[0].trusted else 1


def _row(line: AttestationSummary) -> tuple[str, ...]:
    verdict = ("trusted" if line.trusted else "NOT TRUSTED") + (" (emulated root)" if line.emulated else "")
    counts = (str(line.errors), str(line.warnings))
    return (_time(line.at), line.occasion.value, line.format.value, verdict, *counts, line.by, line.id)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
