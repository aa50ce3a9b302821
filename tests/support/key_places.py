"""The places that keep keys, as the tests of all key stores need them: each is opened again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import keyring

from confvm_gui.domain.ports.keystore import KeyStore
from confvm_gui.keys.aws_kms import AwsKeyStore
from confvm_gui.keys.ledger import KeyLedger
from confvm_gui.keys.local import LocalKeyStore
from confvm_gui.keys.pkcs11 import Pkcs11KeyStore
from tests.support.cloud_sites import REGION, aws_kms, azure_store, cloud_kms, gcp_store, key_vault
from tests.support.fake_cloud_kms import RING
from tests.support.fake_key_vault import DAYS
from tests.support.softhsm import MODULE, PIN, TOKEN, softhsm
from tests.unit.keys.keyring_stand_in import StandInKeyring


@dataclass(frozen=True)
class Place:
    """A scheme and where its keys are; `open` opens the same place again."""

    open: Callable[[], KeyStore]
    form: str
    """A KeyRef, with {} for the key's name."""
    bad_names: Sequence[str] = ("", "../escape", "a b", "é", "a\n")
    remote: bool = False
    delay: float = 30 * 86400
    """Seconds after which this place destroys a key."""

    def ref(self, name: str) -> str:
        return self.form.format(name)

    def positions(self, length: int) -> Sequence[int]:
        """Where a wrapping is damaged: everywhere; in every ninth byte where each costs a request."""
        return sorted({*range(0, length, 9), length - 1}) if self.remote else range(length)


@contextmanager
def in_keyring(data_dir: Path, _folder: Path) -> Iterator[Place]:
    before = keyring.get_keyring()
    keyring.set_keyring(StandInKeyring())
    try:
        with in_file(data_dir, _folder) as place:
            yield place
    finally:
        keyring.set_keyring(before)


@contextmanager
def in_file(data_dir: Path, _folder: Path) -> Iterator[Place]:
    yield Place(
        lambda: LocalKeyStore(data_dir),
        "local:{}",
        ("", "UPPER", "../escape", "a/b", "a b", ".hidden", "x" * 64, "é", "a\n"),
    )


@contextmanager
def in_softhsm(data_dir: Path, folder: Path) -> Iterator[Place]:
    with softhsm(folder):
        yield Place(
            lambda: Pkcs11KeyStore(MODULE, KeyLedger(data_dir), ask_pin=lambda _token: PIN),
            f"pkcs11:token={TOKEN};object={{}}",
            ("", "a/b", "a b", "é", "a\n", "x" * 129, "a?pin-value=1", "a;object=b", "%00", "%FF", "%2"),
        )


@contextmanager
def in_aws(_data_dir: Path, folder: Path) -> Iterator[Place]:
    with aws_kms(folder):
        yield Place(lambda: AwsKeyStore([REGION]), f"awskms:{REGION}/alias/{{}}", remote=True)


@contextmanager
def in_gcp(_data_dir: Path, folder: Path) -> Iterator[Place]:
    with cloud_kms(folder) as (site, _):
        yield Place(
            lambda: gcp_store(site),
            f"gcpkms:{RING}/cryptoKeys/{{}}",
            remote=True,
        )


@contextmanager
def in_azure(_data_dir: Path, folder: Path) -> Iterator[Place]:
    with key_vault(folder) as (site, _):
        yield Place(lambda: azure_store(site), "azurekv:vault/{}", remote=True, delay=DAYS * 86400)


PLACES: Mapping[str, Callable[[Path, Path], AbstractContextManager[Place]]] = {
    "system keyring": in_keyring,
    "file": in_file,
    "softhsm": in_softhsm,
    "AWS KMS": in_aws,
    "Cloud KMS": in_gcp,
    "Key Vault": in_azure,
}
