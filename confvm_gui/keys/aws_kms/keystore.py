"""KeyStore for `awskms:REGION/KEY-ID` and `awskms:REGION/alias/NAME`, through boto3.

DEKs go through Encrypt and Decrypt with an encryption context that says what they are. Credentials are those of boto3's
chain, the certificate authorities those of AWS_CA_BUNDLE or its own; an endpoint (AWS_ENDPOINT_URL_KMS) without TLS is
refused. Decrypt names the key, so that what another key wrapped is not taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NoReturn, TypeVar

from confvm_gui.domain.errors import ConfvmError, InvalidInput, KeyUnavailable, Unsupported
from confvm_gui.domain.keys import KeyInfo, KeyState
from confvm_gui.keys.cloud import ANSWER_SECONDS, CONNECT_SECONDS, asked, busy, forged, refused, sdk, whole_days
from confvm_gui.keys.dek import NoSuchKey, check_dek, not_authentic, opened, sealed, wrapping_of

T = TypeVar("T")

SERVICE: Final = "AWS KMS"
_CONTEXT: Final = {"confvm": "disk-key"}
_REF: Final = re.compile(
    r"awskms:([a-z]{2}(?:-[a-z]+){1,3}-\d{1,2})/"
    r"((?:mrk-)?[0-9a-f]{8}[0-9a-f-]{24,28}|alias/(?!aws/)[A-Za-z0-9/_-]{1,250})"
)
_STATES: Final = {
    "Enabled": KeyState.ENABLED,
    "Disabled": KeyState.DISABLED,
    "PendingDeletion": KeyState.DESTROY_SCHEDULED,
    "PendingReplicaDeletion": KeyState.DESTROY_SCHEDULED,
}
_BUSY: Final = frozenset(
    ("ThrottlingException", "LimitExceededException", "KMSInternalException", "DependencyTimeoutException")
)
_LEAST_DAYS, _MOST_DAYS = 7, 30


class AwsKeyStore:
    """`domain.ports.keystore.KeyStore` and `GovernsKeys`. `regions`: in which keys are looked for by `keys`."""

    def __init__(self, regions: Sequence[str] = ()) -> None:
        self._regions = tuple(regions)
        self._clients: dict[str, Any] = {}

    @property
    def scheme(self) -> str:
        return "awskms"

    async def create(self, key_ref: str) -> None:
        """A name (`alias/NAME`) that is free gets a new key; a KEY-ID is the service's to give."""
        region, key_id = _parse(key_ref)

        def work(client: Any) -> None:
            try:
                client.describe_key(KeyId=key_id)
                return
            except client.exceptions.NotFoundException:
                if not key_id.startswith("alias/"):
                    raise
            made = client.create_key(Description="Wraps disk keys of ConfVM Console", KeySpec="SYMMETRIC_DEFAULT")
            made_id = made["KeyMetadata"]["KeyId"]
            try:
                client.create_alias(AliasName=key_id, TargetKeyId=made_id)
            except client.exceptions.AlreadyExistsException:
                # Another console was faster: its key has the name, and this one is not kept.
                client.schedule_key_deletion(KeyId=made_id, PendingWindowInDays=_LEAST_DAYS)

        await self._ask(key_ref, region, work)

    async def wrap(self, key_ref: str, key: bytes) -> bytes:
        check_dek(key)
        region, key_id = _parse(key_ref)

        def work(client: Any) -> bytes:
            answer = client.encrypt(KeyId=key_id, Plaintext=key, EncryptionContext=_CONTEXT)
            _check_key(key_id, answer)
            return sealed(key_ref, key, _bytes(answer, "CiphertextBlob"))

        return await self._ask(key_ref, region, work)

    async def unwrap(self, key_ref: str, wrapped: bytes) -> bytes:
        region, key_id = _parse(key_ref)
        blob = wrapping_of(key_ref, wrapped)

        def work(client: Any) -> bytes:
            try:
                answer = client.decrypt(KeyId=key_id, CiphertextBlob=blob, EncryptionContext=_CONTEXT)
            except (client.exceptions.InvalidCiphertextException, client.exceptions.IncorrectKeyException):
                raise not_authentic(key_ref) from None
            _check_key(key_id, answer)
            return opened(key_ref, wrapped, _bytes(answer, "Plaintext"))

        return await self._ask(key_ref, region, work)

    # GovernsKeys ----------------------------------------------------------------------------------------------------

    async def keys(self) -> Sequence[KeyInfo]:
        found: list[KeyInfo] = []
        for region in self._regions:
            _parse(f"awskms:{region}/alias/any")  # a region that the settings misspell is told, not connected to
            found += await self._ask(f"awskms:{region}", region, partial(_all, region=region))
        return found

    async def info(self, key_ref: str) -> KeyInfo:
        return await self._change(key_ref, lambda client, key: None)

    async def rotate(self, key_ref: str) -> KeyInfo:
        return await self._change(key_ref, lambda client, key: client.rotate_key_on_demand(KeyId=key))

    async def disable(self, key_ref: str) -> KeyInfo:
        return await self._change(key_ref, lambda client, key: client.disable_key(KeyId=key))

    async def enable(self, key_ref: str) -> KeyInfo:
        return await self._change(key_ref, lambda client, key: client.enable_key(KeyId=key))

    async def destroy(self, key_ref: str, *, after_seconds: float) -> KeyInfo:
        _parse(key_ref)
        days = whole_days(after_seconds, _LEAST_DAYS, _MOST_DAYS, SERVICE)
        return await self._change(
            key_ref, lambda client, key: client.schedule_key_deletion(KeyId=key, PendingWindowInDays=days)
        )

    async def restore(self, key_ref: str) -> KeyInfo:
        return await self._change(key_ref, lambda client, key: client.cancel_key_deletion(KeyId=key))

    async def _change(self, key_ref: str, change: Callable[[Any, str], object]) -> KeyInfo:
        """Do it to the key itself: most calls do not take its alias."""
        region, key_id = _parse(key_ref)

        def work(client: Any) -> KeyInfo:
            key = client.describe_key(KeyId=key_id)["KeyMetadata"]["KeyId"]
            change(client, key)
            return _info(client, key_ref, client.describe_key(KeyId=key)["KeyMetadata"])

        return await self._ask(key_ref, region, work)

    def __repr__(self) -> str:
        return "<AwsKeyStore>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key store is never pickled or copied")

    async def _ask(self, key_ref: str, region: str, work: Callable[[Any], T]) -> T:
        def run() -> T:
            boto3, exceptions = sdk("boto3", "aws"), sdk("botocore.exceptions", "aws")
            try:
                return work(self._client(boto3, region))
            except exceptions.ClientError as error:
                raise _told(key_ref, error.response) from error
            except exceptions.NoCredentialsError as error:
                raise KeyUnavailable(
                    f"{SERVICE} was not asked: there are no credentials; log in with `aws sso login` or `aws configure`"
                ) from error
            except (exceptions.SSLError, exceptions.BotoCoreError) as error:
                raise busy(SERVICE, f"{type(error).__name__}: {error}") from error
            except (KeyError, TypeError, AttributeError) as error:
                raise forged(SERVICE, f"it lacks {error}") from error

        return await asked("AWS", run)

    def _client(self, boto3: Any, region: str) -> Any:
        client = self._clients.get(region)
        if client is None:
            config = sdk("botocore.config", "aws").Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=ANSWER_SECONDS,
                retries={"total_max_attempts": 3, "mode": "standard"},
            )
            client = boto3.session.Session().client("kms", region_name=region, config=config)
            if not client.meta.endpoint_url.startswith("https://"):
                raise KeyUnavailable(f"{client.meta.endpoint_url} is not reached by TLS: no key is sent there")
            self._clients[region] = client
        return client


