"""Completions cover all commands and options, and bash completes by them."""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from installers.completions import PATHS, completions
from installers.deb import PROGRAMS, parsers
from installers.manual import own_actions, subcommands


def _all(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for command, _ in subcommands(parser):
        yield from _all(command)


@pytest.fixture(scope="module")
def scripts() -> dict[tuple[str, str], str]:
    """(program, shell) -> script."""
    return {
        (program, shell): text for program, parser in parsers().items() for shell, text in completions(parser).items()
    }


@pytest.mark.parametrize("shell", PATHS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_each_command_and_option_is_covered(scripts: dict[tuple[str, str], str], program: str, shell: str) -> None:
    text = scripts[program, shell]
    for command in _all(parsers()[program]):
        assert command.prog.rpartition(" ")[2] in text
        for action in own_actions(command):
            for name in action.option_strings:
                wanted = f"-l {name[2:]}" if shell == "fish" and name.startswith("--") else name
                assert wanted in text, f"{command.prog} {name}"


def _bash_completes(script: Path, *words: str) -> list[str]:
    """What bash would offer for the last of `words`."""
    asking = (
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_TYPE=9; '
        'function_name=$(complete -p "$1" | sed -n "s/.*-F \\([^ ]*\\).*/\\1/p"); '
        '"$function_name" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", asking, "bash", str(script), *words], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_bash_completes(scripts: dict[tuple[str, str], str], tmp_path: Path) -> None:
    script = tmp_path / "confvm"
    script.write_text(scripts["confvm", "bash"])
    assert _bash_completes(script, "confvm", "mea") == ["measure"]
    assert set(_bash_completes(script, "confvm", "key")) == {"keys"}
    assert "rotate" in _bash_completes(script, "confvm", "keys", "ro")
    assert "--no-confidential" in _bash_completes(script, "confvm", "run", "--no")
    assert set(_bash_completes(script, "confvm", "run", "--technology", "sev-")) == {"sev-es", "sev-snp"}
    (tmp_path / "records.csv").write_text("")
    assert _bash_completes(script, "confvm", "run", "--records", f"{tmp_path}/rec") == [f"{tmp_path}/records.csv"]
