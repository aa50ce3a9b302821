"""Regular expressions over RAM, in a process of their own.

A match may take for ever (nested repeats), and the interpreter is held meanwhile: in this process that would stall the
window. The helper process is given pieces of RAM over a pipe and is killed when it takes too long over one.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

from confvm_gui.domain.errors import InvalidInput, WorkerLost
from confvm_gui.fleet.exposure.terms import LONGEST_MATCH, Term, compile_pattern

PIECE_SECONDS: Final = 10.0
"""Over one piece and one pattern."""
START_SECONDS: Final = 30.0
"""For the helper to load, on a busy computer."""
MOST_IN_PIECE: Final = 20_000
"""Matches in one piece: a pattern with more says nothing of anybody's secrets."""
LOOK_BACK: Final = 64
"""Bytes in front of where a match may begin that look-behinds see."""
_TRIAL: Final = 4 << 20
"""Random bytes on which a pattern is tried, to tell how often chance matches it."""


@dataclass(frozen=True, slots=True)
class Found:
    """Matches of one pattern in one piece."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """What the helper searches: matches that begin in [begin, limit) of the bytes that follow."""

    begin: tuple[int, ...]
    """One per pattern."""
    limit: int


class PatternSearch:
    """Searches pieces for patterns. All calls block for up to seconds: call them in a thread.

    A context manager; the helper process ends with it.
    """

    def __init__(self, terms: Sequence[Term], *, seconds: float = PIECE_SECONDS) -> None:
        self._labels = [term.label or "pattern" for term in terms]
        self._expressions = tuple(term.expression for term in terms)
        self._seconds = seconds
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, self._expressions), name="confvm-patterns", daemon=True
        )
        self._process.start()
        theirs.close()

    def __enter__(self) -> PatternSearch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the helper. Safe to call twice."""
        with suppress(OSError):
            self._pipe.close()
        self._process.kill()
        self._process.join()

    def ready(self) -> None:
        """Wait until the helper has loaded. Raises WorkerLost."""
        self._answer(START_SECONDS, "")

    def find(self, data: bytes, begin: Sequence[int], limit: int) -> tuple[Found, ...]:
        """Matches, for each pattern those that begin in [its `begin`, `limit`); none overlaps another of its pattern.

        Raises InvalidInput("pattern") for one that takes too long or matches nearly everywhere, WorkerLost.
        """
        self._send(_Piece(tuple(begin), limit), data)
        found: list[Found] = []
        for label in self._labels:
            answer = self._answer(self._seconds, label)
            if answer is None:
                raise InvalidInput(
                    "pattern", f"“{label}” matches at more than {MOST_IN_PIECE} places close together: narrow it down"
                )
            found.append(answer)
        return tuple(found)

    def by_chance(self) -> tuple[float, ...]:
        """For each pattern, how many matches a byte of random data has: an estimate that is rather too high.

        Raises what `find` raises, also for a pattern that matches empty memory.
        """
        zeros = self.find(bytes(4096), [0] * len(self._labels), 4096)
        for label, found in zip(self._labels, zeros, strict=True):
            if found.starts:
                raise InvalidInput("pattern", f"“{label}” matches empty memory, which says nothing: narrow it down")
        tried = self.find(os.urandom(_TRIAL), [0] * len(self._labels), _TRIAL)
        return tuple((len(found.starts) + 1) / _TRIAL for found in tried)

    def _send(self, piece: _Piece, data: bytes) -> None:
        try:
            self._pipe.send(piece)
            self._pipe.send_bytes(data)
        except OSError:
            raise WorkerLost("The helper process that matches patterns has ended: search again") from None

    def _answer(self, seconds: float, label: str) -> Found | None:
        try:
            if not self._pipe.poll(seconds):
                self.close()
                if not label:
                    raise WorkerLost("The helper process that matches patterns did not start")
                raise InvalidInput("pattern", f"“{label}” takes too long to match: write it with fewer nested repeats")
            answer = self._pipe.recv()
        except (OSError, EOFError):
            raise WorkerLost("The helper process that matches patterns has ended: search again") from None
        return answer if isinstance(answer, Found) else None


def _serve(pipe: Connection, expressions: tuple[str, ...]) -> None:
    """Entry point of the helper."""
    compiled = [compile_pattern(expression) for expression in expressions]
    with suppress(EOFError, OSError, KeyboardInterrupt):
        pipe.send(None)
        while True:
            piece: _Piece = pipe.recv()
            data = pipe.recv_bytes()
            for pattern, begin in zip(compiled, piece.begin, strict=True):
                starts: list[int] = []
                ends: list[int] = []
                for match in pattern.finditer(data, begin):
                    if match.start() >= piece.limit:
                        break
                    if match.end() > match.start():
                        starts.append(match.start())
                        ends.append(min(match.end(), match.start() + LONGEST_MATCH))
                    if len(starts) > MOST_IN_PIECE:
                        break
                pipe.send(None if len(starts) > MOST_IN_PIECE else Found(tuple(starts), tuple(ends)))
