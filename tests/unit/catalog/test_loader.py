"""Bad catalogue files: each one clear InvalidInput that names file and entry; nothing else escapes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confvm_gui.catalog import load_catalog
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.resource_files import resources_dir

SHIPPED = resources_dir() / "catalog"

SOURCES = """
source = "doc"
[sources.doc]
title = "A document"
url = "https://example.com/doc"
retrieved = "2026-11-23"
"""

GOOD = {
    "technologies.toml": SOURCES
    + """
[technologies.sev]
vendor = "AMD"
memory_encryption = "AES-128"
integrity = "None"
register_state = "Not protected"
attestation = "Launch measurement"
granularity = "A VM"
limits = "Many"
""",
    "gce-regions.toml": 'zone_pattern = "{region}-{zone}"'
    + SOURCES
    + """
[regions]
here = { title = "Here", at = [1.5, -2], zones = "ab", sev = "b" }
there = { title = "There", zones = "", sev = "*" }
""",
    "gce-machine-types.toml": SOURCES
    + """
[series.n2d]
platforms = ["AMD Milan"]
technologies = ["sev"]
platform = { sev = "AMD Milan" }
live_migration = ["none", "sev"]
regions = ["here"]
types = [{ name = "n2d-{size}", vcpus = [2, 4], gib_per_vcpu = 4 }]
""",
    "gce-images.toml": SOURCES
    + """
