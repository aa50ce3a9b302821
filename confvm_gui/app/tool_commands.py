"""Commands that answer one question each: solve, explain, host, id-block, ovmf; policy asks a data directory too."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TextIO


def add_tool_parsers(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parents: Sequence[argparse.ArgumentParser]
) -> None:
    """Add all of them to the command line; `parents` give `--json`."""
    from confvm_gui.app.explain_command import add_explain_parser
    from confvm_gui.app.host_command import add_host_parser
    from confvm_gui.app.id_block_command import add_id_block_parser
    from confvm_gui.app.ovmf_command import add_ovmf_parser
    from confvm_gui.app.policy_command import add_policy_parser
    from confvm_gui.app.solve_command import add_solve_parser

    for add in (
        *(add_solve_parser, add_explain_parser, add_host_parser, add_id_block_parser, add_ovmf_parser),
        add_policy_parser,
    ):
        add(commands, parents)


def run_tool(options: argparse.Namespace, out: TextIO) -> int | None:
    """Run the command that `options` name; its exit code, or None if it is none of these."""
    match options.command:
        case "solve":
            from confvm_gui.app.solve_command import run_solve

            return run_solve(options, out)
        case "explain":
            from confvm_gui.app.explain_command import run_explain

            return run_explain(options, out)
        case "host":
            from confvm_gui.app.host_command import run_host

            return run_host(options, out)
        case "id-block":
            from confvm_gui.app.id_block_command import run_id_block

            return run_id_block(options, out)
        case "ovmf":
            from confvm_gui.app.ovmf_command import run_ovmf

            return run_ovmf(options, out)
        case "policy":
            from confvm_gui.app.policy_command import run_policy

            return run_policy(options, out)
    return None
