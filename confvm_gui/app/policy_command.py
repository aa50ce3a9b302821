"""`confvm policy list | show | check | test | report`: rules without a window.

Nothing is changed: packs are read from the console's own files, from the data directory if there is one, or from a file
that is named in place of a pack. Exit codes: 0 allowed or compliant, 1 denied or not compliant, 2 bad input.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from confvm_gui.domain.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from confvm_gui.domain.policy import ComplianceRecord, Pack, RuleFinding
    from confvm_gui.fleet.guard.fixes import FixOutcome
    from confvm_gui.fleet.session import FleetSession


def add_policy_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parents: Sequence[argparse.ArgumentParser]
) -> None:
    """Add `policy` and its commands; `parents` give `--json` and `--data-dir`."""
    parser = commands.add_parser("policy", help="rules over requests and instances")
    actions = parser.add_subparsers(
        dest="policy_command", required=True, metavar="COMMAND", parser_class=type(parents[0])
    )
    actions.add_parser("list", parents=list(parents), help="all packs, and which are on")
    show = actions.add_parser("show", parents=list(parents), help="a pack as a file, to be copied and changed")
    show.add_argument("pack", metavar="PACK")
    check = actions.add_parser("check", parents=list(parents), help="would this launch be allowed?")
    check.add_argument("request", type=Path, metavar="REQUEST", help="a launch request, JSON or TOML")
    check.add_argument(
        "--pack", action="append", default=[], metavar="P", help="pack or file; repeatable; default: what is on"
    )
    check.add_argument("--fix", type=Path, metavar="FILE", help="write the nearest request that passes into FILE")
    test = actions.add_parser("test", parents=list(parents), help="what would this pack find in the present fleet?")
    test.add_argument("pack", metavar="PACK", help="pack or file")
    report = actions.add_parser("report", parents=list(parents), help="how the fleet stands, for an auditor, as HTML")
    report.add_argument("output", type=Path, metavar="FILE", help="the page, with evidence in it")


def run_policy(options: argparse.Namespace, out: TextIO) -> int:
    """Run the command that `options` name."""
    match options.policy_command:
        case "list":
            return asyncio.run(_list(options, out))
        case "show":
            return asyncio.run(_show(options, out))
        case "check":
            return asyncio.run(_check(options, out))
        case "report":
            return asyncio.run(_report(options, out))
    return asyncio.run(_test(options, out))


@asynccontextmanager
async def _session(data_dir: Path | None) -> AsyncIterator[FleetSession]:
    """For looking only; one without a data directory has the console's own packs."""
    from confvm_gui.app.bootstrap import check_data_dir, default_data_dir, open_session

    session = await open_session(check_data_dir(data_dir or default_data_dir()), readonly=True)
    try:
        yield session
    finally:
        await session.aclose()


def _pack(session: FleetSession, name: str) -> Pack:
    """By name (`NAME` or `NAME@VERSION`), or from a file that ends in .toml. Raises InvalidInput, NotFound."""
    if name.endswith(".toml"):
        from confvm_gui.fleet.guard.shelf import read_pack

        return read_pack(Path(name))
    wanted, _, version = name.partition("@")
    if version and not version.isascii():
        raise InvalidInput("pack", f"{version!r} is not a version")
    try:
        return session.guard.rules.pack(wanted, int(version) if version.isdecimal() else None)
    except NotFound as error:
        raise InvalidInput("pack", error.message) from None


