"""What an exposure scan looks for. Terms hold the secret; `ExposedTerm` is what may be kept of them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.exposure import ExposedTerm, TermForm
from confvm_gui.fleet.memory.needle import Pattern, hex_patterns, text_patterns

MOST_TERMS: Final = 64
SHORTEST: Final = 4
"""Bytes. Shorter ones stand by chance in every gigabyte of ciphertext."""
LONGEST_LABEL: Final = 80
LONGEST_PATTERN: Final = 256
"""Characters of a pattern's source."""
LONGEST_MATCH: Final = 1024
"""Bytes of a pattern's match; longer ones are found, but cut."""


@dataclass(frozen=True, slots=True)
class Term:
    """One thing to look for. Its `repr` shows no secret."""

    label: str
    form: TermForm
    patterns: tuple[Pattern, ...] = field(default=(), repr=False)
    """What stands in memory; empty for a regular expression."""
    expression: str = field(default="", repr=False)
    """Of a PATTERN."""
    digest: str = ""

    def public(self) -> ExposedTerm:
        """What may be logged, stored and exported."""
        return ExposedTerm(self.label, self.form, self.digest)


def text_term(text: str, label: str = "") -> Term:
    """A text, in UTF-8 and UTF-16LE. Raises InvalidInput("find")."""
    return _literal(TermForm.TEXT, text_patterns, text, label)


def canary_term(token: str, label: str = "") -> Term:
    """A canary's token (`canary.make_canary`). Raises InvalidInput("find")."""
    return _literal(TermForm.CANARY, text_patterns, token, label)


def hex_term(digits: str, label: str = "") -> Term:
    """Bytes in hexadecimal. Raises InvalidInput("find")."""
    return _literal(TermForm.BYTES, hex_patterns, digits, label)


def pattern_term(expression: str, label: str = "") -> Term:
    """A regular expression over bytes in the syntax of Python's `re`, ASCII only; `\\xNN` stands for any byte.

    Raises InvalidInput("pattern") with what is wrong.
    """
    if not expression:
        raise InvalidInput("pattern", "Type a pattern, for example 4[0-9]{15}")
    if len(expression) > LONGEST_PATTERN:
        raise InvalidInput("pattern", f"A pattern has at most {LONGEST_PATTERN} characters")
    if not expression.isascii():
        raise InvalidInput(
            "pattern", "A pattern is matched against bytes: write letters outside ASCII as \\xNN, byte by byte"
        )
    compile_pattern(expression)
    digest = sha256(expression.encode()).hexdigest()
    return Term(_label(label), TermForm.PATTERN, (), expression, digest)


def compile_pattern(expression: str) -> re.Pattern[bytes]:
    """Raises InvalidInput("pattern"). Says nothing of how long a match takes: `pattern_search` has a limit for that."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compiled = re.compile(expression.encode(), re.DOTALL)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise InvalidInput("pattern", f"The pattern cannot be read: {error}") from None
    return compiled


def numbered(terms: list[Term]) -> tuple[Term, ...]:
    """`terms` with a label each: those without one are numbered, never named by their text. No two are the same.

    Raises InvalidInput("find") if there is none, or there are too many.
    """
    if not terms:
        raise InvalidInput("find", "Give at least one text or pattern to look for")
    if len(terms) > MOST_TERMS:
        raise InvalidInput("find", f"At most {MOST_TERMS} texts and patterns are searched for at once")
    words = {TermForm.TEXT: "text", TermForm.BYTES: "bytes", TermForm.PATTERN: "pattern", TermForm.CANARY: "canary"}
    found: dict[tuple[TermForm, str], Term] = {}
    for at, term in enumerate(terms, 1):
        labelled = term if term.label else replace(term, label=f"{words[term.form]} {at}")
        found.setdefault((term.form, term.digest), labelled)
    return tuple(found.values())


def _literal(form: TermForm, make: Callable[[str], tuple[Pattern, ...]], text: str, label: str) -> Term:
    try:
        patterns = make(text)
    except InvalidInput as error:
        raise InvalidInput("find", error.message) from None
    data = patterns[0].data
    if len(data) < SHORTEST:
        raise InvalidInput(
            "find", f"Give at least {SHORTEST} bytes: shorter ones stand by chance in every gigabyte of ciphertext"
        )
    if not any(data):
        raise InvalidInput("find", "Bytes that are all zero stand everywhere in empty memory and prove nothing")
    return Term(_label(label), form, patterns, "", sha256(data).hexdigest())


def _label(label: str) -> str:
    words = " ".join(label.split())
    if len(words) > LONGEST_LABEL:
        raise InvalidInput("label", f"A label has at most {LONGEST_LABEL} characters")
    return words
