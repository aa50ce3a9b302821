"""KeyStore for `gcpkms:projects/P/locations/L/keyRings/R/cryptoKeys/NAME`, through google-cloud-kms over REST.

Credentials are Google's application default credentials, the certificate authorities those of REQUESTS_CA_BUNDLE or the
SDK's own. Every request carries the CRC-32C of its data, and an answer is taken only if the service says that it
verified them and its own hold ("Verifying end-to-end data integrity", Cloud KMS documentation).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from confvm_gui.domain.errors import ConfvmError, InvalidInput, KeyUnavailable, Unsupported
from confvm_gui.domain.keys import KeyInfo, KeyState
from confvm_gui.keys.cloud import ANSWER_SECONDS, DAY, asked, busy, forged, refused, sdk
from confvm_gui.keys.dek import NoSuchKey, check_dek, not_authentic, opened, sealed, wrapping_of
from confvm_gui.keys.gcp_kms.crc32c import crc32c

if TYPE_CHECKING:
    from google.api_core.retry import Retry
    from google.auth.credentials import Credentials
    from google.cloud.kms_v1 import CryptoKey, CryptoKeyVersion, KeyManagementServiceClient

T = TypeVar("T")

SERVICE: Final = "Google Cloud KMS"
ENDPOINT: Final = "cloudkms.googleapis.com"
_RETRY_SECONDS: Final = 3
_SCOPE: Final = "https://www.googleapis.com/auth/cloudkms"
_AAD: Final = b"confvm disk-key"
_PART: Final = "[A-Za-z0-9_-]{1,63}"
_RING: Final = re.compile(rf"projects/[a-z0-9:.-]{{1,100}}/locations/[a-z0-9-]{{1,40}}/keyRings/{_PART}")
_REF: Final = re.compile(rf"gcpkms:(({_RING.pattern})/cryptoKeys/({_PART}))")


class GcpKeyStore:
    """`domain.ports.keystore.KeyStore` and `GovernsKeys`. `key_rings`: in which keys are looked for by `keys`."""

    def __init__(
        self, key_rings: Sequence[str] = (), *, endpoint: str = ENDPOINT, credentials: Credentials | None = None
    ) -> None:
        self._key_rings = tuple(key_rings)
        self._endpoint = endpoint
        self._credentials = credentials

    @property
    def scheme(self) -> str:
        return "gcpkms"

    async def create(self, key_ref: str) -> None:
        """In a key ring that exists."""
        name, ring, key_id = _parse(key_ref)

        def work(client: KeyManagementServiceClient) -> None:
            from google.api_core.exceptions import Conflict
            from google.cloud.kms_v1 import CryptoKey

            key = CryptoKey(purpose=CryptoKey.CryptoKeyPurpose.ENCRYPT_DECRYPT)
            try:
                client.create_crypto_key(
                    parent=ring, crypto_key_id=key_id, crypto_key=key, timeout=ANSWER_SECONDS, retry=None
                )
            except Conflict:
                client.get_crypto_key(name=name, timeout=ANSWER_SECONDS)

        await self._ask(key_ref, work)

    async def wrap(self, key_ref: str, key: bytes) -> bytes:
        check_dek(key)
        name, _, _ = _parse(key_ref)

        def work(client: KeyManagementServiceClient) -> bytes:
            answer = client.encrypt(
                request={
                    "name": name,
                    "plaintext": key,
                    "plaintext_crc32c": crc32c(key),
                    "additional_authenticated_data": _AAD,
                    "additional_authenticated_data_crc32c": crc32c(_AAD),
                },
                timeout=ANSWER_SECONDS,
                retry=_retry(),
            )
            if not (answer.verified_plaintext_crc32c and answer.verified_additional_authenticated_data_crc32c):
                raise forged(SERVICE, "it did not check what was sent")
            if not answer.name.startswith(f"{name}/cryptoKeyVersions/"):
                raise forged(SERVICE, f"it is of the key {answer.name}")
            if not answer.ciphertext or answer.ciphertext_crc32c != crc32c(answer.ciphertext):
                raise forged(SERVICE, "its checksum does not hold")
            return sealed(key_ref, key, answer.ciphertext)

        return await self._ask(key_ref, work)

    async def unwrap(self, key_ref: str, wrapped: bytes) -> bytes:
        name, _, _ = _parse(key_ref)
        blob = wrapping_of(key_ref, wrapped)

        def work(client: KeyManagementServiceClient) -> bytes:
            from google.api_core.exceptions import BadRequest

            try:
                answer = client.decrypt(
                    request={
                        "name": name,
                        "ciphertext": blob,
                        "ciphertext_crc32c": crc32c(blob),
                        "additional_authenticated_data": _AAD,
                        "additional_authenticated_data_crc32c": crc32c(_AAD),
                    },
                    timeout=ANSWER_SECONDS,
                    retry=_retry(),
                )
            except BadRequest as error:
                if _status(error) != "INVALID_ARGUMENT":  # FAILED_PRECONDITION: the version is disabled or destroyed
                    raise
                raise not_authentic(key_ref) from None
            if answer.plaintext_crc32c != crc32c(answer.plaintext):
                raise forged(SERVICE, "its checksum does not hold")
            return opened(key_ref, wrapped, answer.plaintext)

        return await self._ask(key_ref, work)

    # GovernsKeys ----------------------------------------------------------------------------------------------------

    async def keys(self) -> Sequence[KeyInfo]:
        found: list[KeyInfo] = []
        for ring in self._key_rings:
            if not _RING.fullmatch(ring):
                raise InvalidInput("keys.gcp_key_rings", f"{ring!r} is no projects/P/locations/L/keyRings/R")
            found += await self._ask(ring, partial(_all, ring=ring))
        return found

    async def info(self, key_ref: str) -> KeyInfo:
        return await self._change(key_ref, lambda client, name: None)

    async def rotate(self, key_ref: str) -> KeyInfo:
        def work(client: KeyManagementServiceClient, name: str) -> None:
            made = client.create_crypto_key_version(parent=name, timeout=ANSWER_SECONDS)
            client.update_crypto_key_primary_version(
                name=name, crypto_key_version_id=made.name.rpartition("/")[2], timeout=ANSWER_SECONDS
            )

        return await self._change(key_ref, work)

    async def disable(self, key_ref: str) -> KeyInfo:
        return await self._change(key_ref, lambda client, name: _set_enabled(client, name, False))

    async def enable(self, key_ref: str) -> KeyInfo:
        return await self._change(key_ref, lambda client, name: _set_enabled(client, name, True))

    async def destroy(self, key_ref: str, *, after_seconds: float) -> KeyInfo:
        """The delay was set when the key was made (by default 30 days): no other can be asked for."""

        def work(client: KeyManagementServiceClient, name: str) -> None:
            key = client.get_crypto_key(name=name, timeout=ANSWER_SECONDS)
            fixed = key.destroy_scheduled_duration.total_seconds()
            if after_seconds != fixed:
                raise InvalidInput(
                    "after", f"{SERVICE} destroys this key {fixed / DAY:g} days after it is asked to, as it was made to"
                )
            for version in _versions(client, name):
                if version.state.name in ("ENABLED", "DISABLED"):
                    client.destroy_crypto_key_version(name=version.name, timeout=ANSWER_SECONDS)

        return await self._change(key_ref, work)

    async def restore(self, key_ref: str) -> KeyInfo:
        def work(client: KeyManagementServiceClient, name: str) -> None:
            for version in _versions(client, name):
                if version.state.name == "DESTROY_SCHEDULED":
                    client.restore_crypto_key_version(name=version.name, timeout=ANSWER_SECONDS)

        return await self._change(key_ref, work)

    async def _change(self, key_ref: str, change: Callable[[KeyManagementServiceClient, str], None]) -> KeyInfo:
        name, _, _ = _parse(key_ref)

        def work(client: KeyManagementServiceClient) -> KeyInfo:
            change(client, name)
            return _info(client, client.get_crypto_key(name=name, timeout=ANSWER_SECONDS))

        return await self._ask(key_ref, work)

    def __repr__(self) -> str:
        return "<GcpKeyStore>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key store is never pickled or copied")

    async def _ask(self, key_ref: str, work: Callable[[KeyManagementServiceClient], T]) -> T:
        def run() -> T:
            errors: Any = sdk("google.api_core.exceptions", "gce")
            auth: Any = sdk("google.auth.exceptions", "gce")
            requests: Any = sdk("requests", "gce")
            try:
                with self._client() as client:  # uses are rare: no connection is kept open between them
                    return work(client)
            except errors.GoogleAPIError as error:
                raise _told(key_ref, error) from error
            except auth.DefaultCredentialsError as error:
                raise KeyUnavailable(
                    f"{SERVICE} was not asked: there are no credentials; log in with "
                    "`gcloud auth application-default login`"
                ) from error
            except (auth.GoogleAuthError, requests.RequestException) as error:
                raise busy(SERVICE, f"{type(error).__name__}: {error}") from error

        return await asked("Google", run)

    def _client(self) -> KeyManagementServiceClient:
        sdk("google.cloud.kms_v1", "gce")
        import google.auth
        from google.api_core.client_options import ClientOptions
        from google.cloud.kms_v1 import KeyManagementServiceClient

        if self._credentials is None:
            self._credentials, _ = google.auth.default(scopes=[_SCOPE])
        return KeyManagementServiceClient(
            credentials=self._credentials,
            transport="rest",
            client_options=ClientOptions(api_endpoint=self._endpoint),
        )


def _parse(key_ref: str) -> tuple[str, str, str]:
    match = _REF.fullmatch(key_ref)
    if match is None:
        raise InvalidInput(
            "disk_key",
            f"{key_ref!r} does not name a key of {SERVICE}; write "
            "gcpkms:projects/P/locations/L/keyRings/R/cryptoKeys/NAME",
        )
    return match[1], match[2], match[3]


def _retry() -> Retry:
    """The SDK's own goes on for a minute, while a launch waits."""
    from google.api_core.exceptions import ServiceUnavailable, TooManyRequests
    from google.api_core.retry import Retry, if_exception_type

    return Retry(if_exception_type(ServiceUnavailable, TooManyRequests), initial=0.2, maximum=1, timeout=_RETRY_SECONDS)


