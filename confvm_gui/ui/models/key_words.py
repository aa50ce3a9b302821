"""Words for keys and their stores."""

from __future__ import annotations

from functools import cache
from urllib.parse import unquote

from confvm_gui.domain.keys import KeyInfo, KeyState
from confvm_gui.ui.text import moment, translate

KEY_MARKS = {
    KeyState.ENABLED: ("ok", "success"),
    KeyState.DISABLED: ("pause", "muted"),
    KeyState.DESTROY_SCHEDULED: ("warning", "warning"),
    KeyState.DESTROYED: ("delete", "danger"),
    KeyState.UNREACHABLE: ("unknown", "warning"),
}
"""Icon and colour role of a state."""


@cache
def key_state_word(state: KeyState) -> str:
    return {
        KeyState.ENABLED: translate("KeyState", "Enabled"),
        KeyState.DISABLED: translate("KeyState", "Disabled"),
        KeyState.DESTROY_SCHEDULED: translate("KeyState", "To be destroyed"),
        KeyState.DESTROYED: translate("KeyState", "Destroyed"),
        KeyState.UNREACHABLE: translate("KeyState", "Not reachable"),
    }[state]


@cache
def store_word(scheme: str) -> str:
    """`local` … for people; a scheme that is not known as it is."""
    return {
        "local": translate("KeyStore", "This computer"),
        "pkcs11": translate("KeyStore", "HSM or token (PKCS#11)"),
        "awskms": translate("KeyStore", "AWS KMS"),
        "gcpkms": translate("KeyStore", "Google Cloud KMS"),
        "azurekv": translate("KeyStore", "Azure Key Vault"),
    }.get(scheme, scheme)


def scheme_of(key_ref: str) -> str:
    return key_ref.partition(":")[0]


def key_name(key_ref: str) -> str:
    """The key's own name, without its store: `disks` of `pkcs11:token=confvm;object=disks`."""
    scheme, _, rest = key_ref.partition(":")
    if scheme == "pkcs11":
        named = dict(part.partition("=")[::2] for part in rest.split(";"))
        return unquote(named.get("object", "")) or rest
    if scheme == "local":
        return rest or key_ref
    return rest.rpartition("/")[2] or key_ref


def state_text(info: KeyInfo) -> str:
    """The state, with the reason or the time."""
    word = key_state_word(info.state)
    if info.state is KeyState.DESTROY_SCHEDULED:
        if info.destroy_at is None:
            return word
        return translate("KeyState", "{state} on {moment}").format(state=word, moment=moment(info.destroy_at))
    if not info.state_reason:
        return word
    return translate("KeyState", "{state}: {reason}").format(state=word, reason=info.state_reason.rstrip("."))


def why_unusable(info: KeyInfo) -> str:
    """Why nothing can be wrapped by it now; "" if it can."""
    return "" if info.state is KeyState.ENABLED else state_text(info)
