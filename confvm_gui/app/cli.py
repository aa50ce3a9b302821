"""`confvm`: the command line.

Results go to standard output, diagnostics to standard error. Exit codes: 0 done, trusted, compliant; 1 no: not found,
not intact, failed; 2 bad input or usage, one clear line. 130 after Ctrl-C.

Short commands stay short: what only some commands need (asyncio, logging, their own modules) is imported by those.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from confvm_gui import __version__
from confvm_gui.domain.errors import ConfvmError, InvalidInput, ReadOnly, StoreError

if TYPE_CHECKING:
    from pathlib import Path

_USAGE = 2
_NO = 1
_INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """One line on standard error and exit 2, as for every bad input."""

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{self.prog}: {message}\n")
        raise SystemExit(_USAGE)


def build_parser() -> argparse.ArgumentParser:
    """The whole command surface."""
    parser = _Parser(prog="confvm", description="Launch, watch and prove confidential virtual machines.")
    parser.add_argument("--version", action="version", version=f"confvm {__version__}")
    commands: argparse._SubParsersAction[argparse.ArgumentParser] = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=_Parser
    )
    everywhere = _everywhere()

    catalog = commands.add_parser("catalog", parents=[everywhere], help="what can be chosen, with its sources")
    catalog.add_argument("what", choices=["images", "regions", "machine-types", "technologies"])
    catalog.add_argument("--provider", metavar="P", help="one cloud's entries only")

    run = commands.add_parser(
        "run", parents=[everywhere], help="run an embedded instance in the foreground, its console on standard output"
    )
    run.add_argument("--name", required=True, metavar="N")
    run.add_argument("--region", metavar="R", help="default: a region that offers the technology")
    run.add_argument("--machine-type", metavar="T")
    run.add_argument("--image", metavar="I")
    run.add_argument("--cloud", default="gce", metavar="C", help="whose catalogue the names are from (default: gce)")
    run.add_argument("--no-confidential", dest="confidential", action="store_false", help="a plain instance")
    run.add_argument("--technology", choices=["sev", "sev-es", "sev-snp"], default="sev")
    run.add_argument("--records", type=_path, metavar="FILE", help="CSV file that the guest works on")
    run.add_argument("--for", dest="seconds", type=_seconds, metavar="SECONDS", help="end after so long")
    run.add_argument("--find", metavar="TEXT", help="at the end, say in which views of memory the text is readable")

    run.add_argument(
        "--attest", action="store_true", help="ask the instance who vouches for it and verify that; exit 1 if untrusted"
    )

    connecting = _connecting(everywhere)
    listing = commands.add_parser(
        "list", parents=[connecting], help="all instances; with --connect also what hosts say now"
    )
    listing.add_argument("--csv", action="store_true", help="as a table for spreadsheets, with every field")
    show = commands.add_parser("show", parents=[connecting], help="one instance")
    show.add_argument("name", metavar="NAME")

    from confvm_gui.app.hosts_commands import add_hosts_parsers

    add_hosts_parsers(commands, [connecting])
    from confvm_gui.app.attest_command import add_attest_parser

    add_attest_parser(commands, [everywhere])

    from confvm_gui.app.exposure_command import add_scan_parser

    add_scan_parser(commands, [connecting])

    from confvm_gui.app.audit_command import add_audit_parser

    add_audit_parser(commands, [everywhere])
    from confvm_gui.app.roles_command import add_roles_parsers

    add_roles_parsers(commands, [everywhere])

    from confvm_gui.app.measure_command import add_measure_parser

    add_measure_parser(commands, [everywhere])
    from confvm_gui.app.verify_command import add_verify_parser

    add_verify_parser(commands, [everywhere])
    from confvm_gui.app.endorsements_command import add_endorsements_parser

    add_endorsements_parser(commands, [everywhere])

    from confvm_gui.app.images_command import add_images_parser

    add_images_parser(commands, [everywhere])

    from confvm_gui.app.accounts_command import add_accounts_parser

    add_accounts_parser(commands, [everywhere])

    from confvm_gui.app.keys_command import add_keys_parser

    add_keys_parser(commands, [everywhere])
    from confvm_gui.app.release_command import add_release_parser
    from confvm_gui.app.share_command import add_share_parser

    add_release_parser(commands, [everywhere])
    add_share_parser(commands, [everywhere])

    from confvm_gui.app.tool_commands import add_tool_parsers

    add_tool_parsers(commands, [everywhere])

    bench = commands.add_parser("bench", parents=[everywhere], help="measure, each figure against its reference")
    bench.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    return parser


def build_measure_parser() -> argparse.ArgumentParser:
    """`confvm measure` alone."""
    from confvm_gui.app.measure_command import add_measure_parser

    parser = _Parser(prog="confvm")
    commands: argparse._SubParsersAction[argparse.ArgumentParser] = parser.add_subparsers(
        dest="command", parser_class=_Parser
    )
    add_measure_parser(commands, [_everywhere()])
    return parser


def _everywhere() -> _Parser:
    parser = _Parser(add_help=False)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--data-dir", type=_path, metavar="DIR", help="where the console keeps its data")
    return parser


def _connecting(everywhere: _Parser) -> _Parser:
    from confvm_gui.app.hosts_commands import add_connect_option

    parser = _Parser(add_help=False, parents=[everywhere])
    add_connect_option(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    # A digest is asked for in loops: the options of the other commands take as long as the digest itself.
    parser = build_measure_parser() if words[:1] == ["measure"] else build_parser()
    options = parser.parse_args(words)
    try:
        code = _dispatch(options)
        sys.stdout.flush()
        return code
    except InvalidInput as error:
        _complain(f"{error.field}: {error.message}")
        return _USAGE
    except (StoreError, ReadOnly) as error:
        _complain(error.message)
        return _USAGE
    except ConfvmError as error:
        _complain(error.message)
        return _NO
    except BrokenPipeError:
        _let_go_of_output()  # whoever read it has seen enough
        return 0
    except OSError as error:
        # Files that are named on the command line have errors of their own: this is standard output on a full disk.
        _let_go_of_output()
        _complain(f"the output cannot be written: {error.strerror or error}")
        return _USAGE
    except KeyboardInterrupt:
        return _INTERRUPTED


def _dispatch(options: argparse.Namespace) -> int:
    if options.command == "catalog":
        from confvm_gui.app.catalog_command import run_catalog

        return run_catalog(options.what, options.provider, options.json, sys.stdout)
    if options.command == "measure":
        from confvm_gui.app.measure_command import run_measure

        return run_measure(options, sys.stdout)
    if options.command == "verify":
        from confvm_gui.app.verify_command import run_verify

        return run_verify(options, sys.stdout)
    if options.command == "endorsements":
        from confvm_gui.app.endorsements_command import run_endorsements

        return run_endorsements(options, sys.stdout)
    if options.command == "images":
        from confvm_gui.app.images_command import run_images

        return run_images(options, sys.stdout)
    if options.command == "keys":
        from confvm_gui.app.keys_command import run_keys

        return run_keys(options, sys.stdout)
    if options.command == "release":
        from confvm_gui.app.release_command import run_release

        return run_release(options, sys.stdout)
    if options.command == "share":
        from confvm_gui.app.share_command import run_share

        return run_share(options, sys.stdout)
    from confvm_gui.app.tool_commands import run_tool

    answer = run_tool(options, sys.stdout)
    return _dispatch_long(options) if answer is None else answer


def _dispatch_long(options: argparse.Namespace) -> int:
    """Commands that open a data directory or run for a while."""
    import asyncio

    from confvm_gui.app.logs import set_up_logging

    set_up_logging(debug=False)
    if options.command == "run":
        from confvm_gui.app.run_command import RunOptions, run_instance

        return asyncio.run(
            run_instance(
                RunOptions(
                    name=options.name,
                    cloud=options.cloud,
                    region=options.region,
                    machine_type=options.machine_type,
                    image=options.image,
                    technology=options.technology if options.confidential else "none",
                    records=options.records,
                    seconds=options.seconds,
                    find=options.find,
                    as_json=options.json,
                    data_dir=options.data_dir,
                    attest=options.attest,
                ),
                sys.stdout,
            )
        )
    if options.command == "attest":
        from confvm_gui.app.attest_command import run_attest

        return asyncio.run(run_attest(options, sys.stdout))
    if options.command == "scan":
        from confvm_gui.app.exposure_command import run_scan

        return asyncio.run(run_scan(options, sys.stdout))
    if options.command == "accounts":
        from confvm_gui.app.accounts_command import run_accounts

        return asyncio.run(run_accounts(options, sys.stdout))
    if options.command == "bench":
        from confvm_gui.app.bench_command import run_bench

        return run_bench(options.names, options.json, sys.stdout)
    if options.command in ("create", "start", "stop", "delete", "peek"):
        from confvm_gui.app import hosts_commands

        run = hosts_commands.run_peek if options.command == "peek" else hosts_commands.run_act
        return asyncio.run(run(options, sys.stdout))
    from confvm_gui.app import store_commands

    if options.command == "list":
        listing = store_commands.list_instances(
            options.data_dir, options.json, sys.stdout, connect=options.connect, as_csv=options.csv
        )
        return asyncio.run(listing)
    if options.command == "show":
        return asyncio.run(
            store_commands.show_instance(
                options.data_dir, options.name, options.json, sys.stdout, connect=options.connect
            )
        )
    if options.command == "audit":
        from confvm_gui.app.audit_command import run_audit

        return asyncio.run(run_audit(options, sys.stdout))
    from confvm_gui.app import roles_command

    run_it = roles_command.run_roles if options.command == "roles" else roles_command.run_approvals
    return asyncio.run(run_it(options, sys.stdout))


def _path(text: str) -> Path:
    from pathlib import Path

    return Path(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    if not 0 < value <= 86400 * 365:
        raise argparse.ArgumentTypeError(f"{text} seconds cannot be waited for")
    return value


def _let_go_of_output() -> None:
    """Keep Python from complaining at exit, when it flushes what nobody can read."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _complain(message: str) -> None:
    sys.stderr.write(f"confvm: {message}\n")


if __name__ == "__main__":
    sys.exit(main())