def _versions(client: KeyManagementServiceClient, name: str) -> Sequence[CryptoKeyVersion]:
    return list(client.list_crypto_key_versions(parent=name, timeout=ANSWER_SECONDS))


def _set_enabled(client: KeyManagementServiceClient, name: str, enabled: bool) -> None:
    from google.cloud.kms_v1 import CryptoKeyVersion

    states = CryptoKeyVersion.CryptoKeyVersionState
    before, after = (states.DISABLED, states.ENABLED) if enabled else (states.ENABLED, states.DISABLED)
    for version in _versions(client, name):
        if version.state == before:
            client.update_crypto_key_version(
                crypto_key_version=CryptoKeyVersion(name=version.name, state=after),
                update_mask={"paths": ["state"]},
                timeout=ANSWER_SECONDS,
            )


def _all(client: KeyManagementServiceClient, ring: str) -> Sequence[KeyInfo]:
    found = client.list_crypto_keys(parent=ring, timeout=ANSWER_SECONDS)
    return [_info(client, key) for key in found if key.purpose.name == "ENCRYPT_DECRYPT"]


def _info(client: KeyManagementServiceClient, key: CryptoKey) -> KeyInfo:
    versions = _versions(client, key.name)
    states = {version.state.name for version in versions}
    state, reason = KeyState.DESTROYED, "all its versions are destroyed"
    if "ENABLED" in states and key.primary.state.name == "ENABLED":
        state, reason = KeyState.ENABLED, ""
    elif states & {"DISABLED", "ENABLED"}:
        state, reason = KeyState.DISABLED, "its primary version is disabled"
    elif "DESTROY_SCHEDULED" in states:
        state, reason = KeyState.DESTROY_SCHEDULED, "all its versions are to be destroyed"
    level = key.version_template.protection_level.name
    ends = [each.destroy_time.timestamp() for each in versions if each.state.name == "DESTROY_SCHEDULED"]
    number = key.primary.name.rpartition("/")[2]
    return KeyInfo(
        ref=f"gcpkms:{key.name}",
        algorithm="AES-256-GCM in Cloud KMS",
        protection={"HSM": "Google Cloud HSM", "EXTERNAL": "key manager outside of Google"}.get(level, SERVICE),
        state=state,
        state_reason=reason,
        primary_version=int(number) if number.isdecimal() else 0,
        versions=sum(each.state.name not in ("DESTROYED", "DESTROY_SCHEDULED") for each in versions),
        created_at=key.create_time.timestamp() if key.create_time is not None else None,
        destroy_at=max(ends) if state is KeyState.DESTROY_SCHEDULED else None,
        hardware=level in ("HSM", "HSM_SINGLE_TENANT"),
    )


def _status(error: Any) -> str:
    """The name of the service's error (google.rpc.Code), "" where it gave none."""
    try:
        return str(error.response.json()["error"]["status"])
    except (AttributeError, ValueError, KeyError, TypeError):
        return ""


def _told(key_ref: str, error: Any) -> ConfvmError:
    """The service's error, for people."""
    code, message = getattr(error, "code", None), getattr(error, "message", str(error))
    if code is None or code == 429 or code >= 500:
        return busy(SERVICE, f"{type(error).__name__} {message}".strip())
    if code == 404:
        return NoSuchKey(f"There is no key {key_ref} in {SERVICE}; create it, or choose another")
    if code == 501:
        return Unsupported(f"{SERVICE} cannot do this with {key_ref}: {message}")
    return refused(SERVICE, key_ref, f"{type(error).__name__} {message}".strip())
