"""`confvm accounts list|add|test|remove`: the accounts in clouds that the console works with.

`list` and `test` only read, so that they work beside a console that is open.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from confvm_gui.domain.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from confvm_gui.fleet.accounts import AccountEntry, AccountFacts


def add_accounts_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parents: Sequence[argparse.ArgumentParser]
) -> None:
    """Add `accounts` and its commands to the command line; `parents` give `--json` and `--data-dir`."""
    shared = list(parents)
    parser = commands.add_parser("accounts", help="accounts in clouds")
    inner = parser.add_subparsers(dest="accounts_command", required=True, metavar="COMMAND")
    inner.add_parser("list", parents=shared, help="the accounts, without asking the clouds")
    add = inner.add_parser("add", parents=shared, help="log in once, and keep the account if that works")
    add.add_argument("kind", metavar="KIND", help="which cloud: gce, aws")
    add.add_argument("scope", metavar="SCOPE", help="Google's project id; AWS: a profile, or the account's id")
    add.add_argument("--name", default="", metavar="N", help="default: follows from SCOPE")
    add.add_argument(
        "--key-file",
        type=Path,
        metavar="FILE",
        help="kept in the system's keyring; default: the cloud tool's own log-in",
    )
    add.add_argument("--readonly", action="store_true", help="nothing can be changed through it")
    for name, text in (
        ("test", "log in, and say which permissions are missing; exit 1 if any is"),
        ("remove", "take it off the list and its key out of the keyring; what runs there runs on"),
    ):
        inner.add_parser(name, parents=shared, help=text).add_argument("name", metavar="NAME")


async def run_accounts(options: argparse.Namespace, out: TextIO) -> int:
    """One command; its exit code. Raises InvalidInput, NotFound, ReadOnly, StoreError, and what a log-in fails of."""
    match options.accounts_command:
        case "list":
            _tell_entries(await _kept(options.data_dir), options.json, out)
            return 0
        case "test":
            return await _test(options, out)
        case _:
            return await _change(options, out)


async def _kept(data_dir: Path | None) -> Sequence[AccountEntry]:
    from confvm_gui.app.bootstrap import check_data_dir, default_data_dir
    from confvm_gui.app.clouds import KINDS
    from confvm_gui.app.hosts_commands import stored_settings
    from confvm_gui.fleet.accounts import kept_accounts

    return kept_accounts(await stored_settings(check_data_dir(data_dir or default_data_dir())), KINDS)


async def _test(options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.app.clouds import CloudOpener, KeyringShelf
    from confvm_gui.catalog import open_catalog
    from confvm_gui.fleet.accounts import secret_reader

    entry = next((entry for entry in await _kept(options.data_dir) if entry.name == options.name), None)
    if entry is None:
        raise NotFound(f"There is no account named {options.name!r}")
    facts = await CloudOpener(open_catalog()).test(entry, secret_reader(KeyringShelf(), entry))
    _tell_facts(entry.name, facts, options.json, out)
    return 1 if facts.missing else 0


async def _change(options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.app.bootstrap import check_data_dir, default_data_dir, open_session
    from confvm_gui.domain.errors import BugError, ReadOnly

    secret = ""
    if options.accounts_command == "add" and options.key_file is not None:
        secret = await asyncio.to_thread(_read_key, options.key_file)
    session = await open_session(check_data_dir(options.data_dir or default_data_dir()), workers=1)
    try:
        if session.readonly:
            raise ReadOnly(session.readonly_reason)
        accounts = session.accounts
        if accounts is None:
            raise BugError("A session of the command line has no accounts")
        if options.accounts_command == "remove":
            await accounts.remove(options.name)
            out.write(json.dumps({"removed": options.name}) + "\n" if options.json else f"{options.name} removed.\n")
            return 0
        own = options.key_file is not None
        facts = await accounts.test(
            options.kind, options.scope, secret=secret, own_secret=own, readonly=options.readonly
        )
        entry = await accounts.add(
            options.kind, options.scope, options.name, secret=secret, own_secret=own, readonly=options.readonly
        )
        _tell_facts(entry.name, facts, options.json, out)
        return 0
    finally:
        await session.aclose()


def _read_key(path: Path) -> str:
    """Raises InvalidInput("key-file")."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = "it is no text" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise InvalidInput("key-file", f"{path} cannot be read: {why}") from error


def _tell_entries(entries: Sequence[AccountEntry], as_json: bool, out: TextIO) -> None:
    from confvm_gui.app.store_commands import print_table

    if as_json:
        told = [
            {
                "name": entry.name,
                "kind": entry.kind,
                "scope": entry.scope,
                "own_secret": entry.own_secret,
                "readonly": entry.readonly,
            }
            for entry in entries
        ]
        out.write(json.dumps(told, ensure_ascii=False) + "\n")
    elif entries:
        rows = [
            (
                entry.name,
                entry.kind,
                entry.scope,
                "key in the keyring" if entry.own_secret else "the cloud tool's",
                "reading only" if entry.readonly else "reading and changing",
            )
            for entry in entries
        ]
        print_table(("name", "cloud", "for", "log-in", "use"), rows, out)
    else:
        out.write("There are no accounts.\n")


def _tell_facts(name: str, facts: AccountFacts, as_json: bool, out: TextIO) -> None:
    if as_json:
        granted = {fact.permission: fact.granted for fact in facts.permissions}
        out.write(json.dumps({"name": name, "about": facts.about, "permissions": granted}, ensure_ascii=False) + "\n")
        return
    out.write(f"{name}: {facts.about}\n")
    out.writelines(f"missing: {fact.permission}, to {fact.purpose}\n" for fact in facts.missing)