[images.linux]
title = "Linux"
family = "linux"
project = "project"
kernel = "6.1"
features = ["SEV_CAPABLE"]
technologies = ["sev"]
""",
}


def _write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def test_a_folder_of_ones_own(tmp_path: Path) -> None:
    catalog = load_catalog(_write(tmp_path, GOOD))
    assert catalog.clouds == ("gce",)
    assert catalog.cloud_title("gce") == "Google Cloud"
    here, there = catalog.regions("gce")
    assert here.zones == ("here-a", "here-b")
    assert (here.latitude, here.longitude, here.placed) == (1.5, -2.0, True)
    assert here.zones_by_technology[0][1] == ("here-b",)
    assert there.zones == ("there",)
    assert not there.placed
    assert [entry.memory_mib for entry in catalog.machine_types("gce")] == [8192, 16384]


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("gce-regions.toml", 'title = "Here"', "title = 5", "region here: title must be a text"),
        ("gce-regions.toml", 'title = "Here"', 'titel = "Here"', "region here: title is missing"),
        ("gce-regions.toml", 'sev = "b"', 'sev = "b", colour = "red"', "region here: there is no technology 'colour'"),
        ("gce-regions.toml", 'sev = "b"', 'none = "b"', "region here: none is not a confidential technology"),
        ("gce-regions.toml", 'sev = "b"', 'sev = "c"', "names the zone 'c', which is not one of the region's zones"),
        ("gce-regions.toml", 'sev = "b"', 'sev = ""', "sev must name zones, each once"),
        ("gce-regions.toml", 'sev = "b"', 'sev = "bb"', "sev must name zones, each once"),
        ("gce-regions.toml", 'zones = "ab"', 'zones = "aa"', "zones names a zone twice"),
        ("gce-regions.toml", "at = [1.5, -2]", "at = [91, 0]", "no place on Earth"),
        ("gce-regions.toml", "at = [1.5, -2]", "at = [nan, 0]", "two numbers"),
        ("gce-regions.toml", "at = [1.5, -2]", "at = [true, 0]", "two numbers"),
        ("gce-regions.toml", "at = [1.5, -2]", "at = [1]", "two numbers"),
        ("gce-regions.toml", "at = [1.5, -2]", f"at = [{'9' * 400}, 1]", "two numbers"),
        ("gce-regions.toml", "there = {", "here = {", "it is not TOML"),
        ("gce-regions.toml", "there = {", '"no way" = {', "'no way' is not a legal name"),
        ("gce-regions.toml", '"{region}-{zone}"', '"{zone}"', ""),
        ("gce-regions.toml", '"{region}-{zone}"', '"zone"', "zone_pattern must have {zone}"),
        ("gce-regions.toml", '"{region}-{zone}"', '"{zone} {region}"', "is not a legal name"),
        ("gce-regions.toml", 'there = { title = "There", zones = ""', 'there = { title = "There", zones = "a"', ""),
        ("gce-regions.toml", '"https://', '"http://', "source doc: a source has a title and a URL"),
        ("gce-regions.toml", '"2026-11-23"', '"2026-13-23"', "source doc: retrieved must be a date"),
        ("gce-regions.toml", '"2026-11-23"', "2026-11-23", "source doc: retrieved must be a text"),
        ("gce-regions.toml", 'source = "doc"', 'source = "dog"', "its source 'dog' is not one of the file's sources"),
        ("gce-regions.toml", 'source = "doc"', "", "its source '' is not one of the file's sources"),
        ("gce-regions.toml", "[regions]", "[areas]", "regions is missing"),
        ("gce-regions.toml", "zone_pattern", "zoen_pattern", "zone_pattern is missing"),
        ("gce-regions.toml", 'source = "doc"', 'source = "doc"\nextra = 1', "there is no key 'extra'"),
        ("gce-machine-types.toml", '["sev"]', '["sve"]', "series n2d: there is no technology 'sve'"),
        ("gce-machine-types.toml", '["sev"]', '["sev", "sev"]', "technologies names sev twice"),
        ("gce-machine-types.toml", '["none", "sev"]', '["tdx"]', "live_migration names a technology"),
        ("gce-machine-types.toml", '["here"]', '["nowhere"]', "series n2d: there is no region nowhere"),
        ("gce-machine-types.toml", '{ sev = "AMD Milan" }', '{ sev = "AMD Rome" }', "is not a technology and platform"),
        ("gce-machine-types.toml", '{ sev = "AMD Milan" }', "7", "platform must be a table"),
        ("gce-machine-types.toml", "[2, 4]", "[2, 2]", "the machine type n2d-2 is there twice"),
        ("gce-machine-types.toml", "[2, 4]", "[0]", "vcpus must be a whole number from 1"),
        ("gce-machine-types.toml", "[2, 4]", "[true]", "vcpus must be a whole number from 1"),
        ("gce-machine-types.toml", "[2, 4]", "[2.0]", "vcpus must be a whole number from 1"),
        ("gce-machine-types.toml", "[2, 4]", "[]", "vcpus is empty"),
        ("gce-machine-types.toml", "[2, 4]", "2", "vcpus must be a list"),
        ("gce-machine-types.toml", "[2, 4]", str(list(range(1, 300))), "has 299 items; at most 256"),
        ("gce-machine-types.toml", "gib_per_vcpu = 4", "memory_gib = [8]", "as many items as each other"),
        ("gce-machine-types.toml", "gib_per_vcpu = 4", "gib = 4", "memory_gib is missing"),
        ("gce-machine-types.toml", "gib_per_vcpu = 4", "gib_per_vcpu = 4, a = 1", "types[0]: there is no key 'a'"),
        ("gce-machine-types.toml", '"n2d-{size}"', '"n2d"', "the machine type n2d is there twice"),
        ("gce-machine-types.toml", "types = [{", "types = [7, {", "types must be a table"),
        ("gce-images.toml", '"6.1"', '"six"', "'six' is not a kernel version"),
        ("gce-images.toml", "kernel =", 'os = "plan9"\nkernel =', "os must be linux or windows"),
        ("gce-images.toml", "kernel =", 'launch_set = "yes"\nkernel =', "launch_set must be true or false"),
        ("gce-images.toml", "kernel =", 'end_of_support = "soon"\nkernel =', "end_of_support must be a date"),
        ("gce-images.toml", '["SEV_CAPABLE"]', '["SEV_CAPABLE", 3]', "features must be a list of texts"),
        ("gce-images.toml", '"Linux"', f'"{"x" * 401}"', "title is longer than 400 characters"),
        ("gce-images.toml", '"Linux"', '"a\\nb"', "characters that cannot be printed"),
        ("gce-images.toml", "[images.linux]", "[images]", "must be a table"),
        ("technologies.toml", "vendor", "maker", "technology sev: vendor is missing"),
        ("technologies.toml", "[technologies.sev]", "[technologies.sve]", "there is no technology 'sve'"),
    ],
)
def test_a_bad_file_is_told(tmp_path: Path, file: str, old: str, new: str, words: str) -> None:
    assert old in GOOD[file]
    _write(tmp_path, GOOD | {file: GOOD[file].replace(old, new, 1)})
    if not words:  # changed, and still good
        load_catalog(tmp_path)
        return
    with pytest.raises(InvalidInput) as caught:
        load_catalog(tmp_path)
    assert caught.value.field == "catalog"
    assert caught.value.message.startswith(f"The catalogue file {file}")
    assert words in caught.value.message


def test_a_zone_in_two_regions_is_told(tmp_path: Path) -> None:
    text = GOOD["gce-regions.toml"].replace('"{region}-{zone}"', '"{zone}"').replace('zones = ""', 'zones = "a"')
    with pytest.raises(InvalidInput, match="region there: the zone a is in another region too"):
        load_catalog(_write(tmp_path, GOOD | {"gce-regions.toml": text}))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "source"),
        (b"\xff\xfe", "not UTF-8"),
        (b"a = ", "not TOML"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"a = " + b"1" * 10_000, "not TOML"),
        (b"# " + b"x" * 300_000, "larger than 256 KiB"),
        (b"a = 2026-99-99", "not TOML"),
    ],
)
def test_content_that_is_no_catalogue(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        load_catalog(_write(tmp_path, GOOD | {"gce-images.toml": content}))


def test_missing_and_stray_files_are_told(tmp_path: Path) -> None:
    _write(tmp_path, GOOD)
    (tmp_path / "gce-images.toml").unlink()
    with pytest.raises(InvalidInput, match=r"gce-images\.toml: it cannot be read"):
        load_catalog(tmp_path)
    _write(tmp_path, GOOD | {"gec-images.toml": ""})
    with pytest.raises(InvalidInput, match=r"gec-images\.toml: there is no catalogue file of this name"):
        load_catalog(tmp_path)
    with pytest.raises(InvalidInput, match="the folder cannot be read"):
        load_catalog(tmp_path / "nowhere")
    alone = _write(tmp_path / "alone", {"technologies.toml": GOOD["technologies.toml"]})
    with pytest.raises(InvalidInput, match="has no cloud in it"):
        load_catalog(alone)


def test_too_many_machine_types_are_refused(tmp_path: Path) -> None:
    rule = '{{ name = "m{index}-{{size}}", vcpus = {sizes}, gib_per_vcpu = 4 }}'
    sizes = str(list(range(1, 201)))
    rules = ", ".join(rule.format(index=index, sizes=sizes) for index in range(11))
    text = GOOD["gce-machine-types.toml"].replace('{ name = "n2d-{size}", vcpus = [2, 4], gib_per_vcpu = 4 }', rules)
    with pytest.raises(InvalidInput, match="more than 2000 machine types"):
        load_catalog(_write(tmp_path, GOOD | {"gce-machine-types.toml": text}))


# Nothing but InvalidInput escapes

_KEYS = st.sampled_from(
    ["source", "sources", "regions", "series", "images", "technologies", "title", "url", "zones", "at", "sev", "types"]
) | st.text(alphabet="abcdefghijklmnopqrstuvwxyz-_", min_size=1, max_size=8)
_SCALARS = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["sev", "*", "doc", "{zone}", "https://a/", "2026-11-23"])
)
_VALUES: st.SearchStrategy[object] = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=20,
)


def _toml(value: object) -> str:
    """`value` as TOML, tables inline."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {_toml(inner)}' for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(c):08x}" for c in value if not 0xD800 <= ord(c) <= 0xDFFF) + '"'
    return repr(value)


