"""A request as a file: what is written is read back, and nothing else is taken for one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.instance import LABEL_KEY, LABEL_VALUE, NAME_PATTERN, HostMaintenance, LaunchRequest, RecordsSpec
from confvm_gui.fleet.launch import dump_request, load_request, parse_request, request_to_mapping, save_request

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
RECORDS = st.builds(
    RecordsSpec,
    path=st.text("abc/._- é\x7f\"'\\", min_size=1, max_size=20).map(Path),
    index_column=st.none() | WORDS,
    label_column=st.none() | WORDS,
)
REQUESTS = st.builds(
    LaunchRequest,
    name=st.from_regex(NAME_PATTERN, fullmatch=True),
    provider=WORDS,
    cloud=WORDS,
    region=WORDS,
    zone=WORDS,
    machine_type=WORDS,
    image=WORDS,
    technology=st.sampled_from(Technology),
    secure_boot=st.booleans(),
    vtpm=st.booleans(),
    integrity_monitoring=st.booleans(),
    host_maintenance=st.sampled_from(HostMaintenance),
    nic_type=WORDS,
    min_cpu_platform=WORDS,
    records=st.none() | RECORDS,
    disk_key=WORDS,
    attest=st.booleans(),
    labels=st.dictionaries(
        st.from_regex(LABEL_KEY, fullmatch=True), st.from_regex(LABEL_VALUE, fullmatch=True), max_size=3
    ),
)

GOOD = {"confvm_request": 1, "name": "a", "region": "r", "machine_type": "m", "image": "i"}


@given(request=REQUESTS, toml=st.booleans())
def test_a_written_request_reads_back_the_same(request: LaunchRequest, toml: bool) -> None:
    assert parse_request(dump_request(request, toml=toml), toml=toml) == request


@given(text=st.text(max_size=200), toml=st.booleans())
def test_any_text_is_a_request_or_a_clear_refusal(text: str, toml: bool) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_request(text, toml=toml)
    assert str(caught.value)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(
    key=st.sampled_from([*request_to_mapping(parse_request(json.dumps(GOOD), toml=False)), "records", "labels"]),
    value=JSON_VALUES,
)
def test_a_wrong_value_is_refused_with_its_field(key: str, value: object) -> None:
    refused = ""
    try:
        parse_request(json.dumps({**GOOD, key: value}), toml=False)
    except InvalidInput as error:
        refused = error.field
    assert refused in ("", key)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "Bad Name"}, "name"),
        ({"name": None}, "name"),
        ({"region": 3}, "region"),
        ({"technology": "sgxx"}, "technology"),
        ({"vtpm": 1}, "vtpm"),
        ({"colour": "red"}, "colour"),
        ({"labels": {"a": 1}}, "labels"),
        ({"labels": {"A": "x"}}, "labels"),
        ({"records": {}}, "records"),
        ({"records": {"path": "x", "colour": "red"}}, "records"),
        ({"confvm_request": 2}, "request"),
        ({"confvm_request": True}, "request"),
    ],
)
def test_mistakes_name_their_field(change: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_request(json.dumps({**GOOD, **change}), toml=False)
    assert caught.value.field == field


def test_a_key_given_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="twice"):
        parse_request('{"confvm_request": 1, "name": "a", "name": "b"}', toml=False)


@pytest.mark.parametrize("ending", [".json", ".toml"])
def test_a_file_comes_back_with_its_records_beside_it(tmp_path: Path, ending: str) -> None:
    request = parse_request(json.dumps({**GOOD, "records": {"path": "visits.csv"}}), toml=False)
    path = tmp_path / f"request{ending}"
    save_request(request, path)
    again = load_request(path)
    assert again.records == RecordsSpec(tmp_path / "visits.csv")
    assert again.name == "a"


def test_files_that_are_no_request_are_refused(tmp_path: Path) -> None:
    binary = tmp_path / "binary.json"
    binary.write_bytes(b"\xff\xfe\x00")
    large = tmp_path / "large.json"
    large.write_bytes(b" " * ((1 << 20) + 1))
    deep = tmp_path / "deep.json"
    deep.write_text("[" * 200_000)
    for path in (binary, large, deep, tmp_path / "missing.json", tmp_path):
        with pytest.raises(InvalidInput):
            load_request(path)


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    request = parse_request(json.dumps(GOOD), toml=False)
    with pytest.raises(InvalidInput, match="cannot be saved"):
        save_request(request, tmp_path / "missing" / "request.json")


def test_a_launch_is_attested_unless_the_request_says_otherwise() -> None:
    for change, attest in (({}, True), ({"attest": True}, True), ({"attest": False}, False)):
        assert parse_request(json.dumps(GOOD | change), toml=False).attest is attest
    with pytest.raises(InvalidInput) as refused:
        parse_request(json.dumps(GOOD | {"attest": "no"}), toml=False)
    assert refused.value.field == "attest"
