"""`confvm verify`: evidence from a file or a bundle, verified to pinned roots with what is at hand.

Nothing is fetched unless `--fetch` asks for it; what cannot be fetched is said on standard error, and by the verdict.
Exit code 0: trusted, 1: not trusted, 2: the evidence or another input is malformed. The verifiers are imported when
they are needed: the options of this command are part of every start of `confvm`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from confvm_gui.domain.errors import InvalidInput

if TYPE_CHECKING:
    from confvm_gui.domain.attestation import Endorsements, Evidence, Verdict


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
    from confvm_gui.fleet.attest.evidence_files import read_endorsements, read_evidence, read_reference

    evidence, endorsements, bundled_at = read_evidence(options.evidence, _parts(options.part))
    at = _time(options.at, bundled_at)
    reference = read_reference(
        options.reference, options.report_data, options.allow_debug, report_data_field="report-data"
    )
    endorsements += read_endorsements(options.endorsements)
    if options.fetch:
        endorsements += _fetch(evidence, endorsements, options.data_dir)
    verdict = evaluate(evidence, _each_once(endorsements), reference, at)
    if options.json:
        out.write(json.dumps(verdict_to_mapping(verdict), ensure_ascii=False) + "\n")
    else:
        print_verdict(verdict, out)
    return 0 if verdict.trusted else 1


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


def _parts(given: Iterable[str]) -> dict[str, bytes]:
    from confvm_gui.domain.attestation import EvidencePart
    from confvm_gui.fleet.attest.evidence_files import read_file

    parts: dict[str, bytes] = {}
    for text in given:
        name, separator, file = text.partition("=")
        if not separator or name not in set(EvidencePart):
            raise InvalidInput("part", f"{text[:60]!r} is not NAME=FILE with a NAME of {', '.join(EvidencePart)}")
        parts[name] = read_file(Path(file), "part")
    return parts


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
