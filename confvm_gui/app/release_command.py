"""`confvm release bind|list|challenge|give|revoke|open`: secrets for guests that prove what they are.

Exit code 0: given, or done; 1: refused, with the reason and what speaks against the report; 2: bad input.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TextIO

from confvm_gui.domain.errors import BugError, InvalidInput

if TYPE_CHECKING:
    from confvm_gui.domain.release import BoundSecret, Conditions
    from confvm_gui.fleet.release.broker import SecretBroker
    from confvm_gui.fleet.release.examination import Release
    from confvm_gui.fleet.session import FleetSession

_COLUMNS: Final = ("secret", "key", "measurements", "instance", "given", "state")
_STANDARD_INPUT: Final = "-"


def add_release_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parents: Sequence[argparse.ArgumentParser]
) -> None:
    """Add `release` and its commands to the command line; `parents` give `--json` and `--data-dir`."""
    shared = list(parents)
    inner = commands.add_parser("release", help="secrets for guests that prove what they are").add_subparsers(
        dest="release_command", required=True, metavar="COMMAND"
    )
    bind = inner.add_parser("bind", parents=shared, help="keep a secret for guests that meet conditions")
    bind.add_argument("name", metavar="NAME")
    bind.add_argument("--key", required=True, metavar="KEY", help="the key that wraps it: local:NAME, pkcs11:… …")
    bind.add_argument("--secret", required=True, metavar="FILE", help="the secret; - for standard input")
    source = bind.add_mutually_exclusive_group(required=True)
    source.add_argument("--instance", metavar="NAME", help="what this running SEV-SNP instance shows now")
    source.add_argument("--conditions", type=Path, metavar="FILE", help="JSON, as `release list --json` prints it")
    source.add_argument("--measurement", action="append", metavar="HEX", help="a launch digest; may be given again")
    bind.add_argument("--only-this", action="store_true", help="with --instance: no other one that shows the same")
    bind.add_argument("--policy", action="append", default=[], metavar="0x…", help="with --measurement: accepted ones")
    bind.add_argument(
        "--minimum", action="append", default=[], metavar="CLAIM=N", help="with --measurement: reported_tcb.snp=8 …"
    )

    inner.add_parser("list", parents=shared, help="what is bound, and how often it was given")
    about = {
        "challenge": "a nonce for a guest that wants the secret",
        "give": "seal the secret to the guest of a report that answers a nonce",
        "revoke": "give it to nobody any more",
    }
    made = {}
    for name, said in about.items():
        made[name] = inner.add_parser(name, parents=shared, help=said)
        made[name].add_argument("name", metavar="NAME")
    give = made["give"]
    give.add_argument("evidence", type=Path, metavar="EVIDENCE", help="a bundle, or the report alone")
    give.add_argument("--endorsements", type=Path, nargs="+", action="extend", default=[], metavar="PATH")
    give.add_argument("--out", type=Path, required=True, metavar="FILE", help="for the guest: of no use to others")

    opened = inner.add_parser("open", parents=shared, help="in the guest: open what was given to it")
    opened.add_argument("release", type=Path, metavar="FILE")
    opened.add_argument("--key", type=Path, required=True, metavar="FILE", help="the guest's X25519 key, 32 bytes")
    opened.add_argument("--out", type=Path, required=True, metavar="FILE", help="the secret, in clear")


def run_release(options: argparse.Namespace, out: TextIO) -> int:
    """One command; its exit code. Raises InvalidInput, KeyUnavailable, NotFound, Unsupported, ReadOnly, StoreError."""
    if options.release_command == "open":
        return _open(options, out)
    return asyncio.run(_run(options, out))


async def _run(options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.app.bootstrap import check_data_dir, default_data_dir, open_session

    data_dir = check_data_dir(options.data_dir or default_data_dir())
    session = await open_session(data_dir, readonly=options.release_command == "list")
    try:
        broker = session.broker
        if broker is None:
            raise BugError("The session releases no secrets; please report this")
        if options.release_command == "list":
            _print_listing(await broker.listing(), options.json, out)
            return 0
        if options.release_command == "bind":
            return await _bind(session, broker, options, out)
        if options.release_command == "challenge":
            await _challenge(broker, options, out)
            return 0
        if options.release_command == "give":
            return await _give(broker, options, out)
        await broker.revoke(options.name)
        _say({"secret": options.name, "state": "revoked"}, f"{options.name}: revoked", options.json, out)
        return 0
    finally:
        await session.aclose()


async def _bind(session: FleetSession, broker: SecretBroker, options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.domain.release import MAXIMUM_SECRET
    from confvm_gui.fleet.attest.evidence_files import read_file

    if options.instance:
        await session.connect()
        instance = session.inventory.find(options.instance)
        conditions = await broker.conditions_of(instance.id, only_this=options.only_this)
    else:
        conditions = _conditions(options)
    if options.secret == _STANDARD_INPUT:
        secret = await asyncio.to_thread(sys.stdin.buffer.read, MAXIMUM_SECRET + 1)
    else:
        secret = await asyncio.to_thread(read_file, Path(options.secret), "secret")
    bound = await broker.bind(options.name, secret, options.key, conditions)
    _say(_mapping(bound), f"{bound.name}: bound, wrapped by {bound.key_ref}", options.json, out)
    return 0


def _conditions(options: argparse.Namespace) -> Conditions:
    """Raises InvalidInput."""
    from confvm_gui.domain.release import Conditions, StrictFields

    if options.conditions is not None:
        return read_conditions(options.conditions)
    floors = [each.partition("=") for each in options.minimum]
    if not all(number.isdecimal() for _, _, number in floors):
        raise InvalidInput("minimum", "Give a floor as reported_tcb.snp=8")
    given = {
        "measurements": [each.strip().lower() for each in options.measurement],
        "policies": options.policy,
        "minimum": {name: int(number) for name, _, number in floors},
        "roots": [],
        "instance": "",
    }
    return Conditions.from_fields(StrictFields(MappingProxyType(given), _malformed))


def read_conditions(path: Path) -> Conditions:
    """From a JSON file. Raises InvalidInput("conditions")."""
    from confvm_gui.domain.release import Conditions, StrictFields
    from confvm_gui.domain.strict_json import parse_strictly
    from confvm_gui.fleet.attest.evidence_files import read_file

    found = parse_strictly(read_file(path, "conditions"), _malformed, fractions=False)
    return Conditions.from_fields(StrictFields(found, _malformed))


def _malformed(problem: str) -> InvalidInput:
    return InvalidInput("conditions", f"What is asked for {problem}")


async def _challenge(broker: SecretBroker, options: argparse.Namespace, out: TextIO) -> None:
    from confvm_gui.fleet.release.broker import NONCE_SECONDS, nonce_digest

    nonce = await broker.challenge(options.name)
    tail = nonce_digest(options.name, nonce).hex()
    told = {"secret": options.name, "nonce": nonce.hex(), "report_data_tail": tail, "seconds": NONCE_SECONDS}
    text = f"nonce {nonce.hex()}\nREPORT_DATA: the guest's X25519 key, 32 bytes, then {tail}"
    _say(told, text, options.json, out)


async def _give(broker: SecretBroker, options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.fleet.attest.evidence_files import read_endorsements, read_evidence
    from confvm_gui.fleet.whole_file import write_whole

    evidence, endorsements, _ = await asyncio.to_thread(read_evidence, options.evidence)
    endorsements += await asyncio.to_thread(read_endorsements, options.endorsements)
    release = await broker.give(options.name, evidence, endorsements)
    if release.given:
        await asyncio.to_thread(write_whole, options.out, [release.sealed])
    _print_release(options.name, release, options.json, out)
    return 0 if release.given else 1


def _print_release(name: str, release: Release, as_json: bool, out: TextIO) -> None:
    findings = [
        {"code": one.code, "severity": one.severity.value, "expected": one.expected, "actual": one.actual}
        for one in release.findings
    ]
    told = {"secret": name, "given": release.given, "reason": release.reason, "findings": findings}
    lines = [f"{name}: given" if release.given else f"{name}: REFUSED: {release.reason}"]
    lines += [
        f"  {one.severity.value}: {one.code}: expected {one.expected or '(nothing)'}, found {one.actual or '(nothing)'}"
        for one in release.findings
    ]
    _say(told, "\n".join(lines), as_json, out)


def _open(options: argparse.Namespace, out: TextIO) -> int:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from confvm_gui.domain.release import RELEASE_INFO
    from confvm_gui.fleet.attest.evidence_files import read_file
    from confvm_gui.sev.sealed_box import PUBLIC_KEY_BYTES, unseal

    key, release = read_file(options.key, "key"), read_file(options.release, "release")
    if len(key) != PUBLIC_KEY_BYTES:
        raise InvalidInput("key", f"An X25519 private key has {PUBLIC_KEY_BYTES} bytes, not {len(key):,}")
    private = X25519PrivateKey.from_private_bytes(key)
    tail, sealed = release[:PUBLIC_KEY_BYTES], release[PUBLIC_KEY_BYTES:]
    salt = private.public_key().public_bytes_raw() + tail
    secret = unseal(sealed, private, salt=salt, info=RELEASE_INFO)
    try:
        with os.fdopen(os.open(options.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secret)
    except OSError as error:
        raise InvalidInput("out", f"{options.out} cannot be written: {error.strerror or error}") from None
    _say({"opened": str(options.out)}, f"{options.out}: opened", options.json, out)
    return 0


def _print_listing(listing: Sequence[BoundSecret], as_json: bool, out: TextIO) -> None:
    from confvm_gui.app.store_commands import print_table

    if as_json:
        out.write(json.dumps({"secrets": [_mapping(one) for one in listing]}, ensure_ascii=False) + "\n")
    elif listing:
        print_table(_COLUMNS, [_row(one) for one in listing], out)
    else:
        out.write("No secret is bound.\n")


def _row(bound: BoundSecret) -> tuple[str, ...]:
    conditions = bound.conditions
    digests = ", ".join(f"{each.hex()[:16]}…" for each in conditions.measurements) if conditions is not None else ""
    instance = conditions.instance if conditions is not None else ""
    return bound.name, bound.key_ref, digests, instance, str(bound.given), _state(bound)


def _mapping(bound: BoundSecret) -> dict[str, object]:
    return {
        "secret": bound.name,
        "key": bound.key_ref,
        "conditions": bound.conditions.to_mapping() if bound.conditions is not None else None,
        "made_at": bound.made_at,
        "revoked_at": bound.revoked_at,
        "given": bound.given,
        "state": _state(bound),
    }


def _state(bound: BoundSecret) -> str:
    return "bound" if bound.revoked_at is None else "revoked"


def _say(told: dict[str, object], text: str, as_json: bool, out: TextIO) -> None:
    out.write((json.dumps(told, ensure_ascii=False) if as_json else text) + "\n")
