"""Which of several files is the evidence, which are endorsements, and which tells what is expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_ENDORSEMENTS = frozenset({".pem", ".crt", ".cer", ".der", ".crl", ".cert"})
_REFERENCES = frozenset({".toml"})


@dataclass(frozen=True, slots=True)
class GivenFiles:
    """Files by what they are for."""

    evidence: Path | None
    endorsements: tuple[Path, ...] = ()
    reference: Path | None = None
    left_out: tuple[Path, ...] = ()
    """Could be evidence too, but one is verified at a time."""


def sort_out(paths: Sequence[Path]) -> GivenFiles:
    """By the ends of their names: a single file is the evidence, whatever its name; so are all that say nothing.

    Folders are endorsements, as for `confvm verify --endorsements`.
    """
    if len(paths) == 1 and not paths[0].is_dir():
        return GivenFiles(paths[0])
    endorsements: list[Path] = []
    references: list[Path] = []
    others: list[Path] = []
    for path in paths:
        suffix = path.suffix.lower()
        if path.is_dir() or suffix in _ENDORSEMENTS:
            endorsements.append(path)
        elif suffix in _REFERENCES or (suffix == ".json" and path.stem.lower().startswith("reference")):
            references.append(path)
        else:
            others.append(path)
    return GivenFiles(
        others[0] if others else None,
        tuple(endorsements),
        references[0] if references else None,
        tuple(others[1:] + references[1:]),
    )