async def _list(options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.app.store_commands import print_table

    async with _session(options.data_dir) as session:
        rules = session.guard.rules
        rows = []
        for pack in rules.packs():
            on = [one for one in rules.assignments() if (one.pack, one.version) == (pack.name, pack.version)]
            rows.append(
                {
                    "name": pack.name,
                    "version": pack.version,
                    "title": pack.title,
                    "rules": len(pack.rules),
                    "signature": await rules.signature_of(pack),
                    "on": [
                        {"mode": one.mode.value, "labels": dict(one.labels), "provider": one.provider} for one in on
                    ],
                }
            )
    if options.json:
        out.write(json.dumps(rows, ensure_ascii=False) + "\n")
        return 0
    header = ("name", "version", "rules", "signature", "on", "title")
    lines = []
    for row in rows:
        modes = row["on"]
        assert isinstance(modes, list)
        told = ", ".join(mode["mode"] for mode in modes) or "off"
        lines.append((*(str(row[key]) for key in header[:4]), told, str(row["title"])))
    print_table(header, lines, out)
    return 0


async def _show(options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.policy.pack_file import dump_pack

    async with _session(options.data_dir) as session:
        pack = _pack(session, options.pack)
    if options.json:
        out.write(json.dumps({"name": pack.name, "version": pack.version, "text": dump_pack(pack)}) + "\n")
    else:
        out.write(dump_pack(pack))
    return 0


async def _check(options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.fleet.launch.request_file import load_request, save_request

    request = load_request(options.request)
    async with _session(options.data_dir) as session:
        guard = session.guard
        packs = [_pack(session, name) for name in options.pack]
        record = await (guard.check_with(request, packs) if packs else guard.check(request))
        fixed: FixOutcome | None = None
        if record.denied:
            fixed = await guard.fix(request, packs=packs or None)
            if options.fix is not None:
                save_request(fixed.request, options.fix)
    if options.json:
        out.write(json.dumps(_check_mapping(record, fixed), ensure_ascii=False) + "\n")
    else:
        _print_check(record, fixed, out)
    return 1 if record.denied else 0


def _print_check(record: ComplianceRecord, fixed: FixOutcome | None, out: TextIO) -> None:
    if not record.rules:
        out.write("Allowed: no rule looks at this request\n")
    elif not record.findings:
        out.write(f"Allowed: {record.rules} rules hold\n")
    else:
        out.write("Denied\n" if record.denied else "Allowed, with findings\n")
    for finding in record.findings:
        out.write(f"  {finding.pack}/{finding.rule} ({finding.mode.value}, {finding.field}): {finding.message}\n")
    if fixed is not None and fixed.changes:
        out.write("Would pass with\n" if not fixed.record.denied else "Nearer with\n")
        out.writelines(f"  {one.field}: {one.before or '-'} -> {one.after}\n" for one in fixed.changes)


def _check_mapping(record: ComplianceRecord, fixed: FixOutcome | None) -> dict[str, object]:
    found: dict[str, object] = {
        "allowed": not record.denied,
        "compliance": record.compliance.value,
        "rules": record.rules,
        "findings": [_finding_mapping(finding) for finding in record.findings],
    }
    if fixed is not None:
        found["fix"] = {
            "passes": not fixed.record.denied,
            "changes": [{"field": one.field, "before": one.before, "after": one.after} for one in fixed.changes],
        }
    return found


def _finding_mapping(finding: RuleFinding) -> dict[str, object]:
    return {
        "pack": finding.pack,
        "rule": finding.rule,
        "mode": finding.mode.value,
        "outcome": finding.outcome.value,
        "field": finding.field,
        "message": finding.message,
        "actual": finding.actual,
        "source": finding.source,
    }


async def _test(options: argparse.Namespace, out: TextIO) -> int:
    async with _session(options.data_dir) as session:
        found = await session.guard.test(_pack(session, options.pack))
        names = {instance.id: instance.name for instance in session.inventory.all()}
    if options.json:
        values = {
            "pack": found.pack,
            "version": found.version,
            "instances": found.instances,
            "compliant": found.compliant,
            "rules": {rule: sorted(names[one] for one in ids) for rule, ids in found.by_rule.items()},
            "faults": dict(found.faults),
        }
        out.write(json.dumps(values, ensure_ascii=False) + "\n")
    else:
        out.write(f"{found.compliant} of {found.instances} instances comply with {found.pack} {found.version}\n")
        for rule, ids in found.by_rule.items():
            if ids:
                out.write(f"  {rule}: {len(ids)} would not: {', '.join(sorted(names[one] for one in ids)[:5])}\n")
        out.writelines(f"  {rule} cannot be evaluated: {fault}\n" for rule, fault in found.faults)
    return 0 if found.compliant == found.instances and not found.faults else 1


async def _report(options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.domain.policy import Compliance
    from confvm_gui.fleet.whole_file import write_whole
    from confvm_gui.policy.report import report_html

    async with _session(options.data_dir) as session:
        await session.guard.judge_now()
        content = await session.guard.report(str(session.data_dir))
    digest = write_whole(options.output, (part.encode() for part in report_html(content)))
    violating = sum(entry.record.compliance is Compliance.VIOLATING for entry in content.entries)
    if options.json:
        values = {"instances": len(content.entries), "violating": violating, "sha256": digest}
        out.write(json.dumps({"file": str(options.output), **values}, ensure_ascii=False) + "\n")
    else:
        out.write(f"{violating} of {len(content.entries)} instances violate the rules that are on\n")
        out.write(f"{options.output} was written, SHA-256 {digest}\n")
    return 1 if violating else 0
