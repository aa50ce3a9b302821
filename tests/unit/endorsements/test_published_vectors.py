"""Real endorsements as AMD's KDS and Intel's PCS give them, from need to verdict."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from confvm_gui.attestation.endorsement_files import gather
from confvm_gui.attestation.needs import needs
from confvm_gui.attestation.verify import evaluate
from confvm_gui.domain.attestation import EndorsementKind, Endorsements, Evidence, ReferenceValues
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.ports.endorsement_source import EntryState
from tests.unit.attestation.evidence_files import DCAP, GO_TDX, SEV, Vectors
from tests.unit.endorsements.publisher_site import Answer, Clock, Site, a_list, need, store_for

pytestmark = pytest.mark.vectors

TCB_INFO = "https://api.trustedservices.intel.com/tdx/certification/v4/tcb?fmspc=50806f000000"
QE_IDENTITY = "https://api.trustedservices.intel.com/tdx/certification/v4/qe/identity"
HEADER = "TCB-Info-Issuer-Chain"


def intel_chain(vectors: Vectors) -> str:
    """An issuer chain as PCS writes it into a header."""
    import json

    pem = json.loads(vectors.read(f"{DCAP}tdx_quote_collateral.json"))["tcb_info_issuer_chain"]
    return quote(pem, safe="")


async def test_a_report_is_trusted_with_what_kds_gave(site: Site, data_dir: Path, vectors_dir: Path) -> None:
    vectors = Vectors(vectors_dir)
    report = Evidence(vectors.milan_report())
    wanted = needs(report, Endorsements())
    vcek = next(item for item in wanted if item.kind is EndorsementKind.VCEK and "/Milan/" in item.url)
    site.serve(vcek.url, Answer(vectors.read(f"{SEV}tests/certs_data/vcek_milan.der")))
    chain = "https://kdsintf.amd.com/vcek/v1/Milan/cert_chain"
    site.serve(chain, Answer(vectors.read(f"{SEV}tests/certs_data/cert_chain_milan")))
    site.serve("https://kdsintf.amd.com/vcek/v1/Milan/crl", Answer(a_list()))
    store = store_for(site, data_dir)
    given = await store.fetch(wanted)
    assert len(site.asked) == len(wanted)
    assert evaluate(report, given, ReferenceValues(), datetime(2025, 7, 1, tzinfo=UTC)).claim("certificate.tcb")
    # Version 2 does not name its product line: the other line's addresses are remembered as not published.
    assert {entry.state for entry in store.entries() if "/Genoa/" in entry.url} == {EntryState.NOT_PUBLISHED}
    assert await store.fetch(wanted) == given
    assert len(site.asked) == len(wanted)
    forever = next(entry for entry in store.entries() if entry.url == vcek.url)
    assert forever.expires_at is None


async def test_another_chips_certificate_is_not_kept(site: Site, data_dir: Path, vectors_dir: Path) -> None:
    vectors = Vectors(vectors_dir)
    url = f"https://kdsintf.amd.com/vcek/v1/Milan/{'ab' * 64}?blSPL=03&teeSPL=00&snpSPL=08&ucodeSPL=115"
    site.serve(url, Answer(vectors.read(f"{SEV}tests/certs_data/vcek_milan.der")))
    store = store_for(site, data_dir)
    with pytest.raises(InvalidInput, match="another chip or TCB"):
        await store.fetch([need(url, EndorsementKind.VCEK)])
    assert not store.entries()


async def test_intels_documents_bring_their_issuers_in_a_header(site: Site, data_dir: Path, vectors_dir: Path) -> None:
    vectors = Vectors(vectors_dir)
    document = vectors.read(f"{GO_TDX}sample_tcbInfo_response")
    chain = intel_chain(vectors)
    site.serve(TCB_INFO, Answer(document, headers={HEADER.lower(): chain}))
    clock = Clock()
    clock.now = 1_680_000_000.0  # before the document's nextUpdate
    store = store_for(site, data_dir, clock)
    wanted = [need(TCB_INFO, EndorsementKind.TCB_INFO, HEADER)]
    given = await store.fetch(wanted)
    assert given.documents == (document,)
    assert len(given.certificates) == 2
    assert gather([document]).documents == given.documents
    assert await store_for(site, data_dir, clock, online=False).fetch(wanted) == given
    (entry,) = store.entries()
    assert entry.expires_at is not None
    assert entry.expires_at >= clock.now


@pytest.mark.parametrize("chain", ["", "%zz", "-----BEGIN%20CERTIFICATE-----%0AAAAA%0A-----END%20CERTIFICATE-----"])
async def test_a_document_without_readable_issuers_is_refused(
    site: Site, data_dir: Path, vectors_dir: Path, chain: str
) -> None:
    document = Vectors(vectors_dir).read(f"{GO_TDX}sample_tcbInfo_response")
    site.serve(TCB_INFO, Answer(document, headers={HEADER: chain} if chain else {}))
    store = store_for(site, data_dir)
    with pytest.raises(InvalidInput):
        await store.fetch([need(TCB_INFO, EndorsementKind.TCB_INFO, HEADER)])
    assert not store.entries()


async def test_a_document_of_the_other_kind_is_refused(site: Site, data_dir: Path, vectors_dir: Path) -> None:
    vectors = Vectors(vectors_dir)
    header = "SGX-Enclave-Identity-Issuer-Chain"
    site.serve(
        QE_IDENTITY, Answer(vectors.read(f"{GO_TDX}sample_tcbInfo_response"), headers={header: intel_chain(vectors)})
    )
    with pytest.raises(InvalidInput, match="no signed enclaveIdentity"):
        await store_for(site, data_dir).fetch([need(QE_IDENTITY, EndorsementKind.QE_IDENTITY, header)])
