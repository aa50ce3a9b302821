"""FleetTable against the plainest possible reference."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.ui.models.coded_column import CodedColumn
from confvm_gui.ui.models.fleet_columns import FleetColumn, coded_value, natural_key, number_value
from confvm_gui.ui.models.fleet_table import FleetTable
from tests.support.fake_provider import make_instance

_NAMES = ["a-1", "a-2", "a-10", "b", "c-3", "web-1", "web-20"]
_STATES = [InstanceState.RUNNING, InstanceState.STOPPED, InstanceState.CRASHED]
_steps = st.lists(
    st.one_of(
        st.builds(
            lambda name, state, load: ("put", make_instance(name, state=state, load=load)),
            st.sampled_from(_NAMES),
            st.sampled_from(_STATES),
            st.floats(0, 2, allow_nan=False),
        ),
        st.builds(lambda name: ("remove", make_instance(name)), st.sampled_from(_NAMES)),
        st.builds(lambda column: ("sort", column), st.sampled_from(list(FleetColumn))),
    ),
    max_size=40,
)


def _sort_key(instance: Instance, column: FleetColumn) -> str | float:
    if column is FleetColumn.NAME:
        return natural_key(instance.name)
    if column.is_coded:
        return natural_key(coded_value(instance, column))
    return number_value(instance, column)


@given(_steps)
def test_any_history_gives_the_same_as_a_dictionary(steps: list[tuple[str, object]]) -> None:
    table = FleetTable()
    reference: dict[str, Instance] = {}
    for what, value in steps:
        if what == "put" and isinstance(value, Instance):
            differs = reference.get(value.id) != value
            assert bool(table.upsert([value])) is differs
            reference[value.id] = value
        elif what == "remove" and isinstance(value, Instance):
            freed = table.remove([value.id])
            assert bool(freed) is (reference.pop(value.id, None) is not None)
        elif isinstance(value, FleetColumn):
            ordered = [table.instance(slot) for slot in table.order(value)]
            keys = [_sort_key(instance, value) for instance in ordered]
            assert keys == sorted(keys)
            assert {instance.id for instance in ordered} == reference.keys()
    assert len(table) == len(reference)
    assert sum(table.alive) == len(reference)
    for instance_id, instance in reference.items():
        slot = table.find(instance_id)
        assert slot is not None
        assert table.instance(slot) == instance


def test_names_sort_as_people_count() -> None:
    table = FleetTable()
    table.upsert([make_instance(name) for name in ("web-10", "web-9", "Alpha", "web-1")])
    assert [table.instance(slot).name for slot in table.order(FleetColumn.NAME)] == [
        "Alpha",
        "web-1",
        "web-9",
        "web-10",
    ]


def test_equal_values_are_ordered_by_name() -> None:
    table = FleetTable()
    table.upsert([make_instance(name) for name in ("c", "a", "b")])
    assert [table.instance(slot).name for slot in table.order(FleetColumn.STATE)] == ["a", "b", "c"]


def test_a_column_outgrows_one_byte() -> None:
    column = CodedColumn()
    values = [f"type-{at}" for at in range(700)]
    for value in values:
        column.append(value)
    assert [bool(bit) for bit in column.mask(lambda value: value == "type-513")] == [at == 513 for at in range(700)]
    assert column.set(0, "type-600")
    assert not column.set(0, "type-600")
    assert column.mask(lambda value: value == "type-600")[0] == 1


def test_values_and_labels_in_use_forget_what_is_gone() -> None:
    table = FleetTable()
    table.upsert([make_instance("a", region="us-central1", labels={"team": "risk", "env": "prod"}), make_instance("b")])
    assert table.label_keys() == ["env", "team"]
    table.remove([make_instance("a").id])
    assert table.values_in_use(FleetColumn.REGION) == ["europe-west1"]
    assert table.label_keys() == ["env"]


def test_group_counts_count_only_what_is_shown() -> None:
    table = FleetTable()
    table.upsert([make_instance(f"i{at}", region="a" if at < 3 else "b") for at in range(5)])
    mask = bytes([1, 1, 0, 1, 1])
    assert table.group_counts(mask, lambda text: text, FleetColumn.REGION) == [("a", 2), ("b", 2)]
