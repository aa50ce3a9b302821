"""What the clouds' key services answer when they fail, and answers that lie: no key comes of those."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Response

from confvm_gui.app.key_stores import PKCS11_MODULE, open_key_stores
from confvm_gui.domain.errors import InvalidInput, KeyUnavailable
from confvm_gui.domain.keys import KeyState
from confvm_gui.domain.ports.keystore import GovernsKeys, KeyStore
from confvm_gui.keys.aws_kms import AwsKeyStore
from confvm_gui.keys.dek import opened, sealed, wrapping_of
from confvm_gui.keys.gcp_kms.crc32c import crc32c
from tests.support.cloud_sites import REGION, aws_kms, azure_store, cloud_kms, gcp_store, key_vault
from tests.support.fake_cloud_kms import RING
from tests.support.softhsm import MODULE
from tests.support.tls_site import TlsSite, environment

DEK = bytes(range(32))


@dataclass
class Cloud:
    name: str
    site: TlsSite
    open: Callable[[], KeyStore]
    ref: str


@pytest.fixture(params=["aws", "gcp", "azure"])
def cloud(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cloud]:
    with ExitStack() as stack:
        if request.param == "aws":
            site = stack.enter_context(aws_kms(tmp_path))
            yield Cloud("aws", site, AwsKeyStore, f"awskms:{REGION}/alias/disks")
        elif request.param == "gcp":
            site, _ = stack.enter_context(cloud_kms(tmp_path))
            yield Cloud("gcp", site, lambda: gcp_store(site), f"gcpkms:{RING}/cryptoKeys/disks")
        else:
            site, _ = stack.enter_context(key_vault(tmp_path))
            yield Cloud("azure", site, lambda: azure_store(site), "azurekv:vault/disks")


async def test_an_authority_that_is_not_trusted_is_refused(cloud: Cloud, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with aws_kms(other) as elsewhere:
        authority = str(elsewhere.ca_file)
    bundle = {"AWS_CA_BUNDLE": authority, "REQUESTS_CA_BUNDLE": authority, "AWS_ENDPOINT_URL_KMS": cloud.site.base}
    credentials = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    with environment({**bundle, **credentials}), pytest.raises(KeyUnavailable, match="cannot be used now"):
        await cloud.open().create(cloud.ref)
    assert cloud.site.asked == []


async def test_an_endpoint_without_tls_is_refused(tmp_path: Path) -> None:
    with (
        aws_kms(tmp_path) as site,
        environment({"AWS_ENDPOINT_URL_KMS": f"http://localhost:{site.port}"}),
        pytest.raises(KeyUnavailable, match="not reached by TLS"),
    ):
        await AwsKeyStore().wrap(f"awskms:{REGION}/alias/disks", DEK)


@pytest.mark.parametrize("change", ["other bytes", "shorter", "nothing", "another key"])
async def test_an_answer_that_lies_gives_no_key(cloud: Cloud, change: str) -> None:
    store = cloud.open()
    await store.create(cloud.ref)
    wrapped = await store.wrap(cloud.ref, DEK)
    forged = {"other bytes": bytes(32), "shorter": DEK[:-1], "nothing": b""}.get(change, DEK)

    def lie(answer: dict[str, Any]) -> None:
        if "Plaintext" in answer:
            answer["Plaintext"] = base64.b64encode(forged).decode()
            if change == "another key":
                answer["Plaintext"] = base64.b64encode(bytes(reversed(DEK))).decode()
        elif "plaintext" in answer:
            plain = forged if change != "another key" else bytes(reversed(DEK))
            answer["plaintext"] = base64.b64encode(plain).decode()
            answer["plaintextCrc32c"] = str(crc32c(plain))
        elif "value" in answer:
            plain = forged if change != "another key" else bytes(reversed(DEK))
            answer["value"] = base64.urlsafe_b64encode(plain).rstrip(b"=").decode()

    cloud.site.lie = lie
    with pytest.raises(KeyUnavailable):
        await store.unwrap(cloud.ref, wrapped)
    cloud.site.lie = None
    assert await store.unwrap(cloud.ref, wrapped) == DEK


@pytest.mark.parametrize("field", ["plaintextCrc32c", "verifiedPlaintextCrc32c", "ciphertextCrc32c", "name"])
async def test_cloud_kms_answers_whose_checksums_do_not_hold_are_refused(tmp_path: Path, field: str) -> None:
    with cloud_kms(tmp_path) as (site, _):
        store, ref = gcp_store(site), f"gcpkms:{RING}/cryptoKeys/disks"
        await store.create(ref)
        wrapped = await store.wrap(ref, DEK)
        wrong = {"plaintextCrc32c": "1", "verifiedPlaintextCrc32c": False, "ciphertextCrc32c": "1", "name": "other"}
        site.lie = lambda answer: answer.update({field: wrong[field]}) if field in answer else None
        with pytest.raises(KeyUnavailable, match="not to be believed"):
            await (store.unwrap(ref, wrapped) if field == "plaintextCrc32c" else store.wrap(ref, DEK))


async def test_aws_days_are_rounded_up_and_kept_within_the_service_s(tmp_path: Path) -> None:
    with aws_kms(tmp_path):
        store, ref = AwsKeyStore(), f"awskms:{REGION}/alias/disks"
        await store.create(ref)
        for days in (0, 6, 31):
            with pytest.raises(InvalidInput, match="7 to 30 days"):
                await store.destroy(ref, after_seconds=days * 86400)
        assert (await store.destroy(ref, after_seconds=6.5 * 86400)).state is KeyState.DESTROY_SCHEDULED


async def test_services_with_a_time_of_their_own_refuse_another(cloud: Cloud) -> None:
    store = cloud.open()
    assert isinstance(store, GovernsKeys)
    await store.create(cloud.ref)
    with pytest.raises(InvalidInput) as caught:
        await store.destroy(cloud.ref, after_seconds=3600)
    assert caught.value.field == "after"
    assert (await store.info(cloud.ref)).state is KeyState.ENABLED


async def test_a_purged_azure_key_is_gone(tmp_path: Path) -> None:
    with key_vault(tmp_path) as (site, fake):
        store = azure_store(site)
        await store.create("azurekv:vault/disks")
        wrapped = await store.wrap("azurekv:vault/disks", DEK)
        with pytest.raises(KeyUnavailable, match="never made, or destroyed"):
            await store.destroy("azurekv:vault/disks", after_seconds=0)
        assert (fake.keys, fake.deleted) == ({}, {})
        with pytest.raises(KeyUnavailable, match="no key"):
            await store.unwrap("azurekv:vault/disks", wrapped)


def test_a_commitment_binds_key_and_reference() -> None:
    wrapped = sealed("awskms:a", DEK, b"service")
    assert (wrapping_of("awskms:a", wrapped), opened("awskms:a", wrapped, DEK)) == (b"service", DEK)
    for ref, key in (("awskms:b", DEK), ("awskms:a", bytes(32)), ("awskms:a", DEK[:16])):
        with pytest.raises(KeyUnavailable, match="not wrapped under"):
            opened(ref, wrapped, key)
    assert DEK not in wrapped


def test_the_checksum_is_castagnoli_s() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720's polynomial, the catalogue's check value
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, appendix B.4
    assert crc32c(b"\xff" * 32) == 0x62A8AB43


@pytest.mark.parametrize("status", [429, 503])
async def test_a_service_that_is_busy_is_told_and_nothing_is_taken(cloud: Cloud, status: int) -> None:
    store = cloud.open()
    await store.create(cloud.ref)
    wrapped = await store.wrap(cloud.ref, DEK)
    cloud.site.failing = Response("{}", status, headers={"Retry-After": "0"}, mimetype="application/json")
    with pytest.raises(KeyUnavailable, match=r"cannot be used now.*try again later"):
        await store.unwrap(cloud.ref, wrapped)
    cloud.site.failing = None
    assert await store.unwrap(cloud.ref, wrapped) == DEK


@pytest.mark.parametrize(
    ("missing", "extra", "ref"),
    [
        ("boto3", "aws", f"awskms:{REGION}/alias/disks"),
        ("google.cloud.kms_v1", "gce", f"gcpkms:{RING}/cryptoKeys/disks"),
        ("azure.keyvault.keys", "azure", "azurekv:vault/disks"),
        ("pkcs11", "hsm", "pkcs11:token=t;object=o"),
    ],
)
async def test_an_sdk_that_is_not_installed_is_told(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, missing: str, extra: str, ref: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    _, router = open_key_stores(data_dir, {PKCS11_MODULE: MODULE})
    with pytest.raises(KeyUnavailable, match=rf"confvm-console\[{extra}\]"):
        await router.wrap(ref, DEK)


async def test_a_cloud_without_credentials_is_told(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    _, router = open_key_stores(data_dir, {})
    with pytest.raises(KeyUnavailable, match="no credentials"):
        await router.wrap(f"awskms:{REGION}/alias/disks", DEK)
