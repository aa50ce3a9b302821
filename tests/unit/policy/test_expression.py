"""Expressions: what they may say, and that no hostile one is more than a finding."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.policy.expression import (
    DEEPEST,
    LONGEST,
    MOST_STEPS,
    MOST_TOKENS,
    RuleExpression,
    RuleFault,
    compile_expression,
)
from confvm_gui.policy.facts import FACTS, Facts, FactType, FactValue

_DEFAULTS: dict[FactType, FactValue] = {
    FactType.TEXT: "",
    FactType.FLAG: False,
    FactType.NUMBER: -1,
    FactType.TEXTS_BY_KEY: (),
}


def facts(**known: FactValue) -> Facts:
    return {name: known.get(name.removeprefix("vm."), _DEFAULTS[fact.type]) for name, fact in FACTS.items()}


def refusal(text: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        compile_expression(text)
    assert caught.value.field == "expression"
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "known", "holds"),
    [
        ("vm.confidential", {"confidential": True}, True),
        ("vm.confidential", {}, False),
        ("vm.region in ['us-east1', \"us-west1\"]", {"region": "us-west1"}, True),
        ("has(vm.labels.env) && vm.labels.env == 'prod'", {"labels": (("env", "prod"),)}, True),
        ("has(vm.labels.env) && vm.labels.env == 'prod'", {}, False),
        ("'env' in vm.labels", {"labels": (("env", "x"),)}, True),
        ("vm.labels.all(key, vm.labels[key] != '')", {"labels": (("a", "1"), ("b", ""))}, False),
        ("size(vm.labels.filter(key, key.startsWith('x'))) <= 1", {"labels": (("xa", ""), ("xb", ""))}, False),
        ("vm.tcb_snp >= 0x17", {"tcb_snp": 23}, True),
        ("vm.name.matches(r'^db-[0-9]+$')", {"name": "db-12"}, True),
        ("vm.vcpus * 2048 == vm.memory_mib ? true : vm.debug", {"vcpus": 2, "memory_mib": 4096}, True),
        ("true", {}, True),
    ],
)
def test_says_whether_a_rule_holds(text: str, known: dict[str, FactValue], holds: bool) -> None:
    assert compile_expression(text).holds(facts(**known)) is holds


@pytest.mark.parametrize("name", FACTS)
def test_every_fact_can_be_read(name: str) -> None:
    expression = compile_expression(f"{name} == {name}")
    assert expression.facts == (name,)
    assert expression.holds(facts())


def test_knows_which_facts_decide() -> None:
    expression = compile_expression("vm.region == 'a' || vm . labels.exists(vm2, vm2 == vm.zone)")
    assert expression.facts == ("vm.region", "vm.zone", "vm.labels")
    assert expression.key(facts(region="x")) == expression.key(facts(region="x", name="other"))
    assert expression.key(facts(region="x")) != expression.key(facts(region="y"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        ("vm.regoin == 'x'", "undeclared reference to 'vm.regoin'"),
        ("vm", "undeclared reference"),
        ("vm.region == 3", "no matching overload"),
        ("vm.region", "gives a value of type string"),
        ("1", "gives a value of type int"),
        ("vm.confidential &&", "Syntax error"),
        ("dyn(vm.vcpus) == 'x'", "dyn() is not a function"),
        ("vm.labels.map(key, [key, key]) == []", "map() is not a function"),
        ("timestamp(vm.name) > timestamp('2020-01-01T00:00:00Z')", "not a function"),
        ("{'a': 1}['a'] == 1", "is no part of a rule"),
        ("vm.name == '''x'''", "one pair of quotes"),
        ("true // comment", "no comments"),
        ("vm.name.matches(vm.zone)", "one text in quotes"),
        ("vm.name.matches('(a{1000}){1000}')", "may not count"),
        (f"vm.name.matches('{'a?' * 60}')", "more than 100 characters"),
        ("(" * (DEEPEST + 1) + "true" + ")" * (DEEPEST + 1), "deep"),
        ("true)", "closes none"),
        ("[true", "not closed"),
        ("'a' == 'b' || " * 80 + "true", "characters; at most"),
        ("!" * (MOST_TOKENS + 1) + "true", "words and signs"),
        ("vm.name == '" + "x" * LONGEST + "'", "characters; at most"),
        ("vm.name == '\ud800'", "not valid Unicode"),
        ("[vm.name].exists(x, x + x == vm.zone)", "joined or added"),
        ("[1].all(a, [1].all(b, [1].all(c, a + b + c > 0)))", "more than 2 deep"),
        (
            "vm.labels.all(a, vm.labels.all(b, vm.labels[a] != vm.labels[b] || vm.labels[b] != vm.labels[a]))",
            f"at most {MOST_STEPS:,} are allowed",
        ),
        ("vm.labels.all(a, [1,2,3,4].all(b, a.matches('x') || a.matches('y') || a.matches('z')))", "steps"),
    ],
)
def test_refuses_what_is_wrong_or_could_take_long(text: str, reason: str) -> None:
    assert reason in refusal(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("vm.labels['env'] == 'x'", "ask has(vm.labels.KEY) first"),
        ("vm.vcpus / 0 == 1", "divide by zero"),
        ("int(vm.name) > 1", "cannot convert"),
        ("vm.vcpus + 9223372036854775807 > 9223372036854775807 - vm.vcpus - 1", "overflow"),
        ("vm.name.matches('[')", "invalid regular expression"),
    ],
)
def test_stops_with_a_reason_where_there_is_no_answer(text: str, reason: str) -> None:
    with pytest.raises(RuleFault) as caught:
        compile_expression(text).holds(facts(vcpus=5, name="db"))
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


HEAVIEST = (
    "vm.labels.all(key, key.matches('^(a|b|ab)*c?(x+x+)+y$') && key.matches('(.*a.*b.*c.*)*$'))",
    "vm.labels.exists(a, vm.name.matches('(.*x.*y.*z.*)*$'))",
    " && ".join(f"vm.name != '{'x' * 20}{n}'" for n in range(20)),
    "[" + ",".join(str(n) for n in range(50)) + "].all(a, [1,2].exists(b, a >= b))",
    "size(" + " + ".join(["vm.name"] * 25) + ") > 0",
    " && ".join(["vm.name.matches('(.*a.*b)*$')"] * 30),
)


@pytest.mark.parametrize("text", HEAVIEST)
def test_the_heaviest_that_are_let_in_take_milliseconds(text: str) -> None:
    long = "ab" * 128
    labels = tuple((f"a{n:02}{'b' * 200}", "abc" * 80) for n in range(64))
    expression = compile_expression(text)
    took = []
    for _ in range(5):
        began = time.thread_time()
        _ended(expression, facts(name=long, labels=labels))
        took.append(time.thread_time() - began)
    assert min(took) < 0.02


def _ended(expression: RuleExpression, known: Facts) -> bool:
    try:
        expression.holds(known)
    except RuleFault:
        return False
    return True


WORDS = st.sampled_from(
    [*FACTS, "vm", "vm.labels.env", "'x'", '"y"', "r'z'", "1", "-1", "2.5", "true", "null", "a", "&&", "||", "!", "==",
     "<", "+", "/", "%", "?", ":", "in", "(", ")", "[", "]", ",", ".", ".all(a,", ".exists(b,", ".filter(c,", "size(",
     ".matches('x+')", ".startsWith(", "has(vm.labels.a)", "int(", "\\", "'", "{", "//", "\n", "\0", "é"]
)  # fmt: skip


@given(
    st.one_of(
        st.text(max_size=200), st.lists(WORDS, max_size=60).map("".join), st.lists(WORDS, max_size=60).map(" ".join)
    )
)
def test_any_text_is_refused_with_a_reason_or_answers(text: str) -> None:
    fault: InvalidInput | None = None
    try:
        expression = compile_expression(text)
    except InvalidInput as error:
        fault = error
    else:
        _ended(expression, facts(labels=(("a", "b"),)))
    assert fault is None or (fault.field == "expression" and "\n" not in fault.message)
