"""Evidence bundles: out and in again, and zips that want to do harm."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.attestation.bundle import MAX_BUNDLE_SIZE, Bundle, is_bundle, pack, unpack
from confvm_gui.attestation.verify import evaluate
from confvm_gui.domain.attestation import Endorsements, Evidence, EvidenceFormat, EvidencePart, ReferenceValues
from confvm_gui.domain.errors import InvalidInput
from tests.unit.attestation.authority import NOW
from tests.unit.attestation.evidence_files import GO_TDX, Vectors

MANY = st.lists(st.binary(max_size=40), max_size=4).map(tuple)
PARTS = st.dictionaries(st.sampled_from([str(part) for part in EvidencePart]), st.binary(max_size=40), max_size=3)


@given(
    data=st.binary(max_size=200),
    kind=st.none() | st.sampled_from(EvidenceFormat),
    parts=PARTS,
    given_=st.builds(Endorsements, MANY, MANY, MANY, MANY),
    at=st.none() | st.just(NOW),
)
def test_out_and_in_again(
    data: bytes, kind: EvidenceFormat | None, parts: dict[str, bytes], given_: Endorsements, at: object
) -> None:
    bundle = Bundle(Evidence(data, kind, parts), given_, NOW if at else None)
    packed = pack(bundle)
    assert is_bundle(packed)
    assert unpack(packed) == bundle
    assert pack(bundle) == packed


@pytest.mark.vectors
def test_a_verdict_is_the_same_from_a_bundle(vectors_dir: Path) -> None:
    vectors = Vectors(vectors_dir)
    quote, log = vectors.read(f"{GO_TDX}ccel/cos-113-tdx-quote.dat"), vectors.read(f"{GO_TDX}ccel/ccel_data.dat")
    for evidence, endorsements in (
        (Evidence(vectors.milan_report()), vectors.milan()),
        (Evidence(quote, parts={EvidencePart.CC_EVENT_LOG: log}), Endorsements()),
    ):
        again = unpack(pack(Bundle(evidence, endorsements, NOW)))
        assert again.at is not None
        verdict = evaluate(again.evidence, again.endorsements, ReferenceValues(), again.at)
        assert verdict == evaluate(evidence, endorsements, ReferenceValues(), NOW)
        assert verdict.trusted


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return output.getvalue()


MANIFEST = ("manifest.json", b'{"confvm": 1, "format": ""}')
EVIDENCE = ("evidence.bin", b"x")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        zipped(),
        zipped(MANIFEST),
        zipped(EVIDENCE),
        zipped(("manifest.json", b"{}"), EVIDENCE),
        zipped(("manifest.json", b'{"confvm": 2, "format": ""}'), EVIDENCE),
        zipped(("manifest.json", b'{"confvm": 1, "format": "new"}'), EVIDENCE),
        zipped(("manifest.json", b'{"confvm": 1, "format": "", "at": "now"}'), EVIDENCE),
        zipped(("manifest.json", b'{"confvm": 1, "format": "", "at": "2025-01-01"}'), EVIDENCE),
        zipped(MANIFEST, EVIDENCE, ("parts/other", b"")),
        zipped(MANIFEST, EVIDENCE, method=zipfile.ZIP_BZIP2),
        zipped(MANIFEST, EVIDENCE, *((f"crls/{number}", b"") for number in range(300))),
        zipped(MANIFEST, ("evidence.bin", bytes(64 << 20))),
        zipped(MANIFEST, EVIDENCE)[:-10],
        zipped(MANIFEST, EVIDENCE).replace(b"PK\x01\x02", b"PK\x01\x03"),
        bytes(MAX_BUNDLE_SIZE + 1),
    ],
)
def test_bundles_that_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        unpack(data)
    assert caught.value.field == "evidence"
    assert "\n" not in str(caught.value)
