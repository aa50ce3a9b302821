"""The filter language of the fleet table.

    region:europe-west1 state:running -tech:sev name:web label:env=prod confidential:yes load:>0.5 "any text"

Terms are joined by *and*. `-` or `!` before a term turns it round. `key:a,b` means a or b. A value that some instance
has, exactly, means just that value; else it means all values that begin with it, so that a filter acts while it is
typed. `*` stands for anything. A word without a key is looked for in names and in what can be read in the row.
Anything that cannot be understood raises InvalidInput("filter") and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.ui.models.fleet_columns import FREE_TEXT, FleetColumn
from confvm_gui.ui.models.fleet_table import FleetTable

CODED_KEYS = {
    "state": FleetColumn.STATE,
    "tech": FleetColumn.TECHNOLOGY,
    "trust": FleetColumn.TRUST,
    "provider": FleetColumn.PROVIDER,
    "region": FleetColumn.REGION,
    "zone": FleetColumn.ZONE,
    "type": FleetColumn.MACHINE_TYPE,
    "image": FleetColumn.IMAGE,
    "cloud": FleetColumn.CLOUD,
    "compliance": FleetColumn.COMPLIANCE,
}
NUMBER_KEYS = {"load": FleetColumn.LOAD, "vcpus": FleetColumn.VCPUS, "memory": FleetColumn.MEMORY}
KEYS = ("name", *CODED_KEYS, "label", "confidential", *NUMBER_KEYS)

_YES = frozenset({"yes", "true", "1", "on"})
_NO = frozenset({"no", "false", "0", "off"})
_COMPARISON = re.compile(r"(>=|<=|>|<|=)?\s*(\d{1,12}(?:\.\d{1,6})?)")
_RANGE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\.\.(\d{1,12}(?:\.\d{1,6})?)")


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. `key` is "" for free text."""

    key: str
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class FleetFilter:
    """A parsed filter; no terms lets everything through."""

    terms: tuple[Term, ...] = ()

    def mask(self, table: FleetTable) -> bytes:
        """One byte per slot of `table`, 1 where the instance passes."""
        result = int.from_bytes(table.alive, "little")
        everything = result
        for term in self.terms:
            passed = int.from_bytes(_term_mask(term, table), "little")
            result &= (everything & ~passed) if term.negated else passed
        return result.to_bytes(table.slots, "little")


def parse_filter(text: str) -> FleetFilter:
    """Parse what was typed. Raises InvalidInput("filter") with one sentence."""
    return FleetFilter(tuple(_parse_term(word) for word in _words(text)))


def format_term(key: str, value: str) -> str:
    """The text of a term that means exactly this value: `label:env=prod`, `image:"a b"`."""
    quoted = f'"{value}"' if re.search(r"[\s,]", value) or not value else value
    return f"{key}:{quoted}"


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    colon: int
    """Where the first colon outside quotation marks is, or -1."""
    commas: tuple[int, ...]
    """Commas outside quotation marks."""
    negated: bool


def _words(text: str) -> list[_Word]:
    words: list[_Word] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        negated = text[at] in "-!"
        at += negated
        piece: list[str] = []
        colon = -1
        commas: list[int] = []
        quoted = False
        while at < len(text) and (quoted or not text[at].isspace()):
            character = text[at]
            at += 1
            if character == '"':
                quoted = not quoted
                continue
            if not quoted and character == ":" and colon < 0:
                colon = len(piece)
            elif not quoted and character == ",":
                commas.append(len(piece))
            piece.append(character)
        if quoted:
            raise InvalidInput("filter", "Close the quotation mark")
        words.append(_Word("".join(piece), colon, tuple(commas), negated))
    return words


def _parse_term(word: _Word) -> Term:
    if word.colon < 0:
        if not word.text:
            raise InvalidInput("filter", "Type what must not be there after the minus sign")
        return Term("", (word.text.lower(),), word.negated)
    key = word.text[: word.colon].lower()
    if key not in KEYS:
        raise InvalidInput("filter", f"There is no filter “{key}:”; use {', '.join(KEYS)}")
    cuts = [comma for comma in word.commas if comma > word.colon]
    starts = [word.colon + 1, *(cut + 1 for cut in cuts)]
    ends = [*cuts, len(word.text)]
    values = tuple(word.text[start:end].lower() for start, end in zip(starts, ends, strict=True))
    _check(key, values)
    return Term(key, values, word.negated)


