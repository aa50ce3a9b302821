"""KeyStore for `azurekv:VAULT/NAME`, through azure-keyvault-keys. VAULT is the vault's name, or its whole host name.

Vaults have RSA keys only, which wrap by RSA-OAEP with SHA-256; a Managed HSM has AES-256 keys, which wrap by A256KW.
RSA does not tell who wrapped: that what comes back is what went in is told by the commitment before it (`keys.dek`).
The version that wrapped is kept with the wrapping, so that rotation leaves it readable.

    wrapping    length of the version u8 | version | cipher text

Credentials are those of DefaultAzureCredential, the certificate authorities those of REQUESTS_CA_BUNDLE or the SDK's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from confvm_gui.domain.errors import ConfvmError, InvalidInput, KeyUnavailable, Unsupported
from confvm_gui.domain.keys import KeyInfo, KeyState
from confvm_gui.keys.cloud import ANSWER_SECONDS, CONNECT_SECONDS, DAY, asked, busy, forged, refused, sdk
from confvm_gui.keys.dek import NoSuchKey, check_dek, not_authentic, opened, sealed, wrapping_of
from confvm_gui.keys.ledger import is_disabled

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.keyvault.keys import DeletedKey, KeyClient, KeyProperties, KeyVaultKey
    from azure.keyvault.keys.crypto import CryptographyClient, KeyWrapAlgorithm

T = TypeVar("T")

SERVICE: Final = "Azure Key Vault"
RSA_BITS: Final = 3072
_HOSTS: Final = (
    ".vault.azure.net",
    ".managedhsm.azure.net",
    ".vault.azure.cn",
    ".managedhsm.azure.cn",
    ".vault.usgovcloudapi.net",
    ".managedhsm.usgovcloudapi.net",
)
_REF: Final = re.compile(r"azurekv:([a-z0-9](?:[a-z0-9-]{1,22}[a-z0-9])(?:\.[a-z0-9.]+)?)/([A-Za-z0-9-]{1,127})")
_VERSION: Final = re.compile("[0-9a-f]{1,64}")


class AzureKeyStore:
    """`domain.ports.keystore.KeyStore` and `GovernsKeys`. `vaults`: in which keys are looked for by `keys`.

    `address`: the URL of a vault's host name, and `options` for the SDK's clients, of another cloud than Microsoft's.
    """

    def __init__(
        self,
        vaults: Sequence[str] = (),
        *,
        credential: TokenCredential | None = None,
        address: Callable[[str], str] = "https://{}".format,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self._vaults = tuple(vaults)
        self._credential = credential
        self._address = address
        self._options = {
            "connection_timeout": CONNECT_SECONDS,
            "read_timeout": ANSWER_SECONDS,
            "retry_total": 2,
            "retry_backoff_factor": 0.4,
            **(options or {}),
        }
        self._clients: dict[str, KeyClient] = {}

    @property
    def scheme(self) -> str:
        return "azurekv"

    async def create(self, key_ref: str) -> None:
        vault, name = _parse(key_ref)

        def work(client: KeyClient) -> None:
            from azure.core.exceptions import ResourceNotFoundError

            try:
                client.get_key(name)
            except ResourceNotFoundError:
                if _is_hsm(client.vault_url):
                    client.create_oct_key(name, size=256, hardware_protected=True)
                else:
                    client.create_rsa_key(name, size=RSA_BITS)

        await self._ask(key_ref, vault, work)

    async def wrap(self, key_ref: str, key: bytes) -> bytes:
        check_dek(key)
        vault, name = _parse(key_ref)

        def work(client: KeyClient) -> bytes:
            found = client.get_key(name)
            version = _own_version(client, name, str(found.id))
            if not found.properties.enabled:  # RSA wraps here, by the public key: the service would not say no
                raise is_disabled(key_ref)
            answer = self._crypto(found).wrap_key(_algorithm(found), key)
            if answer.key_id != found.id or not answer.encrypted_key:
                raise forged(SERVICE, f"it is of the key {answer.key_id}")
            return sealed(key_ref, key, bytes([len(version)]) + version.encode() + answer.encrypted_key)

        return await self._ask(key_ref, vault, work)

    async def unwrap(self, key_ref: str, wrapped: bytes) -> bytes:
        vault, name = _parse(key_ref)
        blob = wrapping_of(key_ref, wrapped)
        version, sealed_key = blob[1 : 1 + blob[0]].decode("ascii", "replace"), blob[1 + blob[0] :]
        if not _VERSION.fullmatch(version) or not sealed_key:
            raise not_authentic(key_ref)

        def work(client: KeyClient) -> bytes:
            from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

            try:
                found = client.get_key(name, version)
                answer = self._crypto(found).unwrap_key(_algorithm(found), sealed_key)
            except ResourceNotFoundError:
                client.get_key(name)  # raises the same if the whole key is gone; else only this version is unknown
                raise not_authentic(key_ref) from None
            except HttpResponseError as error:
                if error.status_code == 400:  # what was sent does not decrypt
                    raise not_authentic(key_ref) from None
                raise
            if _own_version(client, name, str(answer.key_id)) != version:
                raise forged(SERVICE, f"it is of the key {answer.key_id}")
            return opened(key_ref, wrapped, answer.key)

        return await self._ask(key_ref, vault, work)

    # GovernsKeys ----------------------------------------------------------------------------------------------------

    async def keys(self) -> Sequence[KeyInfo]:
        found: list[KeyInfo] = []
        for vault in self._vaults:
            _parse(f"azurekv:{vault}/any")
            found += await self._ask(f"azurekv:{vault}", vault, partial(_all, vault=vault))
        return found

    async def info(self, key_ref: str) -> KeyInfo:
        return await self._change(key_ref, lambda client, name: None)

    async def rotate(self, key_ref: str) -> KeyInfo:
        return await self._change(key_ref, lambda client, name: client.rotate_key(name))

    async def disable(self, key_ref: str) -> KeyInfo:
        return await self._change(key_ref, lambda client, name: _set_enabled(client, name, False))

    async def enable(self, key_ref: str) -> KeyInfo:
        return await self._change(key_ref, lambda client, name: _set_enabled(client, name, True))

    async def destroy(self, key_ref: str, *, after_seconds: float) -> KeyInfo:
        """The vault's own retention decides how long a deleted key can be recovered; 0 purges it at once."""

        def work(client: KeyClient, name: str) -> None:
            properties = client.get_key(name).properties
            days = properties.recoverable_days or 0
            if after_seconds not in (0, days * DAY):
                raise InvalidInput("after", f"{SERVICE} destroys a key of this vault {days} days after, or at once (0)")
            if after_seconds == 0 and not _can_be_purged(properties):
                raise InvalidInput(
                    "after", f"This vault is protected from purging: it destroys a key {days} days after"
                )
            client.begin_delete_key(name).wait()
            if after_seconds == 0 and days:
                client.purge_deleted_key(name)

        return await self._change(key_ref, work)

    async def restore(self, key_ref: str) -> KeyInfo:
        def work(client: KeyClient, name: str) -> None:
            client.begin_recover_deleted_key(name).wait()
            _set_enabled(client, name, False)

        return await self._change(key_ref, work)

    async def _change(self, key_ref: str, change: Callable[[KeyClient, str], object]) -> KeyInfo:
        vault, name = _parse(key_ref)

        def work(client: KeyClient) -> KeyInfo:
            change(client, name)
            return _info(client, key_ref, name)

        return await self._ask(key_ref, vault, work)

    def __repr__(self) -> str:
        return "<AzureKeyStore>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key store is never pickled or copied")

    async def _ask(self, key_ref: str, vault: str, work: Callable[[KeyClient], T]) -> T:
        def run() -> T:
            errors: Any = sdk("azure.core.exceptions", "azure")
            try:
                return work(self._client(vault))
            except errors.ClientAuthenticationError as error:
                raise KeyUnavailable(
                    f"{SERVICE} was not asked: there are no credentials that it takes; log in with `az login`"
                ) from error
            except errors.AzureError as error:
                raise _told(key_ref, error) from error

        return await asked("Azure", run)

    def _client(self, vault: str) -> KeyClient:
        client = self._clients.get(vault)
        if client is None:
            sdk("azure.keyvault.keys", "azure")
            from azure.keyvault.keys import KeyClient

            if self._credential is None:
                sdk("azure.identity", "azure")
                from azure.identity import DefaultAzureCredential

                self._credential = DefaultAzureCredential()
            url = self._address(_host(vault))
            client = self._clients[vault] = KeyClient(vault_url=url, credential=self._credential, **self._options)
        return client

    def _crypto(self, key: KeyVaultKey) -> CryptographyClient:
        from azure.keyvault.keys.crypto import CryptographyClient

        assert self._credential is not None
        return CryptographyClient(key, self._credential, **self._options)


