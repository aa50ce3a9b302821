"""A secret for a real SEV-SNP guest of the embedded engine: it alone opens it, and its host never sees it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from confvm_gui.app.bootstrap import open_session
from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.guest_evidence import GuestEvidence
from confvm_gui.domain.memory import PAGE_SIZE, Viewer
from confvm_gui.domain.operation import OperationStatus
from confvm_gui.domain.ports.memory_source import SparseMemory, WritableMemory
from confvm_gui.domain.ports.provider import HasEvidence
from confvm_gui.domain.release import RELEASE_INFO
from confvm_gui.engine.guests.memory_map import ATTESTATION_GPA, SNP_SECRETS_GPA
from confvm_gui.fleet.release.broker import SecretBroker, nonce_digest
from confvm_gui.fleet.session import FleetSession
from confvm_gui.sev.sealed_box import unseal
from tests.support.embedded_rig import files_with, launch_request

SECRET = b"call the lighthouse keeper by his real name"
VMPCK1 = 0x40
"""Where it stands in the secrets page (56860, 8.17.2.6)."""


async def launched(session: FleetSession, name: str) -> str:
    request = launch_request(name, technology=Technology.SEV_SNP)
    fitting = replace(request, region="asia-southeast1", zone="asia-southeast1-a", image="ubuntu-2204-lts")
    operation = await session.jobs.create(fitting)
    ended = await session.jobs.wait(operation.id)
    assert ended.status is OperationStatus.SUCCEEDED, ended.error
    return session.inventory.find(name).id


async def asked(session: FleetSession, broker: SecretBroker, name: str, instance_id: str) -> GuestEvidence:
    provider = session.providers["embedded"]
    assert isinstance(provider, HasEvidence)
    nonce = nonce_digest(name, await broker.challenge(name))
    return await provider.evidence(instance_id, EvidenceFormat.SNP_REPORT, nonce)


async def private_key(session: FleetSession, instance_id: str) -> X25519PrivateKey:
    """As the guest makes it of VMPCK1, which is in its memory alone."""
    page = await session.memory(instance_id, Viewer.GUEST).read(SNP_SECRETS_GPA, PAGE_SIZE)
    derived = hashlib.sha256(b"confvm-guest-key" + bytes(page.data)[VMPCK1 : VMPCK1 + 32]).digest()
    return X25519PrivateKey.from_private_bytes(derived)


async def carry(session: FleetSession, instance_id: str, sealed: bytes) -> None:
    """As a host does: into the page that it shares with the guest, where the guest's keys came from."""
    memory = session.memory(instance_id, Viewer.HYPERVISOR)
    assert isinstance(memory, WritableMemory)
    await memory.write(ATTESTATION_GPA + 0x810, sealed)


async def host_view(session: FleetSession, instance_id: str) -> bytes:
    """All of the RAM that holds something, as the host reads it."""
    memory = session.memory(instance_id, Viewer.HYPERVISOR)
    assert isinstance(memory, SparseMemory)
    chunks = [await memory.read(region.gpa, region.length) for region in memory.populated()]
    return b"".join(bytes(chunk.data) for chunk in chunks)


async def test_the_guest_that_is_meant_opens_it_and_no_other_and_not_the_host(data_dir: Path) -> None:
    session = await open_session(data_dir, workers=1)
    try:
        await session.connect()
        broker, keys = session.broker, session.keys
        assert broker is not None
        assert keys is not None
        meant, twin = await launched(session, "meant"), await launched(session, "twin")
        await keys.create("local:secrets")
        conditions = await broker.conditions_of(meant, only_this=True)
        assert conditions.instance == meant
        assert conditions.minimum
        await broker.bind("database", SECRET, "local:secrets", conditions)

        answer = await asked(session, broker, "database", meant)
        release = await broker.give("database", answer.evidence, answer.endorsements)
        assert release.given, release
        report_data = answer.reference.report_data
        assert report_data is not None
        private = await private_key(session, meant)
        assert private.public_key().public_bytes_raw() == report_data[:32]
        assert unseal(release.sealed[32:], private, salt=report_data, info=RELEASE_INFO) == SECRET

        await carry(session, meant, release.sealed)
        seen = await host_view(session, meant)
        assert release.sealed in seen
        assert SECRET not in seen

        other = await asked(session, broker, "database", twin)
        refused = await broker.give("database", other.evidence, other.endorsements)
        assert (refused.given, "another instance" in refused.reason) == (False, True)
        await broker.bind("any", SECRET, "local:secrets", replace(conditions, instance=""))
        other = await asked(session, broker, "any", twin)
        assert (await broker.give("any", other.evidence, other.endorsements)).given, "it shows the same"
        assert not files_with(data_dir, SECRET)
    finally:
        await session.aclose()
