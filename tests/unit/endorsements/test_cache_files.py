"""The cache on disk and the offline bundle: damage is survived, and nothing but the declared error comes out."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.attestation import EndorsementKind, Endorsements
from confvm_gui.domain.errors import InvalidInput, StoreError
from confvm_gui.endorsements.content import parse_chain_header, parse_content
from confvm_gui.endorsements.offline_bundle import pack_endorsements, unpack_endorsements
from confvm_gui.endorsements.record import Record, decode_record, encode_record
from confvm_gui.endorsements.store import EndorsementStore
from confvm_gui.endorsements.waiting import DAY, LONGEST_WAIT, parse_retry_after, wait_after
from tests.unit.endorsements.publisher_site import NOW, Answer, Clock, Site, a_list, need, store_for

CRL = "https://kdsintf.amd.com/vcek/v1/Milan/crl"
INTEL_CRL = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
RECORD = Record(CRL, EndorsementKind.CRL, 200, NOW, NOW + DAY, a_list())

ABSENT = Record(CRL, EndorsementKind.CRL, 404, NOW, NOW + DAY)


def offline(folder: Path) -> EndorsementStore:
    return EndorsementStore(folder, online=False, clock=Clock())


def files_in(folder: Path, ending: str = "") -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name.endswith(ending))


async def filled(site: Site, folder: Path) -> EndorsementStore:
    site.serve(CRL, Answer(RECORD.body))
    site.serve(INTEL_CRL, Answer(a_list("Intel SGX Root CA")))
    store = store_for(site, folder)
    await store.fetch([need(CRL), need(INTEL_CRL), need(f"{CRL}2")])
    return store


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "swap", "folder"])
async def test_a_damaged_file_is_dropped_with_a_note_and_fetched_again(site: Site, data_dir: Path, damage: str) -> None:
    await filled(site, data_dir)
    files = files_in(data_dir, ".entry")
    first = next(path for path in files if CRL.encode() + b'"' in path.read_bytes())
    content = first.read_bytes()
    match damage:
        case "cut":
            first.write_bytes(content[:-9])
        case "flip":
            first.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
        case "empty":
            first.write_bytes(b"")
        case "swap":
            first.write_bytes(next(path for path in files if path != first).read_bytes())
        case "folder":
            first.unlink()
            first.mkdir()
    store = store_for(site, data_dir)
    assert (await store.fetch([need(CRL)])).crls == (RECORD.body,)
    assert len(store.notes) >= 1
    assert site.asked.count("/vcek/v1/Milan/crl") == 2


async def test_a_folder_that_cannot_be_written_costs_only_the_memory(site: Site, tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    store = store_for(site, in_the_way / "endorsements")
    site.serve(CRL, Answer(RECORD.body))
    assert (await store.fetch([need(CRL)])).crls == (RECORD.body,)
    assert "cannot be kept" in store.notes[-1]
    assert not store.entries()
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(pack_endorsements([RECORD]))
    with pytest.raises(StoreError, match="cannot be kept"):
        await store.add(bundle)


async def test_what_is_forgotten_is_fetched_again(site: Site, data_dir: Path) -> None:
    store = await filled(site, data_dir)
    assert store.clear([CRL, "https://kdsintf.amd.com/unknown"]) == 1
    assert [entry.url for entry in store.entries()] == [INTEL_CRL, f"{CRL}2"]
    assert store.clear() == 2
    assert store.entries() == []
    assert files_in(data_dir) == []
    asked = len(site.asked)
    await store.fetch([need(CRL)])
    assert len(site.asked) == asked + 1


async def test_a_bundle_carries_endorsements_to_a_computer_without_network(
    site: Site, data_dir: Path, tmp_path: Path
) -> None:
    store = await filled(site, data_dir)
    path = tmp_path / "endorsements.zip"
    assert await store.export(path) == 2
    assert files_in(tmp_path, ".tmp") == []
    elsewhere = offline(tmp_path / "elsewhere")
    assert await elsewhere.add(path) == 2
    assert await elsewhere.add(path) == 0
    both = [need(CRL), need(INTEL_CRL)]
    assert await elsewhere.fetch(both) == await store.cached(both)
    assert [entry.url for entry in elsewhere.entries()] == [INTEL_CRL, CRL]


async def test_an_older_list_does_not_replace_a_newer_one(data_dir: Path, tmp_path: Path) -> None:
    from tests.unit.attestation.authority import NOW as LATER
    from tests.unit.attestation.authority import issue, p384_key, revocation_list

    newer = replace(RECORD, body=revocation_list(issue("ARK-Milan", p384_key("ARK-Milan")), start=LATER))
    store = offline(data_dir)
    for record, expected in ((RECORD, 1), (newer, 1), (RECORD, 0)):
        path = tmp_path / "bundle.zip"
        path.write_bytes(pack_endorsements([record]))
        assert await store.add(path) == expected
    assert (await store.cached([need(CRL)])).crls == (newer.body,)


def zip_of(files: dict[str, bytes]) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return output.getvalue()


MANIFEST = b'{"confvm-endorsements": 1}'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        zip_of({}),
        zip_of({"manifest.json": b'{"confvm-endorsements": 2}'}),
        zip_of({"manifest.json": MANIFEST, "../../passwd": b""}),
        zip_of({"manifest.json": MANIFEST, "entries/00000.entry": bytes(10 << 20)}),
        zip_of({"manifest.json": MANIFEST, "entries/00000.entry": encode_record(replace(RECORD, url="file:///x"))}),
        zip_of({"manifest.json": MANIFEST, "entries/00000.entry": encode_record(replace(RECORD, body=b"\x30\x00"))}),
        zip_of({"manifest.json": MANIFEST} | {f"entries/0000{n}.entry": encode_record(RECORD) for n in range(2)}),
        zip_of(
            {"manifest.json": MANIFEST, "entries/00000.entry": encode_record(replace(RECORD, status=404, body=b""))}
        ),
    ],
)
async def test_a_malformed_bundle_changes_nothing(data_dir: Path, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(data)
    store = offline(data_dir)
    with pytest.raises(InvalidInput) as error:
        await store.add(path)
    assert error.value.field == "path"
    assert not store.entries()


async def test_paths_that_cannot_be_used_are_told(data_dir: Path, tmp_path: Path) -> None:
    store = offline(data_dir)
    with pytest.raises(InvalidInput, match="cannot be read"):
        await store.add(tmp_path / "missing.zip")
    with pytest.raises(InvalidInput, match="cannot be written"):
        await store.export(tmp_path / "missing" / "out.zip")


def test_a_bundle_is_not_believed_about_how_long_it_holds() -> None:
    lies = replace(RECORD, expires_at=NOW * 4, stored_at=NOW * 4)
    ((record, _),) = unpack_endorsements(pack_endorsements([lies]), NOW)
    assert record.stored_at == NOW
    assert record.expires_at == NOW + 30 * DAY


records = st.builds(
    Record,
    url=st.text(st.characters(max_codepoint=127), max_size=60),
    kind=st.sampled_from(EndorsementKind),
    status=st.integers(0, 599),
    stored_at=st.floats(0, 4e9),
    expires_at=st.none() | st.floats(0, 4e9),
    chain=st.text(st.characters(max_codepoint=127), max_size=60),
    attempts=st.integers(0, 1000),
)


@given(records, st.binary(max_size=60))
def test_a_record_is_read_as_it_was_written(record: Record, body: bytes) -> None:
    record = replace(record, body=body if record.present else b"")
    assert decode_record(encode_record(record)) == record


@given(st.binary(max_size=400) | st.builds(lambda a, b: a + b"\n" + b, st.binary(max_size=200), st.binary(max_size=50)))
def test_any_file_is_a_record_or_is_refused(data: bytes) -> None:
    with suppress(InvalidInput):
        decode_record(data)


@given(st.data())
def test_a_changed_file_is_the_same_or_is_refused(data: st.DataObject) -> None:
    content = bytearray(encode_record(RECORD))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(InvalidInput):
        assert decode_record(bytes(content)).body == RECORD.body


@given(st.data())
def test_a_changed_bundle_is_read_or_is_refused(data: st.DataObject) -> None:
    content = bytearray(pack_endorsements([RECORD]))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(InvalidInput):
        unpack_endorsements(bytes(content), NOW)


@given(st.sampled_from(EndorsementKind), st.binary(max_size=200) | st.just(RECORD.body), st.text(max_size=50))
def test_any_answer_is_read_or_is_refused(kind: EndorsementKind, body: bytes, chain: str) -> None:
    with suppress(InvalidInput):
        assert parse_content(kind, CRL, body, chain).endorsements != Endorsements()
    with suppress(InvalidInput):
        parse_chain_header(chain)


@given(st.text(max_size=40), st.integers(1, 10**6))
def test_any_retry_after_gives_a_wait_within_bounds(text: str, attempts: int) -> None:
    assert 1 <= wait_after(attempts, text, NOW) <= LONGEST_WAIT


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Sun, 15 Jun 2025 15:08:20 GMT", 1_750_000_100 - NOW),
        ("Sun, 15 Jun 2014 15:08:20 GMT", 0),
        ("-1", None),
        ("", None),
        ("soon", None),
        ("9" * 30, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert parse_retry_after(text, NOW) == seconds