def _loads_or_tells(folder: Path, file: str, content: bytes) -> None:
    path = folder / file
    before = path.read_bytes()
    told: InvalidInput | None = None
    try:
        path.write_bytes(content)
        load_catalog(folder)
    except InvalidInput as error:
        told = error
    finally:
        path.write_bytes(before)
    if told is not None:
        assert told.field == "catalog"
        assert told.message.startswith("The catalogue file ")
        assert len(told.message) < 1000


@pytest.fixture(scope="module")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write(tmp_path_factory.mktemp("catalogue"), GOOD)


@pytest.fixture(scope="module")
def shipped_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped files of one small cloud, and Google's regions."""
    folder = tmp_path_factory.mktemp("shipped")
    for path in [SHIPPED / "technologies.toml", *SHIPPED.glob("vsphere-*.toml")]:
        shutil.copy(path, folder)
    return folder


_quiet = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@_quiet
@given(file=st.sampled_from(sorted(GOOD)), tables=st.dictionaries(_KEYS, _VALUES, max_size=6))
def test_any_toml(small_folder: Path, file: str, tables: dict[str, object]) -> None:
    text = "\n".join(f'"{key}" = {_toml(value)}' for key, value in tables.items())
    _loads_or_tells(small_folder, file, text.encode())


@_quiet
@given(
    file=st.sampled_from(sorted(GOOD)),
    place=st.floats(0, 1),
    length=st.integers(0, 12),
    inserted=_VALUES.map(_toml) | st.text(max_size=6),
)
def test_any_damage_to_a_good_file(small_folder: Path, file: str, place: float, length: int, inserted: str) -> None:
    text = GOOD[file]
    at = int(place * len(text))
    damaged = text[:at] + inserted + text[at + length :]
    _loads_or_tells(small_folder, file, damaged.encode(errors="replace"))


@_quiet
@given(
    name=st.sampled_from([path.name for path in SHIPPED.glob("vsphere-*.toml")]),
    content=st.binary(max_size=200),
)
def test_any_bytes(shipped_folder: Path, name: str, content: bytes) -> None:
    _loads_or_tells(shipped_folder, name, content)
