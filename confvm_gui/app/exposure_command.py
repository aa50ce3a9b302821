"""`confvm scan`: which texts can the host read in the RAM of an instance on a libvirt host?

Looking only, as `confvm peek`: it works beside a console that is open, and writes nothing into its data directory.
Exit code 0: none, 1: at least one (or the scan could not be done). Texts on a command line are seen by everybody on the
computer: `--find-file` reads them from a file, one a line, `-` from standard input.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from confvm_gui.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from confvm_gui.domain.exposure import ExposureResult
    from confvm_gui.domain.ports.provider import Provider
    from confvm_gui.fleet.exposure.terms import Term

    HostsOpener = Callable[[Path | None, Sequence[str]], AbstractAsyncContextManager[Mapping[str, Provider]]]

_LONGEST_FILE = 1 << 20
"""Characters."""


def add_scan_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parents: Sequence[argparse.ArgumentParser]
) -> None:
    """Add `scan` and its options to the command line; `parents` give `--json`, `--data-dir` and `--connect`."""
    parser = commands.add_parser(
        "scan", parents=list(parents), help="search an instance's RAM, as its libvirt host sees it, for your texts"
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--find", action="append", default=[], metavar="TEXT", help="in UTF-8 and UTF-16LE; repeatable")
    parser.add_argument("--find-file", type=Path, metavar="FILE", help="texts, one a line; - for standard input")
    parser.add_argument("--hex", action="append", default=[], metavar="BYTES", help="bytes in hexadecimal; repeatable")
    parser.add_argument(
        "--pattern", action="append", default=[], metavar="REGEX", help="regular expression over bytes; repeatable"
    )
    parser.add_argument("--provider", metavar="P", help="where two hosts have an instance of this name")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the result as JSON as well")


async def run_scan(options: argparse.Namespace, out: TextIO, hosts: HostsOpener | None = None) -> int:
    """0 if the host reads none of the texts, 1 if it reads one. `hosts` connects to the hosts of the options.

    Raises InvalidInput naming the option, NotFound, StoreError, Unsupported or WrongState with the reason.
    """
    from confvm_gui.app.hosts_commands import connected_hosts, find_instance, live_instances
    from confvm_gui.domain.errors import Unsupported
    from confvm_gui.domain.memory import Viewer
    from confvm_gui.domain.ports.provider import Capability, HasMemory
    from confvm_gui.fleet.exposure.report import to_mapping, write_json
    from confvm_gui.fleet.exposure.service import scan_sources

    terms = _terms(options)
    kept: list[ExposureResult] = []
    async with (hosts or connected_hosts)(options.data_dir, options.connect) as providers:
        if not providers:
            raise InvalidInput(
                "connect",
                "No host is connected: give --connect URI, or add one on the page Hosts; an embedded instance lives "
                "inside a console: use its tab Exposure, or confvm run --find",
            )
        instance = find_instance(await live_instances(providers), options.name, options.provider)
        provider = providers[instance.provider]
        reason = provider.reason_unsupported(Capability.MEMORY_HYPERVISOR)
        if reason or not isinstance(provider, HasMemory):
            raise Unsupported(reason or "This provider shows no memory")
        source = provider.memory(instance.id, Viewer.HYPERVISOR)
        await scan_sources(instance, [source], terms, lambda _: None, kept.append)
    (result,) = kept
    if options.output is not None:
        write_json(result, options.output)
    if options.json:
        out.write(json.dumps(to_mapping(result), ensure_ascii=False) + "\n")
    else:
        _print(result, out)
    return 1 if result.readable_by_host else 0


def _terms(options: argparse.Namespace) -> tuple[Term, ...]:
    from confvm_gui.fleet.exposure.terms import hex_term, numbered, pattern_term, text_term

    texts = [*options.find, *(_lines(options.find_file) if options.find_file is not None else [])]
    return numbered(
        [
            *(text_term(text) for text in texts),
            *(hex_term(digits) for digits in options.hex),
            *(pattern_term(expression) for expression in options.pattern),
        ]
    )


def _lines(path: Path) -> list[str]:
    try:
        if str(path) == "-":
            text = sys.stdin.read(_LONGEST_FILE)
        else:
            with path.open(encoding="utf-8") as file:
                text = file.read(_LONGEST_FILE)
    except (OSError, UnicodeError) as error:
        raise InvalidInput("find-file", f"{path} cannot be read: {error}") from None
    return [line for line in text.splitlines() if line]


def _print(result: ExposureResult, out: TextIO) -> None:
    from confvm_gui.app.store_commands import print_table

    rows = [
        (
            each.term.label,
            each.viewer.value,
            each.readability.value,
            str(each.count),
            f"{each.places[0].gpa:#x}" if each.places else "",
            each.places[0].kind.name if each.places else "",
        )
        for each in result.exposures
    ]
    print_table(("what", "view", "result", "places", "first at", "page"), rows, out)
    for scan in result.scans:
        rate = scan.searched / (1 << 20) / max(scan.seconds, 1e-6)
        out.write(f"searched {scan.searched >> 20} MiB as the {scan.viewer.value} sees it, {rate:.0f} MiB/s\n")
    if result.note:
        out.write(result.note + "\n")
