"""`confvm share …`: data of several owners, from their cards to the guest that works on all of it.

Exit code 0: done; 1: refused, with the reason and what speaks against the guest's report; 2: bad input.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from confvm_gui.domain.errors import BugError, InvalidInput
from confvm_gui.fleet.attest.evidence_files import read_file

if TYPE_CHECKING:
    from confvm_gui.domain.sealed_set import OwnerCard, SealedSet
    from confvm_gui.domain.shared_data import Agreement
    from confvm_gui.fleet.release.sharing import DataSharing
    from confvm_gui.fleet.session import FleetSession

_HOUR: Final = 3600


def add_share_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parents: Sequence[argparse.ArgumentParser]
) -> None:
    """Add `share` and its commands to the command line; `parents` give `--json` and `--data-dir`."""
    inner = commands.add_parser(
        "share", help="data of several owners, opened only by a guest that all of them approved"
    ).add_subparsers(dest="share_command", required=True, metavar="COMMAND")

    def command(name: str, said: str, *, written: str = "", agreement: bool = True) -> argparse.ArgumentParser:
        made = inner.add_parser(name, parents=list(parents), help=said)
        if agreement:
            made.add_argument("agreement", type=Path, metavar="AGREEMENT")
        if written:
            made.add_argument("--out", type=Path, required=True, metavar="FILE", help=written)
        return made

    def sets(made: argparse.ArgumentParser) -> None:
        made.add_argument("--sets", type=Path, nargs="+", required=True, metavar="SET", help="of all owners")

    card = command("card", "what others are given of this owner", written="the card", agreement=False)
    card.add_argument("name", metavar="OWNER")
    card.add_argument("--key", default="", metavar="KEY", help="keeps the owner's keys: local:NAME …; for a new owner")
    command("guest", "launch the guest once; what it shows, as conditions", written="conditions", agreement=False)
    seal = command("seal", "seal records for all owners", written="the sealed data set", agreement=False)
    seal.add_argument("records", type=Path, metavar="RECORDS")
    seal.add_argument("--owners", type=Path, nargs="+", required=True, metavar="CARD", help="all, all in one order")
    propose = command("propose", "write an agreement that nobody has approved", written="it", agreement=False)
    propose.add_argument("name", metavar="NAME")
    sets(propose)
    propose.add_argument("--conditions", type=Path, required=True, metavar="FILE", help="that the guest must meet")
    propose.add_argument("--asker", default="", metavar="OWNER", help="who may ask the guest; default: the first one")
    propose.add_argument("--max-age", type=int, default=_HOUR, metavar="SECONDS", help="of an owner's nonce")
    command("show", "what is agreed, and by whom")
    command("approve", "sign the agreement as this console's owner", written="it, signed")
    join = command("join", "put the signatures of several copies together", written="the joined agreement")
    join.add_argument("others", type=Path, nargs="+", metavar="COPY")
    command("nonce", "a nonce for whoever runs the guest")
    release = command("release", "release this owner's share to the guest of a request", written="the release")
    sets(release)
    release.add_argument("--request", type=Path, required=True, metavar="FILE")
    serve = command("serve", "run the guest, ask the owners, hand over what they release, and ask the guest")
    sets(serve)
    serve.add_argument("--nonce", action="append", default=[], metavar="OWNER=HEX", help="of each other owner")
    serve.add_argument("--request", type=Path, required=True, metavar="FILE", help="is written, for the other owners")
    serve.add_argument(
        "--releases", type=Path, nargs="*", default=[], metavar="FILE", help="of the other owners; waited for"
    )
    serve.add_argument("--wait", type=float, default=float(_HOUR), metavar="SECONDS", help="for them")
    serve.add_argument(
        "--count", action="append", nargs=2, default=[], metavar=("COLUMN", "VALUE"), help="ask how many rows have it"
    )


def run_share(options: argparse.Namespace, out: TextIO) -> int:
    """One command; its exit code. Raises InvalidInput and the other errors of `fleet.release.sharing`."""
    if options.share_command == "propose":
        return _propose(options, out)
    if options.share_command == "show":
        return _show(options, out)
    if options.share_command == "join":
        return _join(options, out)
    return asyncio.run(_run(options, out))


async def _run(options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.app.bootstrap import check_data_dir, default_data_dir, open_session

    session = await open_session(check_data_dir(options.data_dir or default_data_dir()), workers=1)
    try:
        sharing = session.sharing
        if sharing is None:
            raise BugError("The session shares no data; please report this")
        match options.share_command:
            case "card":
                await _card(sharing, options, out)
            case "seal":
                await _seal(sharing, options, out)
            case "approve":
                agreement = await sharing.approve(_agreement(options.agreement))
                await asyncio.to_thread(_write, options.out, agreement.encode())
                _say({"agreement": agreement.digest.hex()}, f"{agreement.name}: approved", options.json, out)
            case "nonce":
                nonce = await sharing.nonce(_agreement(options.agreement))
                _say({"nonce": nonce.hex()}, nonce.hex(), options.json, out)
            case "guest":
                await _guest(session, options, out)
            case "release":
                return await _release(sharing, options, out)
            case _:
                return await _serve(session, sharing, options, out)
        return 0
    finally:
        await session.aclose()


async def _card(sharing: DataSharing, options: argparse.Namespace, out: TextIO) -> None:
    card = await sharing.card(options.name, options.key)
    await asyncio.to_thread(_write, options.out, card.encode())
    told = {"owner": card.name, "fingerprint": card.fingerprint}
    _say(
        told,
        f"{card.name}: {card.fingerprint}\nCompare this fingerprint with the others by telephone.",
        options.json,
        out,
    )


async def _seal(sharing: DataSharing, options: argparse.Namespace, out: TextIO) -> None:
    cards = [_card_of(path) for path in options.owners]
    sealed = await sharing.seal(options.records, cards)
    await asyncio.to_thread(_write, options.out, sealed)
    told = {"sealed": str(options.out), "bytes": len(sealed), "owners": [card.name for card in cards]}
    _say(told, f"{options.out}: sealed for {', '.join(card.name for card in cards)}", options.json, out)


def _propose(options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.app.release_command import read_conditions
    from confvm_gui.domain.shared_data import propose

    sets = _sets(options.sets)
    owners = [owner.name for owner in sets[0].owners]
    if options.asker and owners.count(options.asker) != 1:
        raise InvalidInput("asker", f"Name one of the owners: {', '.join(owners)}")
    asker = owners.index(options.asker) if options.asker else 0
    conditions = read_conditions(options.conditions)
    agreement = propose(options.name, sets, conditions, asker=asker, max_age=options.max_age)
    _write(options.out, agreement.encode())
    _say({"agreement": agreement.digest.hex()}, _described(agreement), options.json, out)
    return 0


def _show(options: argparse.Namespace, out: TextIO) -> int:
    agreement = _agreement(options.agreement)
    told = {
        "name": agreement.name,
        "agreement": agreement.digest.hex(),
        "owners": [{"name": one.name, "fingerprint": one.fingerprint} for one in agreement.owners],
        "asker": agreement.owners[agreement.asker].name,
        "conditions": agreement.conditions.to_mapping(),
        "max_age": agreement.max_age,
        "missing": list(agreement.missing),
    }
    _say(told, _described(agreement), options.json, out)
    return 0


def _described(agreement: Agreement) -> str:
    lines = [f"{agreement.name}: {agreement.digest.hex()}"]
    lines += [
        f"  owner {one.name}: {one.fingerprint}" + ("" if signature else ", has not approved")
        for one, signature in zip(agreement.owners, agreement.signatures, strict=True)
    ]
    lines.append(f"  asked by {agreement.owners[agreement.asker].name}")
    lines += [f"  launch measurement {each.hex()}" for each in agreement.conditions.measurements]
    lines += [f"  policy {each}" for each in agreement.conditions.policies]
    lines += [f"  at least {name} = {value}" for name, value in sorted(agreement.conditions.minimum.items())]
    lines += [
        f"  signed below {root.name}" + (" (emulated)" if root.emulated else "") for root in agreement.conditions.roots
    ]
    return "\n".join(lines)


def _join(options: argparse.Namespace, out: TextIO) -> int:
    agreement = _agreement(options.agreement)
    for other in options.others:
        agreement = agreement.joined(_agreement(other))
    _write(options.out, agreement.encode())
    missing = list(agreement.missing)
    text = f"{agreement.name}: " + (
        f"not approved yet by {', '.join(missing)}" if missing else "approved by all owners"
    )
    _say({"agreement": agreement.digest.hex(), "missing": missing}, text, options.json, out)
    return 0


async def _guest(session: FleetSession, options: argparse.Namespace, out: TextIO) -> None:
    from confvm_gui.app.shared_guest import running_guest

    async with running_guest(session, None) as instance_id:
        if session.broker is None:
            raise BugError("The session releases no secrets; please report this")
        conditions = await session.broker.conditions_of(instance_id)
    text = json.dumps(conditions.to_mapping(), indent=1, sort_keys=True)
    await asyncio.to_thread(_write, options.out, text.encode() + b"\n")
    told = f"{options.out}: measurement {conditions.measurements[0].hex()}, policy {conditions.policies[0]}"
    _say(conditions.to_mapping(), told, options.json, out)


async def _release(sharing: DataSharing, options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.domain.shared_data import MOST_REQUEST, ReleaseRequest

    agreement = _agreement(options.agreement)
    request = ReleaseRequest.decode(read_file(options.request, "request", MOST_REQUEST))
    release = await sharing.release(agreement, _sets(options.sets), request)
    if release.given:
        await asyncio.to_thread(_write, options.out, release.sealed)
    findings = [{"code": one.code, "severity": one.severity.value} for one in release.findings]
    told = {"agreement": agreement.digest.hex(), "given": release.given, "reason": release.reason, "findings": findings}
    lines = [
        f"{agreement.name}: released to the guest" if release.given else f"{agreement.name}: REFUSED: {release.reason}"
    ]
    lines += [
        f"  {one.severity.value}: {one.code}: expected {one.expected or '(nothing)'}, found {one.actual or '(nothing)'}"
        for one in release.findings
    ]
    _say(told, "\n".join(lines), options.json, out)
    return 0 if release.given else 1


async def _serve(session: FleetSession, sharing: DataSharing, options: argparse.Namespace, out: TextIO) -> int:
    from confvm_gui.app.shared_guest import serve
    from confvm_gui.domain.query import Query, QueryVerb

    agreement = _agreement(options.agreement)
    queries = [Query(QueryVerb.COUNT, column, value) for column, value in options.count]

    def told(values: dict[str, object], text: str) -> None:
        _say(values, text, options.json, out)

    return await serve(
        session,
        sharing,
        agreement,
        _sets(options.sets),
        nonces=_nonces(agreement, options.nonce),
        request=options.request,
        releases=options.releases,
        seconds=options.wait,
        queries=queries,
        told=told,
    )


def _nonces(agreement: Agreement, given: Sequence[str]) -> dict[int, bytes]:
    """By number of the owner."""
    from confvm_gui.domain.guest_evidence import NONCE_SIZE

    owners, found = [owner.name for owner in agreement.owners], dict[int, bytes]()
    for each in given:
        name, _, text = each.rpartition("=")
        try:
            nonce = bytes.fromhex(text)
        except ValueError:
            nonce = b""
        if owners.count(name) != 1 or len(nonce) != NONCE_SIZE:
            raise InvalidInput("nonce", f"Give OWNER=HEX of {NONCE_SIZE} bytes; the owners are {', '.join(owners)}")
        found[owners.index(name)] = nonce
    return found


def _agreement(path: Path) -> Agreement:
    from confvm_gui.domain.shared_data import MOST_AGREEMENT, Agreement

    return Agreement.decode(read_file(path, "agreement", MOST_AGREEMENT))


def _card_of(path: Path) -> OwnerCard:
    from confvm_gui.domain.sealed_set import OwnerCard

    return OwnerCard.decode(read_file(path, "owners", 1 << 16))


def _sets(paths: Sequence[Path]) -> Sequence[SealedSet]:
    from confvm_gui.domain.sealed_set import MOST_CIPHERTEXT, SealedSet

    return [SealedSet.decode(read_file(path, "sets", MOST_CIPHERTEXT + (1 << 20))) for path in paths]


def _write(path: Path, data: bytes) -> None:
    from confvm_gui.fleet.whole_file import write_whole

    write_whole(path, [data])


def _say(told: Mapping[str, object], text: str, as_json: bool, out: TextIO) -> None:
    out.write((json.dumps(told, ensure_ascii=False) if as_json else text) + "\n")
    out.flush()