def _check(key: str, values: Sequence[str]) -> None:
    for value in values:
        if key == "confidential" and value and value not in _YES | _NO:
            raise InvalidInput("filter", f"“confidential:” takes yes or no, not “{value}”")
        if key in NUMBER_KEYS and value and value not in "<>=" and value not in (">=", "<="):
            _number_test(key, value)
        if key == "label" and value.startswith("="):
            raise InvalidInput("filter", "Give the label's key before “=”, as in label:env=prod")


def _number_test(key: str, value: str) -> Callable[[float], bool]:
    between = _RANGE.fullmatch(value)
    if between:
        low, high = float(between[1]), float(between[2])
        return lambda number: low <= number <= high
    comparison = _COMPARISON.fullmatch(value)
    if not comparison:
        raise InvalidInput("filter", f"“{key}:” takes a number, >0.5, <=4 or 1..2, not “{value}”")
    bound = float(comparison[2])
    match comparison[1]:
        case ">":
            return lambda number: number > bound
        case ">=":
            return lambda number: number >= bound
        case "<":
            return lambda number: number < bound
        case "<=":
            return lambda number: number <= bound
        case _:
            return lambda number: number == bound


def _glob(pattern: str) -> Callable[[str], bool]:
    parts = [re.escape(part) for part in pattern.split("*")]
    matcher = re.compile(".*?".join(parts) + r"\Z", re.DOTALL)
    return lambda text: matcher.match(text) is not None


def _text_test(value: str) -> Callable[[str], bool]:
    """Free text: contained; with `*` the whole text must fit."""
    if "*" in value:
        return _glob(value)
    return lambda text: value in text


def _value_test(value: str, exact: bool) -> Callable[[str], bool]:
    if "*" in value:
        return _glob(value)
    if exact:
        return lambda text: text == value
    return lambda text: text.startswith(value)


def _any_of(tests: Sequence[Callable[[str], bool]]) -> Callable[[str], bool]:
    return tests[0] if len(tests) == 1 else lambda text: any(test(text) for test in tests)


def _label_test(value: str) -> Callable[[str], bool]:
    key, equals, wanted = value.partition("=")
    accepts = _value_test(wanted, exact="*" not in wanted) if equals else None

    def test(text: str) -> bool:
        for pair in text.split(", "):
            name, _, held = pair.partition("=")
            if accepts is None:
                if name.startswith(key) and name:
                    return True
            elif name == key and accepts(held):
                return True
        return False

    return test


def _term_mask(term: Term, table: FleetTable) -> bytes:
    if term.key in ("", "name"):
        accepts = _any_of([_text_test(value) for value in term.values])
        if len(term.values) == 1 and "*" not in term.values[0]:
            value = term.values[0]
            named = bytes([value in name for name in table.names])
        else:
            named = bytes(map(accepts, table.names))
        if term.key == "name":
            return named
        hits = int.from_bytes(named, "little")
        for column in FREE_TEXT:
            hits |= int.from_bytes(table.coded(column).mask(lambda text: accepts(text.lower())), "little")
        return hits.to_bytes(table.slots, "little")
    if term.key == "label":
        return table.coded(FleetColumn.LABELS).mask(_any_of([_label_test(value) for value in term.values]))
    if term.key == "confidential":
        if term.values == ("",):
            return table.alive
        wanted = {value in _YES for value in term.values if value}
        return table.coded(FleetColumn.TECHNOLOGY).mask(lambda text: (text != "none") in wanted)
    if term.key in NUMBER_KEYS:
        complete = [value for value in term.values if any(character.isdigit() for character in value)]
        if not complete:
            return table.alive
        tests = [_number_test(term.key, value) for value in complete]
        numbers = table.numbers(NUMBER_KEYS[term.key])
        if len(tests) == 1:
            return bytes(map(tests[0], numbers))
        return bytes([any(test(number) for test in tests) for number in numbers])
    codes = table.coded(CODED_KEYS[term.key])
    known = {value.lower() for value in codes.values}
    chosen = _any_of([_value_test(value, value in known) for value in term.values])
    return codes.mask(lambda text: chosen(text.lower()))
