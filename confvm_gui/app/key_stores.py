"""The key stores of a session, by the schemes of their KeyRefs. The settings say where keys are looked for, see
`fleet.keys.places`.

Stores whose SDK is not installed say so when they are used; nothing of an SDK is loaded before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from confvm_gui.fleet.keys.places import AWS_REGIONS, AZURE_VAULTS, GCP_KEY_RINGS, PKCS11_MODULE
from confvm_gui.keys.ledger import KeyLedger
from confvm_gui.keys.local import LocalKeyStore
from confvm_gui.keys.router import KeyRouter

if TYPE_CHECKING:
    from confvm_gui.domain.ports.keystore import KeyStore

__all__ = ["AWS_REGIONS", "AZURE_VAULTS", "GCP_KEY_RINGS", "PKCS11_MODULE", "open_key_stores"]


def open_key_stores(
    data_dir: Path, settings: Mapping[str, object], ask_pin: Callable[[str], str | None] | None = None
) -> tuple[LocalKeyStore, KeyRouter]:
    """The store of this computer, and all stores as one. Nothing is read yet.

    `settings` is looked at when a store is opened, and may have changed by then.
    """
    ledger = KeyLedger(data_dir)
    local = LocalKeyStore(data_dir, ledger)

    def pkcs11() -> KeyStore:
        from confvm_gui.keys.pkcs11 import Pkcs11KeyStore

        module = settings.get(PKCS11_MODULE)
        return Pkcs11KeyStore(module if isinstance(module, str) else "", ledger, ask_pin=ask_pin)

    def aws() -> KeyStore:
        from confvm_gui.keys.aws_kms import AwsKeyStore

        return AwsKeyStore(_texts(settings, AWS_REGIONS))

    def gcp() -> KeyStore:
        from confvm_gui.keys.gcp_kms import GcpKeyStore

        return GcpKeyStore(_texts(settings, GCP_KEY_RINGS))

    def azure() -> KeyStore:
        from confvm_gui.keys.azure_keyvault import AzureKeyStore

        return AzureKeyStore(_texts(settings, AZURE_VAULTS))

    stores = {"local": lambda: local, "pkcs11": pkcs11, "awskms": aws, "gcpkms": gcp, "azurekv": azure}
    return local, KeyRouter(stores)


def _texts(settings: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = settings.get(name)
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()