def _parse(key_ref: str) -> tuple[str, str]:
    match = _REF.fullmatch(key_ref)
    if match is None or ("." in match[1] and not match[1].endswith(_HOSTS)):
        raise InvalidInput(
            "disk_key",
            f"{key_ref!r} does not name a key of {SERVICE}; write azurekv:VAULT/NAME, VAULT the name of a vault or a "
            "host name such as NAME.managedhsm.azure.net",
        )
    return match[1], match[2]


def _host(vault: str) -> str:
    return vault if "." in vault else f"{vault}.vault.azure.net"


def _is_hsm(url: str) -> bool:
    return ".managedhsm." in url


def _own_version(client: KeyClient, name: str, key_id: str) -> str:
    """The version in a key's id. Raises KeyUnavailable if the id is of another key."""
    start = f"{client.vault_url.rstrip('/')}/keys/{name}/"
    version = key_id.removeprefix(start)
    if not key_id.startswith(start) or not _VERSION.fullmatch(version):
        raise forged(SERVICE, f"it is of the key {key_id}")
    return version


def _algorithm(key: KeyVaultKey) -> KeyWrapAlgorithm:
    from azure.keyvault.keys.crypto import KeyWrapAlgorithm

    if "oct" in str(key.key_type).lower():
        return KeyWrapAlgorithm.aes_256
    if "rsa" in str(key.key_type).lower():
        return KeyWrapAlgorithm.rsa_oaep_256
    raise Unsupported(f"A key of type {key.key_type} wraps nothing; choose one of type RSA or oct-HSM")


