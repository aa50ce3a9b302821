"""Man pages, written from the programs' own options: what argparse knows, with the sections that it cannot know.

Own code where a library exists: argparse-manpage has no one-line purpose under NAME, and folds the usage of a command
into a paragraph that cannot be read.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_EXIT_CONFVM: Final = (
    ("0", "done, trusted, compliant"),
    ("1", "no: not found, not intact, failed"),
    ("2", "bad input or usage, told in one line on standard error"),
    ("130", "ended by Ctrl-C"),
)
_EXIT_WINDOW: Final = (
    ("0", "closed; the tour or the self-test passed"),
    ("1", "the tour or the self-test failed"),
    ("2", "bad input or usage, told in one line on standard error"),
)
_FILES: Final = (
    ("~/.local/share/confvm-console", "instances, keys, evidence and events, unless --data-dir names another folder"),
    ("~/.local/state/confvm-console", "anchors by which a shortened log of events is noticed"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says beside its program's options."""

    purpose: str
    """In a few words, without a full stop."""
    text: Sequence[str]
    """Paragraphs."""
    exits: Sequence[tuple[str, str]]
    examples: Sequence[tuple[str, str]]
    """What for, and the command."""
    other: str
    """The page of the other program."""


PAGES: Final = {
    "confvm": Page(
        "launch, watch and prove confidential virtual machines",
        (
            "The command line of ConfVM Console. Results go to standard output, with --json for programs to read; "
            "diagnostics go to standard error.",
            "Without any hardware it works on an emulated AMD SEV host that is built in, and says so; with --connect "
            "on libvirt hosts.",
        ),
        _EXIT_CONFVM,
        (
            (
                "An instance in the foreground, and who can read a text in its memory:",
                "confvm run --name demo --for 20 --find secret",
            ),
            (
                "The launch digest that an SEV-SNP guest must have:",
                "confvm measure --mode snp --vcpus 4 --vcpu-type EPYC-v4 --ovmf OVMF.fd",
            ),
            ("Is this machine ready to host SEV guests:", "confvm host"),
        ),
        "confvm-gui",
    ),
    "confvm-gui": Page(
        "desktop console for confidential virtual machines",
        (
            "Opens the window of ConfVM Console: launch confidential virtual machines, see their memory as the "
            "hypervisor sees it beside what the guest sees, verify evidence of their launch to its root, and govern "
            "who may do what.",
            "With --tour or --self-test it needs no display.",
        ),
        _EXIT_WINDOW,
        (
            ("Does this installation work:", "confvm-gui --self-test"),
            ("Take the tour, and leave its pictures in a folder:", "confvm-gui --tour pictures"),
        ),
        "confvm",
    ),
}


def man_page(parser: argparse.ArgumentParser, *, version: str, epoch: int) -> str:
    """The page of a program, section 1, in roff. `epoch`: its date, in seconds since 1970.

    KeyError for a program that PAGES does not know.
    """
    page = PAGES[parser.prog]
    date = time.strftime("%Y-%m-%d", time.gmtime(epoch))
    lines = [
        f'.TH {parser.prog.upper()} 1 "{date}" "ConfVM Console {version}" "User Commands"',
        ".SH NAME",
        f"{_text(parser.prog)} \\- {_text(page.purpose)}",
        ".SH SYNOPSIS",
        *_usage(parser),
        ".SH DESCRIPTION",
        *_paragraphs(page.text),
        ".SH OPTIONS",
        *_options(parser),
    ]
    commands = list(_commands(parser))
    if commands:
        lines.append(".SH COMMANDS")
        for command, purpose in commands:
            lines += _command(command, purpose)
    lines += [".SH EXIT STATUS", *_pairs(page.exits), ".SH FILES", *_pairs(_FILES), ".SH EXAMPLES"]
    for what, example in page.examples:
        lines += [".PP", _text(what), ".PP", ".nf", ".RS", _text(example), ".RE", ".fi"]
    lines += [".SH SEE ALSO", f".BR {_text(page.other)} (1)"]
    return "\n".join(lines) + "\n"


def subcommands(parser: argparse.ArgumentParser) -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """The commands right below a parser, with the help text of each."""
    # argparse has no public way to its tree; shtab, which writes the completions, goes the same.
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            purposes = {choice.dest: choice.help or "" for choice in action._choices_actions}
            seen: set[int] = set()
            for name, command in action.choices.items():
                if id(command) not in seen:  # an alias
                    seen.add(id(command))
                    yield command, purposes.get(name, "")


def own_actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Its options and arguments: neither `--help` nor its commands, nor what is not told to anybody."""
    return [
        action
        for action in parser._actions
        if not isinstance(action, argparse._SubParsersAction | argparse._HelpAction)
        and action.help is not argparse.SUPPRESS
    ]


def _commands(parser: argparse.ArgumentParser) -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """All that can be called, each command before those below it."""
    for command, purpose in subcommands(parser):
        yield command, purpose
        yield from _commands(command)


def _command(parser: argparse.ArgumentParser, purpose: str) -> list[str]:
    lines = [f".SS {_text(parser.prog)}", *_usage(parser)]
    text = parser.description or (purpose[:1].upper() + purpose[1:] + ("." if purpose else ""))
    if text:
        lines += [".PP", _text(text)]
    return lines + _options(parser)


def _usage(parser: argparse.ArgumentParser) -> list[str]:
    usage = parser.format_usage().removeprefix("usage: ").rstrip()
    return [".nf", *(_text(line.removeprefix(" " * 7)) for line in usage.splitlines()), ".fi"]


def _options(parser: argparse.ArgumentParser) -> list[str]:
    lines: list[str] = []
    for action in own_actions(parser):
        told = _help(parser, action)
        if told or action.option_strings:  # of an argument without a word about it, the usage says as much
            lines += [".TP", _heading(action), _text(told) or "\\&"]
    return lines


def _heading(action: argparse.Action) -> str:
    value = _value(action)
    if not action.option_strings:
        return f"\\fI{value}\\fR"
    names = ", ".join(f"\\fB{_text(name)}\\fR" for name in action.option_strings)
    return f"{names} \\fI{value}\\fR" if value else names


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    if isinstance(action.metavar, tuple):
        return _text(" ".join(action.metavar))
    if action.metavar is None and action.choices is not None:
        return _text("{" + ",".join(str(choice) for choice in action.choices) + "}")
    return _text(action.metavar or (action.dest.upper() if action.option_strings else action.dest))


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    text = parser._get_formatter()._expand_help(action) if action.help else ""
    if action.required and action.option_strings:
        text = f"{text} (required)".strip()
    return text


def _paragraphs(texts: Sequence[str]) -> list[str]:
    return [line for text in texts for line in (".PP", _text(text))]


def _pairs(pairs: Sequence[tuple[str, str]]) -> list[str]:
    return [line for name, text in pairs for line in (".TP", f"\\fB{_text(name)}\\fR", _text(text))]


def _text(text: str) -> str:
    """Free text for roff: no character of it is taken for a request, no hyphen for a dash."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + escaped if escaped.startswith((".", "'")) else escaped
