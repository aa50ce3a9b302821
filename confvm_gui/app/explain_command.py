"""`confvm explain`: what a `ret` and `fw_error` of kernel, QEMU or firmware mean, by command.

Exit code 0: explained, 1: the text that was given tells of no refusal, 2: bad input.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from confvm_gui.domain.errors import InvalidInput

if TYPE_CHECKING:
    from confvm_gui.attestation.refusal import Explanation, Refusal


def add_explain_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parents: Sequence[argparse.ArgumentParser]
) -> None:
    """Add `explain` and its options to the command line; `parents` give `--json`."""
    parser = commands.add_parser(
        "explain", parents=list(parents), help="why kernel or SEV firmware refused: ret, fw_error, or a log line"
    )
    parser.add_argument(
        "text", nargs="*", metavar="LOG", help="a line of QEMU's or the kernel's log in quotes; - reads standard input"
    )
    parser.add_argument("--ret", metavar="N", help="the kernel's result, such as -5 or EIO")
    parser.add_argument("--fw-error", metavar="N", help="the firmware's status, such as 0x7 or 7")
    parser.add_argument("--command", dest="sev_command", metavar="NAME", help="such as LAUNCH_START or 0x30")


def run_explain(options: argparse.Namespace, out: TextIO) -> int:
    """0 if something was explained. Raises InvalidInput naming the option."""
    from confvm_gui.attestation.refusal import explain

    refusals = _refusals(options)
    if not refusals:
        sys.stderr.write("confvm: the text names no ret, fw_error or refused command\n")
        return 1
    explanations = [explain(refusal) for refusal in refusals]
    if options.json:
        json.dump([explanation_to_mapping(entry) for entry in explanations], out, indent=2, ensure_ascii=False)
        out.write("\n")
        return 0
    for number, entry in enumerate(explanations):
        out.write("\n" if number else "")
        _print(entry, out)
    return 0


def explanation_to_mapping(explanation: Explanation) -> dict[str, object]:
    """JSON-able."""
    refusal = explanation.refusal
    return {
        "command": None if refusal.command is None else refusal.command.name,
        "ret": refusal.ret,
        "errno": explanation.errno_name,
        "fw_error": refusal.fw_error,
        "status": explanation.status_name,
        "summary": explanation.summary,
        "states": explanation.states,
        "checks": list(explanation.checks),
    }


def _print(explanation: Explanation, out: TextIO) -> None:
    refusal = explanation.refusal
    parts = [] if refusal.command is None else [refusal.command.name]
    if refusal.ret is not None:
        parts.append(f"ret {refusal.ret}" + (f" ({explanation.errno_name})" if explanation.errno_name else ""))
    if refusal.fw_error is not None:
        code = "-1" if refusal.fw_error < 0 else f"{refusal.fw_error:#x}"
        parts.append(f"fw_error {code}" + (f" ({explanation.status_name})" if explanation.status_name else ""))
    out.write(f"{', '.join(parts)}\n{explanation.summary}\n")
    if explanation.states:
        out.write(f"{explanation.states}\n")
    if explanation.checks:
        out.write("What to check:\n")
    for check in explanation.checks:
        out.write(f"  - {check}\n")


def _refusals(options: argparse.Namespace) -> tuple[Refusal, ...]:
    from confvm_gui.attestation.refusal import Refusal, find_refusals
    from confvm_gui.attestation.refusal.log_line import LARGEST_TEXT, command_of

    command = None
    if options.sev_command is not None:
        command = command_of(options.sev_command)
        if command is None:
            raise InvalidInput("command", f"{options.sev_command[:40]!r} is no command of the SEV firmware")
    if options.text:
        if options.ret is not None or options.fw_error is not None:
            raise InvalidInput("ret", "Give either a log line or the numbers, not both")
        text = sys.stdin.read(LARGEST_TEXT) if options.text == ["-"] else " ".join(options.text)
        found = find_refusals(text)
        if command is None:
            return found
        return tuple(Refusal(refusal.ret, refusal.fw_error, command) for refusal in found)
    ret = None if options.ret is None else _ret(options.ret)
    fw_error = None if options.fw_error is None else _number("fw-error", options.fw_error)
    return (Refusal(ret, fw_error, command),)


def _ret(text: str) -> int:
    import errno

    name = text.strip().removeprefix("-").upper()
    for number, known in errno.errorcode.items():
        if known == name:
            return -number
    return _number("ret", text)


def _number(option: str, text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise InvalidInput(option, f"{text[:40]!r} is no number; give it as 7 or 0x7") from None
