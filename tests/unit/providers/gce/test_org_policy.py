"""The organisation's policy: read, and obeyed before Google refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput
from tests.support.google_accounts import cloud_session, key_file
from tests.support.google_compute import PROJECT, FakeCompute
from tests.support.google_rig import google_provider, google_request
from tests.support.operations import OperationRecord
from tests.support.tls_site import TlsSite

CONFIDENTIAL = "compute.restrictNonConfidentialComputing"
SHIELDED = "compute.requireShieldedVm"


@pytest.mark.parametrize("rule", [{"denyAll": True}, {"values": {"deniedValues": ["is:compute.googleapis.com"]}}])
async def test_where_only_confidential_vms_are_allowed(service: FakeCompute, rule: dict[str, Any]) -> None:
    service.policies[CONFIDENTIAL] = [rule]
    async with google_provider() as provider:
        with pytest.raises(InvalidInput, match="allows confidential VMs only"):
            await provider.create(google_request(technology=Technology.NONE), OperationRecord())
        assert CONFIDENTIAL in provider.reason_unsupported(Technology.NONE)
        assert service.inserts == []
        await provider.create(google_request(), OperationRecord())
        assert service.names() == ["probe"]


async def test_a_rule_for_other_services_is_none_for_instances(service: FakeCompute) -> None:
    service.policies[CONFIDENTIAL] = [{"values": {"deniedValues": ["container.googleapis.com"]}}]
    async with google_provider() as provider:
        await provider.create(google_request(technology=Technology.NONE), OperationRecord())
        assert service.names() == ["probe"]


async def test_where_shielded_vms_are_asked_for(service: FakeCompute) -> None:
    service.policies[SHIELDED] = [{"enforce": True}]
    async with google_provider() as provider:
        with pytest.raises(InvalidInput, match="asks for Secure Boot: turn it on"):
            await provider.create(google_request(), OperationRecord())
        await provider.create(google_request(secure_boot=True), OperationRecord())


async def test_who_may_not_read_the_policy_goes_on(service: FakeCompute) -> None:
    service.forbidden = {"orgpolicy.projects.policies.getEffectivePolicy"}
    async with google_provider() as provider:
        await provider.create(google_request(technology=Technology.NONE), OperationRecord())
        assert service.names() == ["probe"]


async def test_a_plain_instance_is_not_accepted(google: tuple[TlsSite, FakeCompute], data_dir: Path) -> None:
    site, fake = google
    fake.policies[CONFIDENTIAL] = [{"denyAll": True}]
    async with cloud_session(data_dir) as cloud:
        added = await cloud.accounts.add("gce", PROJECT, secret=key_file(site), own_secret=True)
        await cloud.session.inventory.connected(added.name)
        with pytest.raises(InvalidInput, match="confidential VMs only"):
            await cloud.session.jobs.create(google_request(provider=added.name, technology=Technology.NONE))
        assert fake.inserts == []
