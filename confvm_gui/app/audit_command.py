"""`confvm audit`: verify, export and forward the log, its public key, and its anchor.

Exit codes: 0 whole, written, delivered; 1 not whole, not delivered, not allowed; 2 bad input.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from confvm_gui.domain.errors import InvalidInput

if TYPE_CHECKING:
    from confvm_gui.domain.event import AuditFilter, AuditVerdict

_FORMS = ("jsonl", "cef", "ocsf")
_SEVERITIES = ("info", "warning", "error")
_OUTCOMES = ("success", "failure", "denied", "pending")


def add_audit_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parents: Sequence[argparse.ArgumentParser]
) -> None:
    """Add `audit` and its commands; `parents` give `--json` and `--data-dir`."""
    audit = commands.add_parser("audit", help="the event log")
    what = audit.add_subparsers(dest="audit_command", required=True, metavar="COMMAND", parser_class=type(audit))
    verify = what.add_parser("verify", parents=list(parents), help="check hash chain, signatures and anchor")
    verify.add_argument("--key", metavar="HEX", help="the public key, where it is not to be taken from this machine")
    verify.add_argument("--strict", action="store_true", help="exit 1 as well if something could not be looked at")
    export = what.add_parser("export", parents=list(parents), help="events as text, oldest first")
    export.add_argument("--format", choices=_FORMS, default="jsonl", help="default: jsonl")
    export.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    export.add_argument("--since", metavar="TIME", help="ISO 8601, for example 2026-01-31 or 2026-01-31T12:00:00+01:00")
    export.add_argument("--until", metavar="TIME", help="before this time")
    export.add_argument("--actor", default="", metavar="NAME")
    export.add_argument("--action", default="", metavar="PREFIX", help="for example memory. or key.destroy")
    export.add_argument("--subject", metavar="ID", help="instance id")
    export.add_argument("--severity", action="append", choices=_SEVERITIES, default=[], help="repeatable")
    export.add_argument("--outcome", action="append", choices=_OUTCOMES, default=[], help="repeatable")
    export.add_argument("--text", default="", metavar="TEXT", help="in message or action")
    forward = what.add_parser(
        "forward", parents=list(parents), help="send the log to a syslog server over TLS, from where it was left"
    )
    forward.add_argument("--to", required=True, metavar="HOST[:PORT]")
    forward.add_argument("--ca", type=Path, metavar="FILE", help="PEM of who vouches for the server")
    forward.add_argument("--cert", type=Path, metavar="FILE", help="PEM of this console's certificate and key")
    forward.add_argument("--follow", action="store_true", help="go on with what comes, until Ctrl-C")
    what.add_parser("key", parents=list(parents), help="the public key that signs the log, for auditors to keep")
    what.add_parser(
        "accept", parents=list(parents), help="forget the anchor: the log as it is now counts, as after a backup"
    )


async def run_audit(options: argparse.Namespace, out: TextIO) -> int:
    """Run one of the commands. Raises ConfvmError."""
    match options.audit_command:
        case "verify":
            return await _verify(options, out)
        case "export":
            return await _export(options, out)
        case "forward":
            return await _forward(options, out)
        case "key":
            return await _key(options, out)
        case _:
            return await _accept(options, out)


async def _verify(options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.app.bootstrap import check_data_dir, default_data_dir, verify_audit
    from confvm_gui.fleet.audit.verification import parse_key
    from confvm_gui.store import open_store

    key = None if options.key is None else parse_key(options.key)
    # Whoever may read the files may verify them: no role is asked for.
    data_dir = check_data_dir(options.data_dir or default_data_dir())
    async with await open_store(data_dir, readonly=True) as store:
        verdict = await verify_audit(data_dir, store.audit, key)
    if options.json:
        out.write(json.dumps(_verdict_to_mapping(verdict), ensure_ascii=False) + "\n")
    else:
        _print(verdict, out)
    return 1 if not verdict.intact or (options.strict and verdict.notes) else 0


def _verdict_to_mapping(verdict: AuditVerdict) -> dict[str, object]:
    return {
        "intact": verdict.intact,
        "records": verdict.records,
        "first_bad": verdict.first_bad,
        "reason": verdict.reason,
        "head": verdict.head,
        "checkpoints": len(verdict.checkpoints),
        "signed_to": verdict.signed_to,
        "key": verdict.key,
        "notes": list(verdict.notes),
    }


def _print(verdict: AuditVerdict, out: TextIO) -> None:
    if verdict.intact:
        out.write(f"The log is whole: {verdict.records} events, head {verdict.head}\n")
        if verdict.key:
            out.write(f"Signed up to event {verdict.signed_to} with the key {verdict.key}\n")
    else:
        out.write(f"The log does not hold from event {verdict.first_bad} on: {verdict.reason}\n")
    out.writelines(f"{note}\n" for note in verdict.notes)


async def _export(options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.app.guarded_store import guarded_store
    from confvm_gui.domain.roles import Permission
    from confvm_gui.fleet.audit.export import ExportForm, export_file, export_pages, record_export

    wanted, form = _filter(options), ExportForm(options.format)
    async with guarded_store(options.data_dir, readonly=None) as opened:
        log = opened.store.audit
        if options.output is not None:
            await export_file(log, form, wanted, options.output, opened.access, opened.events)
            return 0
        opened.access.require(Permission.EXPORT_AUDIT)
        async for text in export_pages(log, form, wanted):
            out.write(text)
        record_export(opened.events, form, "standard output")
    return 0


def _filter(options: argparse.Namespace) -> AuditFilter:
    from confvm_gui.domain.event import AuditFilter, EventOutcome, Severity

    return AuditFilter(
        since=_time("since", options.since),
        until=_time("until", options.until),
        actor=options.actor,
        action=options.action,
        subject=options.subject,
        severities=frozenset(Severity(each) for each in options.severity),
        outcomes=frozenset(EventOutcome(each) for each in options.outcome),
        text=options.text,
    )


def _time(field: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(field, f"{text!r} is no time; write it as 2026-01-31 or 2026-01-31T12:00:00+01:00") from None
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()


async def _forward(options: argparse.Namespace, out: TextIO) -> int:
    import sys

    from confvm_gui.app.guarded_store import guarded_store
    from confvm_gui.domain.roles import Permission
    from confvm_gui.fleet.audit.forward import Delivered, Forwarder, parse_destination

    destination = parse_destination(options.to, authorities=options.ca, certificate=options.cert)

    def tell(reason: str) -> None:
        sys.stderr.write(f"confvm: {reason or f'{destination.name} takes the records again'}\n")

    # Not kept open for writing: it goes on beside a console that is.
    async with guarded_store(options.data_dir, readonly=None) as opened:
        opened.access.require(Permission.EXPORT_AUDIT)
        delivered = Delivered.of(opened.data_dir, destination)
        if not delivered.path.exists():
            said = f"The log is forwarded to {destination.name} from now on"
            opened.events.record("audit.forward", said, detail={"to": destination.name})
    async with guarded_store(options.data_dir, readonly=True) as opened:
        forwarder = Forwarder(opened.store.audit, destination, delivered, on_trouble=tell)
        if options.follow:
            await forwarder.run()
        sent = await forwarder.send_waiting()
    if options.json:
        out.write(json.dumps({"to": destination.name, "sent": sent}) + "\n")
    else:
        out.write(f"{sent} events were delivered to {destination.name}\n")
    return 0


async def _key(options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.app.bootstrap import check_data_dir, default_data_dir
    from confvm_gui.keys.local.signer import LocalSigner

    signer = LocalSigner(check_data_dir(options.data_dir or default_data_dir()), make=False)
    key = (await signer.public_key()).hex()
    out.write((json.dumps({"key": key}) if options.json else key) + "\n")
    return 0


async def _accept(options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.app.guarded_store import guarded_store
    from confvm_gui.domain.event import Severity
    from confvm_gui.domain.roles import Permission
    from confvm_gui.fleet.audit.anchor import AnchorFile

    async with guarded_store(options.data_dir, readonly=False) as opened:
        opened.require_writable()
        opened.access.require(Permission.MANAGE_ROLES)
        anchor = AnchorFile(opened.data_dir)
        anchor.remove()
        opened.events.record(
            "audit.anchor-accepted",
            "The log was accepted as it is: what was seen of it before was forgotten",
            severity=Severity.WARNING,
            detail={"anchor": str(anchor.path)},
        )
    said = "The log as it is now counts from here on."
    out.write((json.dumps({"anchor": str(anchor.path)}) if options.json else said) + "\n")
    return 0
