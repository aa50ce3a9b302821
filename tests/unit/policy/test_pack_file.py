"""Packs as files: the shipped ones, what is refused, canonical text, signatures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.catalog import load_catalog
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.policy import Applies, Fix, Pack, Rule
from confvm_gui.policy.countries import COUNTRY
from confvm_gui.policy.evaluate import ReadyPack
from confvm_gui.policy.pack_file import MAX_BYTES, dump_pack, parse_pack, signature_holds, signed_message
from confvm_gui.resource_files import resources_dir

SHIPPED = sorted((resources_dir() / "policy").glob("*.toml"))
GOOD = dump_pack(Pack("house", 3, "House", "", (Rule("one", "One", "vm.confidential", "technology"),)))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_packs_are_whole(path: Path) -> None:
    pack = parse_pack(path.read_text("utf-8"), shipped=True)
    assert pack.name == path.stem
    assert ReadyPack(pack).faults == []
    assert all(rule.source and rule.message for rule in pack.rules)
    assert pack.source
    assert pack.description
    assert pack.shipped


def test_there_are_the_packs_that_are_promised() -> None:
    assert [path.stem for path in SHIPPED] == ["european-residence", "google-launch", "government", "hygiene"]


def test_fixes_of_shipped_packs_name_what_the_catalogue_has() -> None:
    catalog = load_catalog()
    regions = {region.name for cloud in catalog.clouds for region in catalog.regions(cloud)}
    images = {image.name for cloud in catalog.clouds for image in catalog.images(cloud)}
    machines = {machine.name for cloud in catalog.clouds for machine in catalog.machine_types(cloud)}
    known = {"region": regions, "image": images, "machine_type": machines}
    for path in SHIPPED:
        for rule in parse_pack(path.read_text("utf-8")).rules:
            if rule.fix is not None and rule.fix.field in known:
                assert set(rule.fix.choices) <= known[rule.fix.field], rule.id


def test_every_region_of_a_public_cloud_has_a_country() -> None:
    catalog = load_catalog()
    placed = {(cloud, region.name) for cloud in catalog.clouds for region in catalog.regions(cloud) if region.placed}
    assert {pair for pair in placed if pair[0] != "libvirt"} == set(COUNTRY)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("confvm_pack = 1", "confvm_pack = 2", "of format 2"),
        ("confvm_pack = 1\n", "", "confvm_pack is missing"),
        ('name = "house"', 'name = "House!"', "lower-case words"),
        ("version = 3", "version = 0", "whole number from 1"),
        ("version = 3", "version = true", "whole number from 1"),
        ("version = 3", 'version = "3"', "whole number from 1"),
        ('title = "House"', "title = 4", "title must be a text"),
        ('field = "technology"', 'field = "tecnology"', "no field 'tecnology'"),
        ('applies = "both"', 'applies = "all"', "request, instance or both"),
        ('applies = "both"', 'aplies = "both"', "no key 'aplies'"),
        ("[[rules]]", "[rules]", "1 to 100 rules"),
        ('source = ""', 'signature = "00"', "64 bytes"),
        ('source = ""', 'signature = "xx"', "hexadecimal"),
        ('source = ""', "x = " + "[" * 5000, "cannot be read"),
        ('source = ""', "x = " + "1" * 5000, "cannot be read"),
        ('title = "House"', 'title = "a\\u0007b"', "cannot be printed"),
        ('title = "House"', f'title = "{"a" * 1001}"', "at most 1000"),
    ],
)
def test_says_what_is_wrong_with_a_pack(old: str, new: str, reason: str) -> None:
    assert old in GOOD
    with pytest.raises(InvalidInput) as caught:
        parse_pack(GOOD.replace(old, new, 1))
    assert caught.value.field == "pack"
    assert reason in caught.value.message


def test_refuses_two_rules_of_one_name_and_too_much() -> None:
    rule = GOOD[GOOD.index("[[rules]]") :]
    with pytest.raises(InvalidInput, match="two of its rules are called one"):
        parse_pack(GOOD + rule)
    with pytest.raises(InvalidInput, match="larger than"):
        parse_pack(GOOD + "#" * MAX_BYTES)
    with pytest.raises(InvalidInput, match="1 to 100 rules"):
        parse_pack(GOOD + "".join(rule.replace('"one"', f'"r{n}"', 1) for n in range(100)))


TEXTS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8}){0,2}", fullmatch=True)
FIELDS = st.sampled_from(["technology", "region", "labels.owner", "disk_key"])
RULES = st.builds(
    Rule,
    id=NAMES,
    title=TEXTS,
    expression=TEXTS,
    field=FIELDS,
    applies=st.sampled_from(Applies),
    message=st.just("") | TEXTS,
    fix=st.none() | st.builds(Fix, FIELDS, st.lists(TEXTS, max_size=3).map(tuple)),
    source=st.just("") | TEXTS,
)
PACKS = st.builds(
    Pack,
    name=NAMES,
    version=st.integers(1, 1_000_000),
    title=TEXTS,
    description=st.just("") | TEXTS,
    rules=st.lists(RULES, min_size=1, max_size=4, unique_by=lambda rule: rule.id).map(tuple),
    source=st.just("") | TEXTS,
    signature=st.just(b"") | st.binary(min_size=64, max_size=64),
)


@given(PACKS)
def test_reads_back_what_it_writes(pack: Pack) -> None:
    assert parse_pack(dump_pack(pack)) == pack


@given(st.one_of(st.text(max_size=300), st.tuples(st.integers(0, len(GOOD)), st.text(max_size=8))))
def test_any_text_is_a_pack_or_one_clear_error(given_text: str | tuple[int, str]) -> None:
    text = given_text if isinstance(given_text, str) else GOOD[: given_text[0]] + given_text[1] + GOOD[given_text[0] :]
    fault: InvalidInput | None = None
    try:
        parse_pack(text)
    except InvalidInput as error:
        fault = error
    assert fault is None or (fault.field == "pack" and len(fault.message) < 400)


def test_a_signature_holds_for_the_pack_alone() -> None:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    pack = parse_pack(GOOD)
    signed = replace(pack, signature=key.sign(signed_message(pack)))
    assert signature_holds(signed, public)
    assert signature_holds(parse_pack(dump_pack(signed)), public)
    assert not signature_holds(replace(signed, version=4), public)
    assert not signature_holds(replace(signed, rules=(replace(pack.rules[0], expression="true"),)), public)
    assert not signature_holds(pack, public)
    assert not signature_holds(signed, Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    assert not signature_holds(signed, b"short")
