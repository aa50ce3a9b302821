"""Man pages name all that the programs take, and are roff that nothing in a help text can break."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

import pytest
from installers.deb import parsers
from installers.manual import PAGES, man_page, subcommands

_EPOCH = 1_700_000_000
_MACROS = {".TH", ".SH", ".SS", ".PP", ".TP", ".nf", ".fi", ".RS", ".RE", ".BR"}


def _all(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for command, _ in subcommands(parser):
        yield from _all(command)


def _plain(page: str) -> str:
    return re.sub(r"\\f[BIR]", "", page).replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")


@pytest.mark.parametrize("program", PAGES)
def test_each_command_and_option_is_named(program: str) -> None:
    parser = parsers()[program]
    page = _plain(man_page(parser, version="1.2.3", epoch=_EPOCH))
    sections = dict(re.findall(r"^\.S[SH] (.+?)\n(.*?)(?=^\.S[SH] |\Z)", page, re.MULTILINE | re.DOTALL))
    for command in _all(parser):
        section = sections["OPTIONS" if command is parser else command.prog]
        for action in command._actions:
            if action.help is not argparse.SUPPRESS and not isinstance(action, argparse._HelpAction):
                assert all(name in section for name in action.option_strings)
    commands = [command.prog for command in _all(parser)][1:]
    assert set(commands) == {name for name in sections if name.startswith(f"{program} ")}
    assert len(commands) == len(set(commands))


@pytest.mark.parametrize("program", PAGES)
def test_only_known_requests_begin_a_line(program: str) -> None:
    page = man_page(parsers()[program], version="1.2.3", epoch=_EPOCH)
    assert {line.split()[0] for line in page.splitlines() if line.startswith((".", "'"))} <= _MACROS
    assert page.splitlines()[0] == f'.TH {program.upper()} 1 "2023-11-14" "ConfVM Console 1.2.3" "User Commands"'
    assert f"{program}".replace("-", "\\-") + " \\- " in page


def test_help_texts_are_escaped() -> None:
    parser = argparse.ArgumentParser(prog="confvm")
    parser.add_argument("--rule", metavar="R", help=".so and a \\ and 100%%, default %(default)s", default="-x")
    parser.add_argument("NAME")
    parser.add_argument("--secret", help=argparse.SUPPRESS)
    page = man_page(parser, version="1", epoch=0)
    assert "\\&.so and a \\e and 100%, default \\-x" in page.splitlines()
    assert "secret" not in page.replace("find secret", "")
    assert "(required)" not in page


def test_a_required_option_is_said_to_be() -> None:
    parser = argparse.ArgumentParser(prog="confvm-gui")
    parser.add_argument("--mode", choices=["a", "b"], required=True)
    lines = man_page(parser, version="1", epoch=0).splitlines()
    assert lines[lines.index("\\fB\\-\\-mode\\fR \\fI{a,b}\\fR") + 1] == "(required)"