def _can_be_purged(properties: KeyProperties) -> bool:
    level = properties.recovery_level
    return "purgeable" in str(level.value if isinstance(level, Enum) else level).lower()


def _versions(client: KeyClient, name: str) -> Sequence[KeyProperties]:
    return list(client.list_properties_of_key_versions(name))


def _set_enabled(client: KeyClient, name: str, enabled: bool) -> None:
    for version in _versions(client, name):
        if version.enabled is not enabled:
            client.update_key_properties(name, version.version, enabled=enabled)


def _all(client: KeyClient, vault: str) -> Sequence[KeyInfo]:
    names = [each.name for each in client.list_properties_of_keys()] + [
        each.name for each in client.list_deleted_keys()
    ]
    return [_info(client, f"azurekv:{vault}/{name}", name) for name in names]


def _info(client: KeyClient, key_ref: str, name: str) -> KeyInfo:
    from azure.core.exceptions import ResourceNotFoundError

    versions = _versions(client, name)
    if versions:
        newest = max(versions, key=lambda each: each.created_on.timestamp() if each.created_on else 0.0)
        first = min((each.created_on.timestamp() for each in versions if each.created_on), default=None)
        return KeyInfo(
            ref=key_ref,
            algorithm="AES-256 key wrap" if _is_hsm(client.vault_url) else "RSA-OAEP with SHA-256",
            protection="Azure Managed HSM" if _is_hsm(client.vault_url) else SERVICE,
            state=KeyState.ENABLED if newest.enabled else KeyState.DISABLED,
            state_reason="" if newest.enabled else "its newest version is disabled",
            primary_version=len(versions),
            versions=len(versions),
            created_at=first,
            hardware=_is_hsm(client.vault_url) or "hsm" in str(newest.hsm_platform or "").lower(),
        )
    try:
        deleted: DeletedKey | None = client.get_deleted_key(name)
    except ResourceNotFoundError:
        deleted = None
    end = deleted.scheduled_purge_date if deleted is not None else None
    if deleted is None:
        raise NoSuchKey(f"There is no key {key_ref} in {SERVICE}; it was never made, or destroyed")
    return KeyInfo(
        ref=key_ref,
        algorithm=str(deleted.key_type),
        protection=SERVICE,
        state=KeyState.DESTROY_SCHEDULED,
        state_reason="it is deleted, and can be recovered until then",
        versions=0,
        primary_version=0,
        destroy_at=end.timestamp() if end is not None else None,
    )


def _told(key_ref: str, error: Any) -> ConfvmError:
    """The service's error, for people."""
    status, message = getattr(error, "status_code", None), str(getattr(error, "message", error)).partition("\n")[0]
    if status is None or status == 429 or status >= 500:
        return busy(SERVICE, f"{type(error).__name__} {message}".strip())
    if status == 404:
        return NoSuchKey(f"There is no key {key_ref} in {SERVICE}; create it, or choose another")
    if status == 403:
        return refused(SERVICE, key_ref, f"it is disabled, or your account may not use it ({message})")
    if status == 409:
        return refused(SERVICE, key_ref, f"a deleted key has this name, restore it or choose another ({message})")
    return refused(SERVICE, key_ref, message)
