"""`confvm roles` and `confvm approvals`: who may do what, and what needs two.

Exit codes: 0 done; 1 not allowed, not found, decided already; 2 bad input.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from confvm_gui.domain.approval import Approval

_ROLES = ("viewer", "operator", "administrator", "auditor")


def add_roles_parsers(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parents: Sequence[argparse.ArgumentParser]
) -> None:
    """Add `roles` and `approvals`; `parents` give `--json` and `--data-dir`."""
    roles = commands.add_parser("roles", help="who may do what here")
    what = roles.add_subparsers(dest="roles_command", required=True, metavar="COMMAND", parser_class=type(roles))
    what.add_parser("show", parents=list(parents), help="all roles, and yours")
    for command, words in (("grant", "give a role"), ("revoke", "take a role away")):
        change = what.add_parser(command, parents=list(parents), help=words)
        change.add_argument("name", metavar="NAME", help="a user of the operating system")
        change.add_argument("role", choices=_ROLES)
        change.add_argument("--group", action="store_true", help="NAME is a group")
    approvals = commands.add_parser("approvals", help="what waits for a second person")
    what = approvals.add_subparsers(
        dest="approvals_command", required=True, metavar="COMMAND", parser_class=type(approvals)
    )
    what.add_parser("list", parents=list(parents), help="requests, newest first")
    for command, words in (("approve", "agree to a request"), ("reject", "refuse a request")):
        decide = what.add_parser(command, parents=list(parents), help=words)
        decide.add_argument("id", metavar="ID", help="of the request, or its beginning")
        decide.add_argument("--note", default="", metavar="TEXT", help="why, for the record")
    require = what.add_parser("require", parents=list(parents), help="make an operation need a second person")
    require.add_argument("kind", metavar="KIND", help="instance.delete, key.destroy or policy.exception")
    require.add_argument("--off", action="store_true", help="it needs nobody else any more")


async def run_roles(options: argparse.Namespace, out: TextIO) -> int:
    """`confvm roles`. Raises ConfvmError."""
    from confvm_gui.app.guarded_store import guarded_store
    from confvm_gui.domain.roles import Role
    from confvm_gui.fleet.roles.assignments import to_mapping
    from confvm_gui.fleet.roles.changes import change_roles

    shows = options.roles_command == "show"
    async with guarded_store(options.data_dir, readonly=shows) as opened:
        assignments = opened.access.assignments
        if not shows:
            opened.require_writable()
            role, who = Role(options.role), f"the group {options.name}" if options.group else options.name
            if options.roles_command == "grant":
                assignments = assignments.with_role(options.name, role, group=options.group)
                said = f"{who} has the role {role.value} from now on"
            else:
                assignments = assignments.without_role(options.name, role, group=options.group)
                said = f"{who} has the role {role.value} no longer"
            await change_roles(opened.access, opened.events, opened.data_dir, assignments, said)
        yours = sorted(role.value for role in opened.access.roles)
    if options.json:
        out.write(
            json.dumps({**to_mapping(assignments), "you": {opened.access.user: yours}}, ensure_ascii=False) + "\n"
        )
        return 0
    for title, table in (("user", assignments.users), ("group", assignments.groups)):
        for name, roles in sorted(table.items()):
            out.write(f"{title} {name}: {', '.join(sorted(role.value for role in roles))}\n")
    out.write(f"You, {opened.access.user}: {', '.join(yours)}\n")
    if assignments.needed:
        out.write(f"A second person is needed for: {', '.join(sorted(assignments.needed))}\n")
    return 0


async def run_approvals(options: argparse.Namespace, out: TextIO) -> int:
    """`confvm approvals`. Raises ConfvmError."""
    if options.approvals_command == "list":
        return await _list(options, out)
    if options.approvals_command == "require":
        return await _require(options, out)
    return await _decide(options, out)


async def _list(options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.app.guarded_store import guarded_store
    from confvm_gui.app.store_commands import print_table

    async with guarded_store(options.data_dir, readonly=True) as opened:
        found = await opened.approvals.recent()
    if options.json:
        out.write(json.dumps([_to_mapping(approval) for approval in found], ensure_ascii=False) + "\n")
    elif found:
        rows = [
            (each.id[:8], each.status.value, each.title, each.asked_by, _utc(each.expires_at), each.decided_by)
            for each in found
        ]
        print_table(("id", "status", "what", "asked by", "expires", "decided by"), rows, out)
    else:
        out.write("There are no requests.\n")
    return 0


async def _require(options: argparse.Namespace, out: TextIO) -> int:
    from dataclasses import replace

    from confvm_gui.app.guarded_store import guarded_store
    from confvm_gui.fleet.roles.assignments import check_kind
    from confvm_gui.fleet.roles.changes import change_roles

    kind = check_kind(options.kind)
    async with guarded_store(options.data_dir, readonly=False) as opened:
        opened.require_writable()
        before = opened.access.assignments
        changed = replace(before, needed=before.needed - {kind} if options.off else before.needed | {kind})
        said = f"{kind} needs {'nobody else any more' if options.off else 'a second person'}"
        await change_roles(opened.access, opened.events, opened.data_dir, changed, said)
    out.write((json.dumps({"needed": sorted(changed.needed)}) if options.json else said) + "\n")
    return 0


async def _decide(options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.app.guarded_store import guarded_store

    approve = options.approvals_command == "approve"
    async with guarded_store(options.data_dir, readonly=False) as opened:
        approval = await opened.approvals.decide_from_anywhere(options.id, approve=approve, note=options.note)
        if opened.store.readonly:
            said = f"{approval.title}: your decision is left for the console that has the data directory open"
        else:
            said = f"{approval.title}: {approval.status.value}"
            if not approval.status.is_final:
                said += "; it is carried out by the next console that opens the data directory"
    out.write((json.dumps(_to_mapping(approval), ensure_ascii=False) if options.json else said) + "\n")
    return 0


def _to_mapping(approval: Approval) -> dict[str, object]:
    return {
        "id": approval.id,
        "kind": approval.kind,
        "subject": approval.subject,
        "title": approval.title,
        "intent": dict(approval.intent),
        "asked_by": approval.asked_by,
        "asked_at": _utc(approval.asked_at),
        "expires_at": _utc(approval.expires_at),
        "status": approval.status.value,
        "decided_by": approval.decided_by,
        "decided_at": None if approval.decided_at is None else _utc(approval.decided_at),
        "note": approval.note,
    }


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
