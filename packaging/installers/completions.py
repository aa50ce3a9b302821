"""Completions for bash, zsh and fish, written by shtab from the programs' own options."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import shtab
from installers.manual import own_actions, subcommands

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "bash": "usr/share/bash-completion/completions/{program}",
        "zsh": "usr/share/zsh/vendor-completions/_{program}",
        "fish": "usr/share/fish/vendor_completions.d/{program}.fish",
    }
)
"""Shell -> where Debian's packages keep completions for it."""

_FOLDERS: Final = ("DIR", "FOLDER")
_FILES: Final = ("EVIDENCE", "FILE", "LOG", "PATH")


def completions(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Shell -> its completion script for the program."""
    _name_files(parser)
    return {shell: shtab.complete(parser, shell=shell) for shell in PATHS}


def _name_files(parser: argparse.ArgumentParser) -> None:
    """Tell shtab which values are files or folders, by the names that the help gives to them."""
    for action in own_actions(parser):
        metavar = action.metavar if isinstance(action.metavar, str) else ""
        kind = metavar.partition(".")[0].rstrip("0123456789")
        if kind in _FOLDERS:
            _complete_by(action, shtab.DIRECTORY)
        elif kind in _FILES:
            _complete_by(action, shtab.FILE)
    for command, _ in subcommands(parser):
        _name_files(command)


def _complete_by(action: argparse.Action, how: Mapping[str, object]) -> None:
    vars(action)["complete"] = how  # shtab looks for this attribute, which argparse does not declare
