"""Where keys are looked for: what the settings of a data directory say of each store.

keys.pkcs11_module    path of the HSM's PKCS#11 module
keys.aws_regions      ["eu-west-1", …]
keys.gcp_key_rings    ["projects/P/locations/L/keyRings/R", …]
keys.azure_vaults     ["NAME" or "NAME.managedhsm.azure.net", …]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from confvm_gui.fleet.settings import Settings

PKCS11_MODULE: Final = "keys.pkcs11_module"
AWS_REGIONS: Final = "keys.aws_regions"
GCP_KEY_RINGS: Final = "keys.gcp_key_rings"
AZURE_VAULTS: Final = "keys.azure_vaults"
_LISTS: Final[Mapping[str, str]] = MappingProxyType(
    {"awskms": AWS_REGIONS, "gcpkms": GCP_KEY_RINGS, "azurekv": AZURE_VAULTS}
)
"""Settings of stores that are looked into at several places, by scheme."""
_PATTR: Final = "-._~:[]@!$'()*+,=&"
"""RFC 7512, section 2.3: what stands in a path attribute as it is, beside letters and digits."""


class KeyPlaces:
    """`reopen` is told the scheme whose store has to be opened anew, the setting's name and its new value."""

    def __init__(self, settings: Settings, reopen: Callable[[str, str, object], None]) -> None:
        self._settings = settings
        self._reopen = reopen

    @property
    def module(self) -> str:
        """Path of the PKCS#11 module; "" for none."""
        return self._settings.get(PKCS11_MODULE, "")

    def choose_module(self, path: str) -> None:
        """Use another one from now on; whether it can be used shows when it is. Raises Forbidden."""
        if path != self.module:
            self._settings.put(PKCS11_MODULE, path)
            self._reopen("pkcs11", PKCS11_MODULE, path)

    def of(self, scheme: str) -> tuple[str, ...]:
        """Regions, key rings or vaults in which keys are looked for; empty for stores that have none."""
        name = _LISTS.get(scheme)
        kept: list[object] = self._settings.get(name, []) if name else []
        return tuple(place for place in kept if isinstance(place, str))

    def look_in(self, scheme: str, place: str) -> None:
        """Look for keys there as well from now on. Raises Forbidden."""
        if place and place not in self.of(scheme):
            self.choose(scheme, (*self.of(scheme), place))

    def choose(self, scheme: str, places: Sequence[str]) -> None:
        """Look there, and nowhere else, from now on; nothing for stores without places. Raises Forbidden."""
        name = _LISTS.get(scheme)
        wanted = list(dict.fromkeys(place.strip() for place in places if place.strip()))
        if name and wanted != list(self.of(scheme)):
            self._settings.put(name, wanted)
            self._reopen(scheme, name, wanted)


def key_ref_of(scheme: str, place: str, name: str) -> str:
    """The KeyRef of the key `name` in a token, region, key ring or vault; `local` has no places."""
    if scheme == "pkcs11":
        return f"pkcs11:token={quote(place, safe=_PATTR)};object={quote(name, safe=_PATTR)}"
    if scheme == "awskms":
        return f"awskms:{place}/{name if name.startswith('alias/') else f'alias/{name}'}"
    if scheme == "gcpkms":
        return f"gcpkms:{place}/cryptoKeys/{name}"
    if scheme == "azurekv":
        return f"azurekv:{place}/{name}"
    return f"{scheme}:{name}"
