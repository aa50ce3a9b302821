"""`confvm keys list|create|rotate|rewrap|disable|enable|destroy|restore|look-in`: the keys that wrap disk keys.

Exit code 0: done, 1: the key, its token or its service says no, 2: bad input, or a destruction that would lose data and
was not agreed to.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from confvm_gui.domain.errors import BugError, InvalidInput

if TYPE_CHECKING:
    from confvm_gui.domain.keys import KeyInfo
    from confvm_gui.fleet.keys import KeyListing, Keys
    from confvm_gui.fleet.settings import Settings

_COLUMNS: Final = ("key", "state", "versions", "protection", "holds")
_DAY: Final = 86400.0


def add_keys_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parents: Sequence[argparse.ArgumentParser]
) -> None:
    """Add `keys` and its commands to the command line; `parents` give `--json` and `--data-dir`."""
    shared = list(parents)
    inner = commands.add_parser("keys", help="keys that wrap the keys of disks").add_subparsers(
        dest="keys_command", required=True, metavar="COMMAND"
    )
    inner.add_parser("list", parents=shared, help="all keys that can be reached, and whose disks they hold")
    look = inner.add_parser("look-in", parents=shared, help="say where keys are looked for; without options print it")
    look.add_argument("--pkcs11-module", metavar="FILE", help="the HSM's PKCS#11 library, its whole path")
    look.add_argument("--aws-region", action="append", metavar="REGION", help="may be given again")
    look.add_argument("--gcp-key-ring", action="append", metavar="RING", help="projects/P/locations/L/keyRings/R")
    look.add_argument("--azure-vault", action="append", metavar="VAULT", help="its name, or its whole host name")
    about = {
        "create": "make a key: local:NAME, pkcs11:token=T;object=NAME, awskms:REGION/alias/NAME …",
        "rotate": "make a new version, which wraps from now on",
        "rewrap": "wrap the disk keys that it holds anew, under its newest version or another key",
        "disable": "let nobody use it until it is enabled",
        "enable": "let it be used again",
        "destroy": "end it for good: what it holds cannot be read any more",
        "restore": "call a scheduled destruction off; the key is disabled then",
    }
    made = {}
    for name, said in about.items():
        made[name] = inner.add_parser(name, parents=shared, help=said)
        made[name].add_argument("key", metavar="KEY")
    made["rewrap"].add_argument("--to", default="", metavar="KEY", help="another key (default: its newest version)")
    made["destroy"].add_argument(
        "--after", type=_days, default=30.0, metavar="DAYS", help="0 for now (default: 30; services have least times)"
    )
    made["destroy"].add_argument("--yes", action="store_true", help="lose the data of the instances that it holds")


def run_keys(options: argparse.Namespace, out: TextIO) -> int:
    """One command; its exit code. Raises InvalidInput, KeyUnavailable, NotFound, Unsupported, ReadOnly, StoreError."""
    return asyncio.run(_run(options, out))


async def _run(options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.app.bootstrap import check_data_dir, default_data_dir, open_session

    data_dir = check_data_dir(options.data_dir or default_data_dir())
    places = _places(options) if options.keys_command == "look-in" else {}
    reads = options.keys_command == "list" or (options.keys_command == "look-in" and not places)
    session = await open_session(data_dir, readonly=reads, ask_pin=_ask_pin if sys.stdin.isatty() else None)
    try:
        if session.keys is None:
            raise BugError("The session has no keys; please report this")
        if options.keys_command == "look-in":
            _look_in(session.settings, places, options.json, out)
            return 0
        if reads:
            _print_listing(await session.keys.listing(), options.json, out)
            return 0
        if options.keys_command == "rewrap":
            return await _rewrap(session.keys, options, out)
        info = await _change(session.keys, options)
        if options.json:
            out.write(json.dumps(_mapping(info)) + "\n")
        else:
            out.write(
                f"{info.ref}: {info.state.value}" + (f", {info.state_reason}" if info.state_reason else "") + "\n"
            )
        return 0
    finally:
        await session.aclose()


def _places(options: argparse.Namespace) -> dict[str, object]:
    """Settings that were given. Raises KeyUnavailable for a module that must not be loaded."""
    from confvm_gui.app.key_stores import AWS_REGIONS, AZURE_VAULTS, GCP_KEY_RINGS, PKCS11_MODULE
    from confvm_gui.keys.pkcs11.token import check_module

    if options.pkcs11_module is not None:
        check_module(Path(options.pkcs11_module))
    given = {
        PKCS11_MODULE: options.pkcs11_module,
        AWS_REGIONS: options.aws_region,
        GCP_KEY_RINGS: options.gcp_key_ring,
        AZURE_VAULTS: options.azure_vault,
    }
    return {name: value for name, value in given.items() if value is not None}


def _look_in(settings: Settings, places: Mapping[str, object], as_json: bool, out: TextIO) -> None:
    """Keep `places` and print all."""
    from confvm_gui.app.key_stores import AWS_REGIONS, AZURE_VAULTS, GCP_KEY_RINGS, PKCS11_MODULE

    for name, value in places.items():
        settings.put(name, value)
    found: dict[str, object] = {PKCS11_MODULE: settings.get(PKCS11_MODULE, "")}
    nowhere: list[object] = []
    found |= {name: settings.get(name, nowhere) for name in (AWS_REGIONS, GCP_KEY_RINGS, AZURE_VAULTS)}
    if as_json:
        out.write(json.dumps(found) + "\n")
        return
    for name, value in found.items():
        told = " ".join(map(str, value)) if isinstance(value, list) else str(value)
        out.write(f"{name}  {told or 'none'}\n")


async def _change(keys: Keys, options: argparse.Namespace) -> KeyInfo:
    if options.keys_command == "destroy":
        held = await keys.uses(options.key)
        if held and not options.yes:
            names = ", ".join(use.instance_name for use in held)
            raise InvalidInput(
                "yes",
                f"the data of {names} would be lost for good; move disks to another key with `confvm keys rewrap`, "
                "bind secrets anew, or agree with --yes",
            )
        lose = [use.instance_id for use in held]
        return await keys.destroy(options.key, after_seconds=options.after * _DAY, lose=lose)
    change = {
        "create": keys.create,
        "rotate": keys.rotate,
        "disable": keys.disable,
        "enable": keys.enable,
        "restore": keys.restore,
    }[options.keys_command]
    return await change(options.key)


async def _rewrap(keys: Keys, options: argparse.Namespace, out: TextIO) -> int:
    """1 if one of them stays as it was."""
    outcome = await keys.rewrap(options.key, options.to)
    if options.json:
        out.write(json.dumps({"done": list(outcome.done), "failed": dict(outcome.failed)}) + "\n")
    else:
        target = options.to or options.key
        out.writelines(f"{name}: wrapped by {target}\n" for name in outcome.done)
        out.writelines(f"{name}: stays as it was: {why}\n" for name, why in outcome.failed.items())
        if not outcome.done and not outcome.failed:
            out.write(f"{options.key} holds nothing.\n")
    return 1 if outcome.failed else 0


def _print_listing(listing: KeyListing, as_json: bool, out: TextIO) -> None:
    from confvm_gui.app.store_commands import print_table

    if as_json:
        keys = [
            {**_mapping(info), "holds": [asdict(use) for use in listing.uses_of(info.ref)]} for info in listing.keys
        ]
        out.write(json.dumps({"keys": keys, "problems": dict(listing.problems)}, ensure_ascii=False) + "\n")
        return
    if listing.keys:
        print_table(_COLUMNS, [_row(info, listing) for info in listing.keys], out)
    else:
        out.write("There are no keys.\n")
    out.writelines(f"{scheme}: {problem}\n" for scheme, problem in listing.problems.items())


def _row(info: KeyInfo, listing: KeyListing) -> tuple[str, ...]:
    held = ", ".join(use.instance_name for use in listing.uses_of(info.ref))
    return info.ref, info.state.value, str(info.versions), info.protection, held


def _mapping(info: KeyInfo) -> dict[str, object]:
    return {**asdict(info), "state": info.state.value}


def _ask_pin(token: str) -> str:
    """Called in a thread; what is typed is not shown."""
    return getpass.getpass(f"PIN of the token {token}: ", sys.stderr)


def _days(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days") from None
    if not 0 <= value <= 365:
        raise argparse.ArgumentTypeError("a key is destroyed within 0 to 365 days")
    return value
