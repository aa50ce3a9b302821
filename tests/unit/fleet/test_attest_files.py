"""Evidence from files and bundles, and bundles into files."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from confvm_gui.domain.attestation import EndorsementKind, EndorsementNeed, Endorsements
from confvm_gui.domain.attestation_record import Occasion
from confvm_gui.domain.errors import InvalidInput, Transient, Unsupported
from confvm_gui.domain.ports.endorsement_source import CacheEntry
from confvm_gui.fleet.attest.evidence_files import LARGEST_EVIDENCE
from tests.support.vouching_provider import SNP_MEASUREMENT, VouchingProvider, milan
from tests.unit.attestation.authority import revocation_list
from tests.unit.attestation.test_snp_evidence import report, signed
from tests.unit.fleet.test_attestations import GUEST, session_of, vouching

AT = datetime(2025, 7, 1, tzinfo=UTC)


class Shelf:
    """An EndorsementCache of what it is given."""

    def __init__(self, held: Endorsements) -> None:
        self.held = held
        self.asked: list[EndorsementNeed] = []
        self.unreachable = False

    async def fetch(self, needs: Sequence[EndorsementNeed]) -> Endorsements:
        self.asked += needs
        if self.unreachable:
            raise Transient("kdsintf.amd.com cannot be reached")
        return await self.cached(needs)

    async def cached(self, needs: Sequence[EndorsementNeed]) -> Endorsements:
        kinds = {need.kind for need in needs}
        chain = EndorsementKind.CERTIFICATE_CHAIN in kinds or EndorsementKind.VCEK in kinds
        return Endorsements(
            self.held.certificates if chain else (), self.held.crls if EndorsementKind.CRL in kinds else ()
        )

    def entries(self) -> Sequence[CacheEntry]:
        return ()

    def clear(self, urls: Collection[str] | None = None) -> int:
        return 0

    async def export(self, path: Path) -> int:
        return 0

    async def add(self, path: Path) -> int:
        return 0


def shelf() -> Shelf:
    return Shelf(Endorsements(milan().vcek.chain(), (revocation_list(milan().ark),)))


def write(folder: Path, nonce: bytes = b"nonce") -> tuple[Path, Path, list[Path]]:
    """Report, reference file that trusts the test's root, and endorsements."""
    evidence, reference = folder / "report.bin", folder / "reference.toml"
    evidence.write_bytes(signed(report(report_data=nonce.ljust(64, b"\0")), milan().vcek))
    root = milan().ark.root()
    reference.write_text(
        f'measurements = ["{SNP_MEASUREMENT.hex()}"]\n'
        f'[[trusted_roots]]\nname = "{root.name}"\nspki_sha256 = "{root.spki_sha256}"\n'
    )
    chain = folder / "chain"
    chain.mkdir()
    for number, certificate in enumerate(milan().vcek.chain()):
        (chain / f"{number}.der").write_bytes(certificate)
    return evidence, reference, [chain]


def leftovers(folder: Path) -> list[Path]:
    return list(folder.glob(".*"))


async def test_a_file_is_verified_kept_and_told(tmp_path: Path) -> None:
    evidence, reference, endorsements = write(tmp_path)
    async with session_of() as session:
        record = await session.attestations.verify_file(
            evidence, endorsements=endorsements, reference=reference, report_data=b"nonce".hex(), at=AT
        )
        assert record.verdict.trusted
        assert record.verdict.at == AT
        assert (record.instance_id, record.occasion, record.by, record.nonce) == (
            "",
            Occasion.FILE,
            "report.bin",
            b"nonce",
        )
        assert [line.id for line in await session.attestations.history("")] == [record.id]
        lonely = await session.attestations.verify_file(evidence, report_data="00", at=AT.replace(tzinfo=None))
        assert not lonely.verdict.trusted
        with pytest.raises(InvalidInput, match="no instance"):
            await session.attestations.accept_baseline(record.id)


