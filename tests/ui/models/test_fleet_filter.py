"""The filter language: what it means, and that nothing but InvalidInput comes out of it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.instance import InstanceState
from confvm_gui.ui.filter_field import completions
from confvm_gui.ui.models.fleet_columns import FleetColumn
from confvm_gui.ui.models.fleet_filter import KEYS, format_term, parse_filter
from confvm_gui.ui.models.fleet_table import FleetTable
from tests.support.fake_provider import make_instance


def _table() -> FleetTable:
    table = FleetTable()
    table.upsert(
        [
            make_instance("web-1", labels={"env": "prod", "team": "a"}, load=0.9),
            make_instance("web-2", state=InstanceState.STOPPED, region="europe-west12", labels={"env": "test"}),
            make_instance("db-1", technology=Technology.NONE, region="us-central1", labels={}),
            make_instance("db-2", technology=Technology.SEV_SNP, image="rhel-8-2", vcpus=16, labels={"env": "prod"}),
            make_instance("risk", technology=Technology.SEV_ES, state=InstanceState.PAUSED, memory_mib=512),
        ]
    )
    return table


def _names(text: str) -> set[str]:
    table = _table()
    mask = parse_filter(text).mask(table)
    return {table.instance(slot).name for slot in range(table.slots) if mask[slot]}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", {"web-1", "web-2", "db-1", "db-2", "risk"}),
        ("web", {"web-1", "web-2"}),
        ("WEB -web-1", {"web-2"}),
        ("name:1", {"web-1", "db-1"}),
        ("state:running", {"web-1", "db-1", "db-2"}),
        ("state:stopped,paused", {"web-2", "risk"}),
        ("state:run", {"web-1", "db-1", "db-2"}),
        ("region:europe-west1", {"web-1", "db-2", "risk"}),
        ("region:europe", {"web-1", "web-2", "db-2", "risk"}),
        ("tech:sev", {"web-1", "web-2"}),
        ("tech:sev*", {"web-1", "web-2", "db-2", "risk"}),
        ("-tech:sev", {"db-1", "db-2", "risk"}),
        ("!tech:none", {"web-1", "web-2", "db-2", "risk"}),
        ("confidential:yes", {"web-1", "web-2", "db-2", "risk"}),
        ("confidential:no", {"db-1"}),
        ("confidential:", {"web-1", "web-2", "db-1", "db-2", "risk"}),
        ("label:env=prod", {"web-1", "db-2"}),
        ("label:env=p*", {"web-1", "db-2"}),
        ("label:env", {"web-1", "web-2", "db-2", "risk"}),
        ("-label:env", {"db-1"}),
        ("label:env=", set()),
        ("load:>0.5", {"web-1"}),
        ("load:", {"web-1", "web-2", "db-1", "db-2", "risk"}),
        ("vcpus:4..32", {"db-2"}),
        ("memory:<=512", {"risk"}),
        ('image:"rhel-8-2"', {"db-2"}),
        ("rhel", {"db-2"}),
        ('"web-1"', {"web-1"}),
        ("w*1", {"web-1"}),
        ("  web   state:running ", {"web-1"}),
        ("nothing-has-this", set()),
        ("region:nowhere", set()),
    ],
)
def test_meaning(text: str, names: set[str]) -> None:
    assert _names(text) == names


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("foo:bar", "no filter “foo:”"),
        ('"open', "quotation mark"),
        ("-", "after the minus"),
        ("load:much", "takes a number"),
        ("confidential:perhaps", "yes or no"),
        ("label:=prod", "label's key"),
    ],
)
def test_what_cannot_be_understood_says_so(text: str, part: str) -> None:
    with pytest.raises(InvalidInput, match=part) as caught:
        parse_filter(text)
    assert caught.value.field == "filter"


@given(
    st.text(alphabet=st.sampled_from([*'-!:"=,.*<>() ', *"abelst019", "é", "\u2028", "\0"]), max_size=40) | st.text()
)
def test_nothing_but_invalid_input_escapes(text: str) -> None:
    try:
        chosen = parse_filter(text)
    except InvalidInput:
        return
    table = _table()
    assert len(chosen.mask(table)) == table.slots


@given(
    st.sampled_from([key for key in KEYS if key not in ("load", "vcpus", "memory", "confidential", "label")]), st.text()
)
def test_a_formatted_term_is_read_back(key: str, value: str) -> None:
    if '"' in value:
        return
    (term,) = parse_filter(format_term(key, value)).terms
    assert (term.key, term.values) == (key, (value.lower(),))


def test_completion_offers_keys_values_and_labels() -> None:
    table = _table()
    assert completions(table, "re") == ["region:"]
    assert completions(table, "-re") == ["-region:"]
    assert completions(table, "region:eu") == ["region:europe-west1", "region:europe-west12"]
    assert completions(table, "label:") == ["label:env=", "label:team="]
    assert completions(table, "label:env=p") == ["label:env=prod"]
    assert completions(table, "confidential:n") == ["confidential:no"]
    assert completions(table, "web") == []
    assert completions(table, "foo:b") == []


def test_a_keystroke_over_100_000_rows_is_fast() -> None:
    table = FleetTable()
    base = make_instance("x")
    states = list(InstanceState)
    kinds = ("web", "db", "risk")
    for start in range(0, 100_000, 20_000):
        table.upsert(
            make_instance(
                f"{kinds[at % 3]}-{at * 7919 % 100_003}",
                state=states[at % len(states)],
                load=at * 31 % 1000 / 1000,
                created_at=base.created_at,
            )
            for at in range(start, start + 20_000)
        )
    table.order(FleetColumn.NAME)

    def milliseconds(text: str) -> float:
        best = 1e9
        for _ in range(3):
            began = time.perf_counter()
            mask = parse_filter(text).mask(table)
            order = table.order(FleetColumn.LOAD)
            assert len([slot for slot in order if mask[slot]]) <= 100_000
            best = min(best, time.perf_counter() - began)
        return best * 1000

    for text in ("w", "web-12", "state:running -tech:none web", "load:>0.5", "label:env=test"):
        assert milliseconds(text) < 50, text
