"""A rule's expression: bounded before it is compiled, checked against the facts' types, evaluated without surprises.

CEL always ends, but not always soon: macros within macros multiply, and texts or lists that are doubled again and again
grow without bound. The runtime has bounds of its own (nesting, iterations). These here are narrower, and known before
anything runs: the language without what makes values larger (`map`, maps, `+` in a macro), and an estimate of the
steps. So no rule that was read can hold a thread for longer than some milliseconds, and the one that would is refused.

Language: https://github.com/google/cel-spec/blob/master/doc/langdef.md. The runtime is the C++ one of its makers
(`cel-expr-python`), imported when the first rule is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.policy.facts import FACTS, MOST_LABELS, Facts, FactType, FactValue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cel_expr_python.cel import Env, Expression

LONGEST: Final = 1000
"""Characters."""
MOST_TOKENS: Final = 300
DEEPEST: Final = 12
"""Brackets within brackets."""
MOST_NESTED_MACROS: Final = 2
MOST_STEPS: Final = 20_000
"""Estimated from above, every list as long as all of the expression's together."""
LONGEST_PATTERN: Final = 100
"""Characters of a regular expression."""
_PATTERN_STEPS: Final = 40
"""What a regular expression costs more than another word: it is compiled anew each time."""

_MACROS: Final = frozenset({"all", "exists", "exists_one", "filter"})
_FUNCTIONS: Final = _MACROS | {
    *("size", "startsWith", "endsWith", "contains", "matches", "has", "int", "double", "string"),
}
_TOKEN: Final = re.compile(
    r"""(?P<space>[ \t\n]+)
    |(?P<text>[rR](?:'[^'\n\\]*'|"[^"\n\\]*")|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")
    |(?P<number>(?:0[xX][0-9a-fA-F]+|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)[uU]?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>&&|\|\||[<>=!]=|[-+*/%<>!?:.,()\[\]])""",
    re.VERBOSE,
)
_OPENS: Final = {")": "(", "]": "["}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


class RuleExpression:
    """An expression that may be evaluated. Made by `compile_expression`; safe to use from several threads."""

    def __init__(self, text: str, facts: tuple[str, ...], program: Expression) -> None:
        self.text = text
        self.facts = facts
        """Names of the facts that it reads, in the order of FACTS."""
        self._program = program
        self._pick = itemgetter(*facts) if facts else None

    def key(self, facts: Facts) -> object:
        """All that decides what `holds` answers: equal keys, equal answers."""
        return () if self._pick is None else self._pick(facts)

    def holds(self, facts: Facts) -> bool:
        """Raises RuleFault, in words for people, where the evaluation stops."""
        data = {name: _plain(facts[name]) for name in self.facts}
        try:
            value = self._program.eval(data=data)
        except RuntimeError as error:  # what the runtime raises of all that stops it, its own bounds among them
            raise RuleFault(_first_line(str(error))) from None
        found = value.value()
        if found is True or found is False:
            return bool(found)
        raise RuleFault(_first_line(str(value)))


class RuleFault(Exception):
    """An evaluation that ended without an answer: a label that is not there, a division by zero."""


def compile_expression(text: str) -> RuleExpression:
    """Read an expression. Raises InvalidInput("expression", one sentence)."""
    tokens = _tokens(text)
    _check_cost(tokens)
    try:
        program = _environment().compile(text)
    except RuntimeError as error:
        raise _refusal(_first_line(str(error))) from None
    kind = program.return_type().name()
    if kind != "BOOL":
        raise _refusal(f"it gives a value of type {kind.lower()}; a rule answers true or false")
    return RuleExpression(text, _facts(tokens), program)


def _refusal(reason: str) -> InvalidInput:
    return InvalidInput("expression", f"The expression is refused: {reason}")


def _first_line(message: str) -> str:
    """The runtime's own words, without the drawing of the place and the name of the status."""
    line = message.partition("\n")[0].strip()
    line = re.sub(r"^[A-Z_]+: (ERROR: )?", "", line)
    line = re.sub(r"^<input>:-1:-1: ", "", line)  # of the whole
    line = re.sub(r"^<input>:\d+:(\d+): ", r"at character \1, ", line)
    line = re.sub(r"( \(in container ''\))?( \[[A-Z_]+\])?$", "", line)
    line = re.sub(r" expecting \{.*", "", line).replace("'<EOF>'", "the end")  # all tokens of the language
    line = line[:300]
    if "Key not found" in line:
        line += "; ask has(vm.labels.KEY) first"
    return line