def _parse(key_ref: str) -> tuple[str, str]:
    match = _REF.fullmatch(key_ref)
    if match is None:
        raise InvalidInput(
            "disk_key",
            f"{key_ref!r} does not name a key of {SERVICE}; write awskms:REGION/KEY-ID or awskms:REGION/alias/NAME",
        )
    return match[1], match[2]


def _check_key(key_id: str, answer: Mapping[str, object]) -> None:
    """That it is of the key that was asked: of an alias the service alone knows the key."""
    told = answer["KeyId"]
    if not key_id.startswith("alias/") and str(told).rpartition("/")[2] != key_id:
        raise forged(SERVICE, f"it is of the key {told}")


def _bytes(answer: Mapping[str, object], name: str) -> bytes:
    value = answer[name]
    if not isinstance(value, bytes) or not value:
        raise forged(SERVICE, f"it has no {name}")
    return value


def _all(client: Any, region: str) -> Sequence[KeyInfo]:
    names = {
        alias["TargetKeyId"]: alias["AliasName"]
        for page in client.get_paginator("list_aliases").paginate()
        for alias in page["Aliases"]
        if "TargetKeyId" in alias and not alias["AliasName"].startswith("alias/aws/")
    }
    found = []
    for page in client.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            told = client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
            if told["KeyManager"] == "CUSTOMER" and told.get("KeySpec") == "SYMMETRIC_DEFAULT":
                found.append(_info(client, f"awskms:{region}/{names.get(key['KeyId'], key['KeyId'])}", told))
    return found


def _info(client: Any, key_ref: str, told: Mapping[str, Any]) -> KeyInfo:
    versions = 1
    state = _STATES.get(told["KeyState"], KeyState.UNREACHABLE)
    if state is KeyState.ENABLED:
        rotations = client.list_key_rotations(KeyId=told["KeyId"]).get("Rotations", ())
        versions += sum(one.get("RotationType") == "ON_DEMAND" or "RotationDate" in one for one in rotations)
    end = told.get("DeletionDate")
    origin = told.get("Origin", "AWS_KMS")
    return KeyInfo(
        ref=key_ref,
        algorithm="AES-256-GCM in AWS KMS",
        protection={
            "AWS_KMS": "AWS KMS, HSMs of AWS",
            "AWS_CLOUDHSM": "AWS CloudHSM cluster",
            "EXTERNAL_KEY_STORE": "key store outside of AWS",
        }.get(origin, f"AWS KMS, key material {origin.lower()}"),
        state=state,
        state_reason="" if state is KeyState.ENABLED else f"AWS KMS says {told['KeyState']}",
        primary_version=versions,
        versions=versions,
        created_at=told["CreationDate"].timestamp(),
        destroy_at=end.timestamp() if end is not None else None,
        hardware=origin in ("AWS_KMS", "AWS_CLOUDHSM"),
    )


def _told(key_ref: str, response: Mapping[str, Any]) -> ConfvmError:
    """The service's error, for people."""
    code = str(response.get("Error", {}).get("Code", ""))
    message = str(response.get("Error", {}).get("Message", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _BUSY or status == 429 or status >= 500:
        return busy(SERVICE, f"{code or status} {message}".strip())
    if code == "NotFoundException":
        return NoSuchKey(f"There is no key {key_ref} in {SERVICE}; create it, or choose another")
    if code in ("UnsupportedOperationException", "InvalidKeyUsageException"):
        return Unsupported(f"{SERVICE} cannot do this with {key_ref}: {message}")
    if code in ("DisabledException", "KMSInvalidStateException"):
        return refused(SERVICE, key_ref, f"it is disabled or to be destroyed ({message})")
    return refused(SERVICE, key_ref, f"{code} {message}".strip())
