"""What publishers give and what the cache keeps, with changes: nothing but InvalidInput, and in time."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest

from confvm_gui.domain.attestation import EndorsementKind
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.endorsements.content import parse_chain_header, parse_content
from confvm_gui.endorsements.offline_bundle import pack_endorsements, unpack_endorsements
from confvm_gui.endorsements.publishers import check_address
from confvm_gui.endorsements.record import Record, decode_record, encode_record
from confvm_gui.endorsements.waiting import parse_retry_after
from confvm_gui.sev.kds import vcek_url
from confvm_gui.sev.snp_product import ProductLine
from confvm_gui.sev.x509_certificate import X509Certificate
from tests.fuzz.mutation import hold, inputs_for_each
from tests.unit.attestation.evidence_files import DCAP, GO_TDX, SEV, Vectors

pytestmark = pytest.mark.vectors

Target = tuple[Callable[[bytes], object], list[bytes]]
NOW = 1_750_000_000.0
CRL = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
TCB_INFO = "https://api.trustedservices.intel.com/tdx/certification/v4/tcb?fmspc=50806f000000"


def vcek_address(vcek: bytes) -> str:
    extensions = X509Certificate(vcek).amd
    assert extensions is not None
    assert extensions.hwid is not None
    return vcek_url(ProductLine.MILAN, extensions.hwid, extensions.tcb)


def kept(vectors: Vectors) -> list[Record]:
    vcek = vectors.read(f"{SEV}tests/certs_data/vcek_milan.der")
    chain = quote(json.loads(vectors.read(f"{DCAP}tdx_quote_collateral.json"))["tcb_info_issuer_chain"])
    document = vectors.read(f"{GO_TDX}sample_tcbInfo_response")
    return [
        Record(vcek_address(vcek), EndorsementKind.VCEK, 200, NOW, None, vcek),
        Record(CRL, EndorsementKind.CRL, 200, NOW, NOW + 1, vectors.read(f"{GO_TDX}rootcrl.der")),
        Record(TCB_INFO, EndorsementKind.TCB_INFO, 200, NOW, NOW + 1, document, chain),
        Record(f"{CRL}x", EndorsementKind.CRL, 404, NOW, NOW + 1),
        Record(CRL, EndorsementKind.CRL, 503, NOW, NOW + 1, attempts=3),
    ]


def cache_files(vectors: Vectors) -> Target:
    """A file of the cache, and what it holds."""

    def target(data: bytes) -> object:
        record = decode_record(data)
        return parse_content(record.kind, record.url, record.body, record.chain)

    return target, [encode_record(record) for record in kept(vectors)]


def offline_bundles(vectors: Vectors) -> Target:
    records = kept(vectors)
    corpus = [pack_endorsements(records), pack_endorsements(records[1:2]), pack_endorsements([])]
    return lambda data: unpack_endorsements(data, NOW), corpus


def answers(vectors: Vectors) -> Target:
    """An answer to each kind of need, at the address that it belongs to."""
    records = [record for record in kept(vectors) if record.present]
    addresses = {record.kind: record.url for record in records}
    corpus = [record.body for record in records]
    corpus.append(vectors.read(f"{SEV}tests/certs_data/cert_chain_milan"))
    corpus.append(vectors.read(f"{GO_TDX}sample_qeIdentity_response"))

    def target(data: bytes) -> None:
        for kind in EndorsementKind:
            with suppress(InvalidInput):
                parse_content(kind, addresses.get(kind, CRL), data)

    return target, corpus


def headers(vectors: Vectors) -> Target:
    """Headers of an answer, and addresses."""
    corpus = [record.chain.encode() for record in kept(vectors) if record.chain]
    corpus += [b"120", b"Sun, 15 Jun 2025 15:08:20 GMT", CRL.encode(), TCB_INFO.encode()]

    def target(data: bytes) -> None:
        text = data.decode("latin-1")
        parse_retry_after(text, NOW)
        for parser in (parse_chain_header, check_address):
            with suppress(InvalidInput):
                parser(text)

    return target, corpus


@pytest.mark.timeout(300)
@pytest.mark.parametrize("make", [cache_files, offline_bundles, answers, headers], ids=lambda make: str(make.__name__))
def test_nothing_but_invalid_input_and_in_time(vectors_dir: Path, make: Callable[[Vectors], Target]) -> None:
    target, corpus = make(Vectors(vectors_dir))
    assert hold(target, corpus, make.__name__) == inputs_for_each()


def test_what_is_unchanged_is_read(vectors_dir: Path) -> None:
    for record in kept(Vectors(vectors_dir)):
        assert decode_record(encode_record(record)) == record
        if record.present:
            parse_content(record.kind, record.url, record.body, record.chain)