async def test_a_bundle_goes_out_and_comes_back(tmp_path: Path) -> None:
    _, reference, _ = write(tmp_path)
    target = tmp_path / "bundle.zip"
    target.write_text("an older one")
    async with session_of() as session:
        record = await session.attestations.refresh(GUEST.id)
        await session.attestations.export(record.id, target)
        assert zipfile.is_zipfile(target)
        assert not leftovers(tmp_path)
        again = await session.attestations.verify_file(target, reference=reference, report_data=record.nonce.hex())
        assert again.evidence == record.evidence
        assert again.endorsements == record.endorsements
        assert again.verdict.trusted
        for place in (tmp_path / "none" / "b.zip", tmp_path, Path("/proc/b.zip"), Path("b\0.zip")):
            with pytest.raises(InvalidInput) as refused:
                await session.attestations.export(record.id, place)
            assert refused.value.field == "path"


@pytest.mark.parametrize(
    ("field", "report_data"),
    [("evidence", ""), ("evidence", "nul\0"), ("endorsements", ""), ("reference", ""), ("report_data", "xyz")],
)
async def test_bad_input_names_its_field(tmp_path: Path, field: str, report_data: str) -> None:
    evidence, reference, endorsements = write(tmp_path)
    nowhere = tmp_path / (report_data or "nowhere")
    async with session_of() as session:
        with pytest.raises(InvalidInput) as refused:
            await session.attestations.verify_file(
                nowhere if field == "evidence" else evidence,
                endorsements=[nowhere] if field == "endorsements" else endorsements,
                reference=nowhere if field == "reference" else reference,
                report_data=report_data if field == "report_data" else "",
            )
        assert refused.value.field == field
        assert await session.attestations.history("") == []


async def test_files_that_are_no_evidence(tmp_path: Path) -> None:
    huge, broken, text = tmp_path / "huge", tmp_path / "broken.zip", tmp_path / "text"
    with huge.open("wb") as file:
        file.truncate(LARGEST_EVIDENCE + 1)
    broken.write_bytes(b"PK\x03\x04" + bytes(40))
    text.write_text("hello")
    async with session_of() as session:
        for path in (huge, broken, text):
            with pytest.raises(InvalidInput) as refused:
                await session.attestations.verify_file(path)
            assert refused.value.field == "evidence"


async def test_endorsements_are_fetched_when_that_is_asked_for(tmp_path: Path) -> None:
    evidence, reference, _ = write(tmp_path)
    async with session_of() as session:
        with pytest.raises(Unsupported, match="give the endorsements as files"):
            await session.attestations.verify_file(evidence, reference=reference, fetch=True)
        source = shelf()
        session.open_endorsements = lambda: source
        offline = await session.attestations.verify_file(
            evidence, reference=reference, report_data=b"nonce".hex(), at=AT
        )
        assert offline.verdict.trusted
        assert source.asked == []
        online = await session.attestations.verify_file(
            evidence, reference=reference, report_data=b"nonce".hex(), at=AT, fetch=True
        )
        assert online.verdict.findings == ()
        assert {need.kind for need in source.asked} == {
            EndorsementKind.VCEK,
            EndorsementKind.CERTIFICATE_CHAIN,
            EndorsementKind.CRL,
        }
        source.unreachable = True
        with pytest.raises(Transient):
            await session.attestations.verify_file(evidence, reference=reference, at=AT, fetch=True)


async def test_publishers_are_asked_of_real_chips_only_and_need_not_answer() -> None:
    async with session_of() as session:
        source = shelf()
        session.open_endorsements = lambda: source
        await session.attestations.refresh(GUEST.id)
        assert source.asked == []
        provider = vouching(session)
        assert isinstance(provider, VouchingProvider)
        provider.emulated_roots = False
        record = await session.attestations.refresh(GUEST.id)
        assert {need.kind for need in source.asked} == {EndorsementKind.CRL}
        assert len(record.endorsements.crls) == 1
        source.unreachable = True
        record = await session.attestations.refresh(GUEST.id)
        assert len(record.endorsements.crls) == 1
