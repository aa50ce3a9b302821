"""`confvm verify`: evidence from a file or a bundle, verified to pinned roots with what is at hand.

Nothing is fetched unless `--fetch` asks for it; what cannot be fetched is said on standard error, and by the verdict.
Exit code 0: trusted, 1: not trusted, 2: the evidence or another input is malformed. The verifiers are imported when
they are needed: the options of this command are part of every start of `confvm`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TextIO

from confvm_gui.domain.errors import InvalidInput

if TYPE_CHECKING:
    from confvm_gui.domain.attestation import Endorsements, Evidence, ReferenceValues, Verdict

_LARGEST_EVIDENCE: Final = 8 << 20
"""Bytes. The largest event log that a machine hands out is 1 MiB."""
_LARGEST_FILE: Final = 2 << 20
"""Bytes of an endorsement or of a reference file."""
_MOST_ENDORSEMENTS: Final = 256
"""Files in all of `--endorsements`."""


def add_verify_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parents: Sequence[argparse.ArgumentParser]
) -> None:
    """Add `verify` and its options to the command line; `parents` give `--json`."""
    parser = commands.add_parser("verify", parents=list(parents), help="verify evidence to its manufacturer's root")
    parser.add_argument(
        "evidence", type=Path, metavar="EVIDENCE", help="report, quote, event log, attestation document or bundle"
    )
    parser.add_argument(
        "--endorsements",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="PATH",
        help="certificates, revocation lists and collateral: files, or folders of them",
    )
    parser.add_argument(
        "--part",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="what stands beside the evidence: signature, pcrs, event-log, ak-public, ak-certificate …",
    )
    parser.add_argument("--reference", type=Path, metavar="FILE", help="expected values, as JSON or TOML")
    parser.add_argument("--report-data", metavar="HEX", help="nonce or hash that the evidence must carry")
    parser.add_argument(
        "--at", metavar="TIME", help="verify as of this time (ISO 8601; default: now), or as of a bundle's (bundle)"
    )
    parser.add_argument("--fetch", action="store_true", help="ask AMD, Intel and Google for endorsements that lack")
    parser.add_argument("--allow-debug", action="store_true", help="accept a policy that lets the host read memory")


def run_verify(options: argparse.Namespace, out: TextIO) -> int:
    """0 if trusted, 1 if not. Raises InvalidInput naming the option."""
    from confvm_gui.attestation.verify import evaluate

    evidence, endorsements, bundled_at = read_evidence(options.evidence, _parts(options.part))
    at = _time(options.at, bundled_at)
    reference = _reference(options)
    endorsements += _endorsements(options.endorsements)
    if options.fetch:
        endorsements += _fetch(evidence, endorsements, options.data_dir)
    verdict = evaluate(evidence, _each_once(endorsements), reference, at)
    if options.json:
        out.write(json.dumps(verdict_to_mapping(verdict), ensure_ascii=False) + "\n")
    else:
        print_verdict(verdict, out)
    return 0 if verdict.trusted else 1


def read_evidence(
    path: Path, parts: Mapping[str, bytes] = MappingProxyType({})
) -> tuple[Evidence, Endorsements, datetime | None]:
    """Evidence from a file or a bundle, with the endorsements and the time of the bundle. Raises InvalidInput.

    `parts` stand beside those that a bundle has, and in front of them.
    """
    from confvm_gui.attestation.bundle import is_bundle, unpack
    from confvm_gui.domain.attestation import Endorsements, Evidence

    data = _read(path, "evidence", _LARGEST_EVIDENCE)
    if not is_bundle(data):
        return Evidence(data, parts=parts), Endorsements(), None
    bundle = unpack(data)
    evidence = replace(bundle.evidence, parts=MappingProxyType({**bundle.evidence.parts, **parts}))
    return evidence, bundle.endorsements, bundle.at


def _fetch(evidence: Evidence, given: Endorsements, data_dir: Path | None) -> Endorsements:
    """What lacks, from the cache or its publishers; a problem is said, and the verdict stands on what is there."""
    import asyncio

    from confvm_gui.app.endorsements_command import fetch_lacking, open_endorsements

    fetched, problem = asyncio.run(fetch_lacking(open_endorsements(data_dir), evidence, given))
    if problem:
        sys.stderr.write(f"confvm: {problem}\n")
    return fetched


def _each_once(given: Endorsements) -> Endorsements:
    from confvm_gui.domain.attestation import Endorsements

    return Endorsements(
        tuple(dict.fromkeys(given.certificates)),
        tuple(dict.fromkeys(given.crls)),
        tuple(dict.fromkeys(given.amd_certificates)),
        tuple(dict.fromkeys(given.documents)),
    )


def verdict_to_mapping(verdict: Verdict) -> dict[str, object]:
    """JSON-able."""
    return {
        "verdict": "trusted" if verdict.trusted else "untrusted",
        "format": verdict.format.value,
        "emulated": verdict.emulated,
        "claims": verdict.claim_values(),
        "findings": [
            {
                "code": finding.code,
                "severity": finding.severity.value,
                "expected": finding.expected,
                "actual": finding.actual,
                "source": finding.source,
            }
            for finding in verdict.findings
        ],
    }


def print_verdict(verdict: Verdict, out: TextIO) -> None:
    emulated = " (its root is emulated: it proves nothing about hardware)" if verdict.emulated else ""
    out.write(f"{verdict.format.value}: {'trusted' if verdict.trusted else 'NOT TRUSTED'}{emulated}\n")
    for link in verdict.links:
        out.write(f"  {'holds' if link.verified else 'FAILS'}  {link.name}, vouched for by {link.issuer or 'nobody'}\n")
    matches = verdict.claim("certificate.matches")
    if isinstance(matches, tuple):
        names = ", ".join(name.removesuffix("_tcb") for name in matches) or "none of the report's"
        out.write(f"  The certificate's TCB ({verdict.claim('certificate.tcb')}) is: {names}\n")
    for finding in verdict.findings:
        out.write(f"  {finding.severity.value}: {finding.code}: {finding.source}\n")
        out.write(
            f"    expected {finding.expected or '(nothing was said)'}\n    found    {finding.actual or '(nothing)'}\n"
        )


def _endorsements(paths: Iterable[Path]) -> Endorsements:
    from confvm_gui.attestation.endorsement_files import gather

    files: list[Path] = []
    for path in paths:
        files.extend(sorted(entry for entry in path.iterdir() if entry.is_file()) if path.is_dir() else [path])
    if len(files) > _MOST_ENDORSEMENTS:
        raise InvalidInput("endorsements", f"{len(files)} files were given; at most {_MOST_ENDORSEMENTS} are read")
    return gather(_read(file, "endorsements", _LARGEST_FILE) for file in files)


def _parts(given: Iterable[str]) -> dict[str, bytes]:
    from confvm_gui.domain.attestation import EvidencePart

    parts: dict[str, bytes] = {}
    for text in given:
        name, separator, file = text.partition("=")
        if not separator or name not in set(EvidencePart):
            raise InvalidInput("part", f"{text[:60]!r} is not NAME=FILE with a NAME of {', '.join(EvidencePart)}")
        parts[name] = _read(Path(file), "part", _LARGEST_EVIDENCE)
    return parts


def _reference(options: argparse.Namespace) -> ReferenceValues:
    from confvm_gui.domain.attestation import ReferenceValues

    values = ReferenceValues()
    if options.reference is not None:
        from confvm_gui.attestation.reference_file import parse_reference_values

        values = parse_reference_values(_read(options.reference, "reference", _LARGEST_FILE))
    if options.report_data is not None:
        try:
            values = replace(values, report_data=bytes.fromhex(options.report_data))
        except ValueError:
            raise InvalidInput("report-data", "Give the bytes as hexadecimal digits, two for each byte") from None
    return replace(values, allow_debug=True) if options.allow_debug else values


def _time(text: str | None, bundled: datetime | None) -> datetime:
    """A bundle's own time only if it is asked for: whoever made the bundle chose it, before a revocation perhaps."""
    if text is None:
        return datetime.now(UTC)
    if text == "bundle":
        if bundled is None:
            raise InvalidInput("at", "The evidence is no bundle, or one without a time; give the time itself")
        return bundled
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput("at", f"{text[:40]!r} is not a time; give it as 2026-11-23T12:00:00Z") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _read(path: Path, field: str, largest: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except OSError as error:
        raise InvalidInput(field, f"{path} cannot be read: {error.strerror}") from error
    if len(data) > largest:
        raise InvalidInput(field, f"{path} has more than {largest >> 20} MiB: this is no {field}")
    return data
