"""What is known of an account's instances, those of others too, what it can choose from and what it may do."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.catalog import load_catalog
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import ConfvmError, InvalidInput
from confvm_gui.domain.instance import InstanceState, Trust
from confvm_gui.domain.ports.provider import ChangeKind
from confvm_gui.providers.aws import live_catalogue
from confvm_gui.providers.aws.credentials import AccessKey
from confvm_gui.providers.aws.instance_read import read_instance
from confvm_gui.providers.aws.permissions import CHANGING, LOOKING, account_of, granted
from tests.support.amazon_ec2 import ACCOUNT, REGION, FakeEc2
from tests.support.amazon_rig import UNHURRIED, amazon_provider
from tests.support.google_rig import everything

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


async def test_instances_of_others_in_all_regions(service: FakeEc2) -> None:
    snp = "<cpuOptions><amdSevSnp>enabled</amdSevSnp></cpuOptions>"
    service.put("theirs", options=snp, Team="Red Team")
    service.put("far", "eu-west-1")
    async with amazon_provider() as provider:
        found = {each.name: each for each in (await everything(provider)).values()}
        theirs = found["theirs"]
        assert (theirs.cloud, theirs.region, theirs.zone) == ("aws", REGION, f"{REGION}a")
        assert (theirs.technology, theirs.trust) == (Technology.SEV_SNP, Trust.UNKNOWN)
        assert (theirs.vcpus, theirs.memory_mib) == (2, 8192)
        assert theirs.state is InstanceState.RUNNING
        assert dict(theirs.labels) == {"Team": "Red Team"}
        assert theirs.created_at > 1_700_000_000
        assert (found["far"].region, found["far"].technology) == ("eu-west-1", Technology.NONE)


async def test_a_change_in_the_cloud_is_seen(service: FakeEc2) -> None:
    async with amazon_provider() as provider:
        changes = provider.watch()
        number = service.put("new")
        assert (await anext(changes)).instance.name == "new"
        _end(number)
        while (change := await anext(changes)).kind is not ChangeKind.REMOVED:
            pass
        assert change.instance.name == "new"
        assert await everything(provider) == {}


def _end(number: str) -> None:
    from moto.ec2.models import ec2_backends

    ec2_backends[ACCOUNT][REGION].terminate_instances([number])


async def test_the_accounts_own_catalogue(service: FakeEc2) -> None:
    catalog = load_catalog()
    async with amazon_provider(patience=replace(UNHURRIED, answer=30)) as provider:
        told = await live_catalogue.read(provider.connection, catalog)
    types = {entry.name: entry for entry in live_catalogue.machine_types(catalog, told)}
    assert types["m6a.large"].technologies == {Technology.SEV_SNP}
    assert REGION in types["m6a.large"].regions
    assert len(types) > len(catalog.machine_types("aws"))
    assert Technology.NITRO in types["m6i.xlarge"].technologies
    regions = {region.name: region for region in live_catalogue.regions(catalog, told)}
    assert regions[REGION].technology_zones(Technology.SEV_SNP)
    assert {region.name for region in catalog.regions("aws")} <= set(regions)


async def test_what_an_account_may_do_is_asked_without_doing_it(service: FakeEc2) -> None:
    service.denied = {"RunInstances", "CreateTags"}
    async with amazon_provider() as provider:
        assert (await account_of(provider.connection))[0] == ACCOUNT
        have = await granted(provider.connection, {**LOOKING, **CHANGING})
    assert {**LOOKING, **CHANGING}.keys() - have == {"ec2:RunInstances", "ec2:CreateTags"}
    assert service.alive() == []


@pytest.mark.parametrize(
    "text",
    [
        f"Access key ID,Secret access key\nAKIAIOSFODNN7EXAMPLE,{SECRET}\n",
        f"\ufeffAccess key ID,Secret access key\r\nAKIAIOSFODNN7EXAMPLE,{SECRET}\r\n",
        json.dumps({"AccessKey": {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": SECRET}}),
    ],
)
def test_an_access_key_as_amazon_hands_it_out(text: str) -> None:
    key = AccessKey(text)
    assert key.key_id == "AKIAIOSFODNN7EXAMPLE"
    assert SECRET not in repr(key)
    assert key.session().get_credentials().secret_key == SECRET


@pytest.mark.parametrize("text", ["", "{", "{}", "a,b\n1,2", "Access key ID,Secret access key\nAKIA,x", "x" * 9000])
def test_what_is_no_access_key_is_told(text: str) -> None:
    with pytest.raises(InvalidInput):
        AccessKey(text)


@given(st.text(max_size=300))
def test_nothing_but_a_clear_error_comes_of_a_key_file(text: str) -> None:
    with suppress(ConfvmError):
        assert SECRET not in repr(AccessKey(text))


@given(st.lists(st.dictionaries(st.sampled_from(["Key", "Value", "Other"]), st.text(max_size=300)), max_size=8))
def test_any_tags_and_states_are_an_instance(tags: list[Any]) -> None:
    found = {"InstanceId": "i-1", "State": {"Name": "odd"}, "Tags": tags, "InstanceType": "x"}
    instance = read_instance(found, "aws-probe", load_catalog(), REGION).instance
    assert instance.name
    assert instance.state is InstanceState.STOPPED
    assert "odd" in instance.state_reason