def _tokens(text: str) -> list[_Token]:
    if len(text) > LONGEST:
        raise _refusal(f"it has {len(text)} characters; at most {LONGEST} are allowed")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise _refusal("it is not valid Unicode") from None
    found = [token for token in _split(text) if token.kind != "space"]
    if not found:
        raise _refusal("it is empty")
    if len(found) > MOST_TOKENS:
        raise _refusal(f"it has {len(found)} words and signs; at most {MOST_TOKENS} are allowed")
    return found


def _split(text: str) -> Iterator[_Token]:
    at, before = 0, ""
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _refusal(f"character {at + 1}, {text[at : at + 10]!r}, is no part of a rule")
        kind = str(match.lastgroup)
        if kind == "text" and before == "text":  # adjacent: a text in three quotes, which is read in another way
            raise _refusal(f"at character {at + 1}, texts stand in one pair of quotes")
        if match.group() == "/" and text[at + 1 : at + 2] == "/":
            raise _refusal(f"at character {at + 1}, a rule has no comments; its title and source say what it is for")
        yield _Token(kind, match.group(), at)
        at, before = match.end(), kind


def _check_cost(tokens: list[_Token]) -> None:
    """Refuse what could take long, by an estimate from above."""
    longest = 1 + sum(token.text == "," for token in tokens) + MOST_LABELS * sum(t.text == "labels" for t in tokens)
    brackets: list[tuple[str, bool]] = []
    """The open ones, and whether each is a macro's."""
    steps = 0
    for at, token in enumerate(tokens):
        before = tokens[at - 1] if at else None
        called = at + 1 < len(tokens) and tokens[at + 1].text == "("
        nested = sum(macro for _, macro in brackets)
        weight = 1
        if token.kind == "word" and called:
            if token.text not in _FUNCTIONS and token.text != "in":
                raise _refusal(f"{token.text[:40]}() is not a function that rules have")
            if token.text == "matches":
                _check_pattern(tokens, at)
                weight = _PATTERN_STEPS
        if token.text == "+" and nested:
            raise _refusal("nothing may be joined or added within all(), exists(), exists_one() and filter()")
        steps += weight * longest**nested
        if token.text in ("(", "["):
            macro = token.text == "(" and before is not None and before.text in _MACROS
            brackets.append((token.text, macro))
            if len(brackets) > DEEPEST:
                raise _refusal(f"brackets stand more than {DEEPEST} deep")
            if sum(macro for _, macro in brackets) > MOST_NESTED_MACROS:
                raise _refusal(f"all(), exists() and the like stand more than {MOST_NESTED_MACROS} deep")
        elif token.text in _OPENS and (not brackets or brackets.pop()[0] != _OPENS[token.text]):
            raise _refusal(f"the bracket at character {token.at + 1} closes none")
    if brackets:
        raise _refusal("a bracket is not closed")
    if steps > MOST_STEPS:
        raise _refusal(f"it could take {steps:,} steps; at most {MOST_STEPS:,} are allowed")


def _check_pattern(tokens: list[_Token], at: int) -> None:
    """A regular expression must be there to be looked at, and small when it is compiled."""
    pattern = tokens[at + 2] if at + 3 < len(tokens) else None
    if pattern is None or pattern.kind != "text" or tokens[at + 3].text != ")":
        raise _refusal("matches() takes one text in quotes")
    if len(pattern.text) > LONGEST_PATTERN:
        raise _refusal(f"a regular expression has more than {LONGEST_PATTERN} characters")
    if "{" in pattern.text or "\\x" in pattern.text or "\\u" in pattern.text.lower() or "\\1" in pattern.text:
        raise _refusal("a regular expression may not count ({n}), nor write characters as numbers")


def _facts(tokens: list[_Token]) -> tuple[str, ...]:
    read = {
        f"vm.{tokens[at + 2].text}"
        for at in range(len(tokens) - 2)
        if tokens[at].text == "vm" and tokens[at + 1].text == "."
    }
    return tuple(name for name in FACTS if name in read)


def _plain(value: FactValue) -> object:
    return dict(value) if isinstance(value, tuple) else value


@cache
def _environment() -> Env:
    from cel_expr_python.cel import NewEnv, Type

    types = {
        FactType.TEXT: Type.STRING,
        FactType.FLAG: Type.BOOL,
        FactType.NUMBER: Type.INT,
        FactType.TEXTS_BY_KEY: Type.Map(Type.STRING, Type.STRING),
    }
    return NewEnv(variables={name: types[fact.type] for name, fact in FACTS.items()})
