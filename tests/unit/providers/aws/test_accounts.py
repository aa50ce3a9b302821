"""Accounts of AWS beside others: by profile and by access key, whose secret is nowhere but in the keyring."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.operation import OperationKind, OperationStatus
from tests.support.amazon_ec2 import ACCOUNT, FakeEc2
from tests.support.amazon_rig import UNHURRIED, amazon_request
from tests.support.google_accounts import MemoryShelf, cloud_session
from tests.support.patience import until

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
KEY = f"Access key ID,Secret access key\nAKIAIOSFODNN7EXAMPLE,{SECRET}\n"


async def test_a_profile_and_an_access_key_make_instances(service: FakeEc2, data_dir: Path) -> None:
    service.put("theirs")
    shelf = MemoryShelf()
    async with cloud_session(data_dir, shelf, patience=UNHURRIED) as cloud:
        first = await cloud.accounts.add("aws", "default", "chain")
        await cloud.session.inventory.connected(first.name)
        assert cloud.session.inventory.find("theirs", first.name)
        creation = await cloud.session.jobs.create(amazon_request(provider=first.name))
        assert (await cloud.session.jobs.wait(creation.id)).status is OperationStatus.SUCCEEDED
        made = cloud.session.inventory.find("probe", first.name)
        (stop,) = await cloud.session.jobs.act(OperationKind.STOP, [made.id])
        assert (await cloud.session.jobs.wait(stop.id)).status is OperationStatus.SUCCEEDED
    async with cloud_session(data_dir, shelf, patience=UNHURRIED) as cloud:
        await cloud.session.inventory.connected(first.name)
        await cloud.accounts.remove(first.name)
        second = await cloud.accounts.add("aws", ACCOUNT, secret=KEY, own_secret=True, readonly=True)
        assert second.name == f"aws-{ACCOUNT}"
        await cloud.session.inventory.connected(second.name)
        assert cloud.session.inventory.find("probe", second.name).state.value == "stopped"
        await cloud.accounts.remove(second.name)
        assert shelf.kept == {}
    assert not [path for path in _files(data_dir) if SECRET.encode() in path.read_bytes()]


async def test_an_account_is_not_worked_with_twice(service: FakeEc2, data_dir: Path) -> None:
    service.put("theirs")
    async with cloud_session(data_dir, patience=UNHURRIED) as cloud:
        first = await cloud.accounts.add("aws", "default", "chain")
        await cloud.session.inventory.connected(first.name)
        second = await cloud.accounts.add("aws", ACCOUNT, secret=KEY, own_secret=True)

        def said() -> str:
            status = cloud.accounts.status(second.name)
            return status.message if status is not None else ""

        await until(lambda: "in the list already as aws-chain" in said())
        assert cloud.session.inventory.find("theirs", first.name)
        await cloud.accounts.remove(second.name)


def _files(folder: Path) -> list[Path]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    assert found
    return found


async def test_a_test_says_who_one_is_and_what_is_missing(service: FakeEc2, data_dir: Path) -> None:
    service.denied = {"TerminateInstances"}
    async with cloud_session(data_dir, patience=UNHURRIED) as cloud:
        facts = await cloud.accounts.test("aws", ACCOUNT, secret=KEY, own_secret=True)
        assert [fact.permission for fact in facts.missing] == ["ec2:TerminateInstances"]
        assert f"{ACCOUNT}" in facts.about
        assert "arn:aws" in facts.about
        assert not (await cloud.accounts.test("aws", "default", readonly=True)).missing
        with pytest.raises(InvalidInput, match="is of the account"):
            await cloud.accounts.test("aws", "999999999999", secret=KEY, own_secret=True)


@pytest.mark.parametrize(("scope", "own"), [("", False), ("a b", False), ("default", True), ("12345", True)])
async def test_what_is_no_account_is_told(data_dir: Path, scope: str, own: bool) -> None:
    async with cloud_session(data_dir, patience=UNHURRIED) as cloud:
        assert cloud.accounts.check("aws", scope, "x", secret=KEY, own_secret=own)


def test_no_sdk_is_loaded_before_an_account_is_connected() -> None:
    code = (
        "import sys; from confvm_gui.app.clouds import CloudOpener; from confvm_gui.catalog import load_catalog; "
        "from confvm_gui.fleet.accounts import AccountEntry; opener = CloudOpener(load_catalog()); opener.kinds(); "
        "opener.open(AccountEntry('aws-x', 'aws', 'default'), str); "
        "print([name for name in sys.modules if name.split('.')[0] in ('boto3', 'botocore')])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "[]"
