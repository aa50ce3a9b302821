"""KeyStore for `pkcs11:token=TOKEN;object=KEY`.

A key is an AES-256 key that its token made and never gives away (CKA_SENSITIVE, not CKA_EXTRACTABLE). It wraps by
encrypting the DEK with CKM_AES_GCM, and not by C_WrapKey with CKM_AES_KEY_WRAP_KWP: that one wraps objects of the
token, so that each DEK would have to be made one, extractable, for the time of a launch, which HSMs in FIPS mode
refuse, while GCM over 64 bytes is in SoftHSM and in all common HSMs. GCM tells what is not authentic as well, and binds
the label. Nonces are random: 2^32 DEKs under one key are far beyond any use (NIST SP 800-38D, section 8.3).

    wrapped    "CVP1" | length of CKA_ID u8 | CKA_ID | nonce, 12 bytes | cipher text | tag, 16 bytes

Rotation makes another key of the same label; its CKA_ID says which version it is, and what a DEK was wrapped by.
Disabling takes CKA_ENCRYPT and CKA_DECRYPT from the keys, so that nobody's console uses them. PKCS#11 knows no
scheduled destruction: the ledger of this data directory does, and a key that is to be destroyed is disabled until then.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from confvm_gui.domain.daemon_thread import in_daemon_thread
from confvm_gui.domain.errors import KeyUnavailable, Unsupported
from confvm_gui.domain.keys import KeyInfo, KeyState
from confvm_gui.keys.dek import LEAST_BYTES, MOST_BYTES, NoSuchKey, check_dek, not_authentic
from confvm_gui.keys.ledger import KeyLedger, is_disabled, refuse_ended, told_state
from confvm_gui.keys.pkcs11.pin import Pins
from confvm_gui.keys.pkcs11.token import open_module
from confvm_gui.keys.pkcs11.uri import SCHEME, Pkcs11Uri

if TYPE_CHECKING:
    from pkcs11 import Session, Token

T = TypeVar("T")

AesKey = Any
"""A pkcs11.SecretKey that encrypts and decrypts, which python-pkcs11 puts together only as it runs."""

ALGORITHM: Final = "AES-256-GCM in the token"
_MAGIC: Final = b"CVP1"
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_OURS: Final = b"cv"
"""Begins the CKA_ID of a key that the console made; its version, 4 bytes, and 10 random ones follow."""


class Pkcs11KeyStore:
    """`domain.ports.keystore.KeyStore` and `GovernsKeys`. Making one loads nothing. `ask_pin`: see `Pins`."""

    def __init__(self, module: str, ledger: KeyLedger, *, ask_pin: Callable[[str], str | None] | None = None) -> None:
        self._module = module
        self._ledger = ledger
        self._pins = Pins(ask_pin)

    @property
    def scheme(self) -> str:
        return SCHEME

    async def create(self, key_ref: str) -> None:
        uri = Pkcs11Uri.parse(key_ref)

        def work(session: Session) -> None:
            refuse_ended(str(uri), self._ledger.standing(str(uri)))
            with self._ledger.changing():  # another console may be making it
                if not _find(session, uri):
                    _generate(session, uri, 1)

        await self._use(uri, work)

    async def wrap(self, key_ref: str, key: bytes) -> bytes:
        check_dek(key)
        uri = Pkcs11Uri.parse(key_ref)

        def work(session: Session) -> bytes:
            from pkcs11 import Attribute, GCMParams, Mechanism
            from pkcs11.exceptions import MechanismInvalid

            kek = self._usable(session, uri)[-1]
            if kek[Attribute.EXTRACTABLE] or not kek[Attribute.SENSITIVE]:
                raise KeyUnavailable(f"The key {uri} can be taken out of its token: no disk key is wrapped by it")
            key_id, nonce = kek[Attribute.ID], secrets.token_bytes(_NONCE_BYTES)
            head = _MAGIC + bytes([len(key_id)]) + key_id
            try:
                parameter = GCMParams(nonce, _bound(uri, head), 8 * _TAG_BYTES)
                sealed = kek.encrypt(key, mechanism=Mechanism.AES_GCM, mechanism_param=parameter)
            except MechanismInvalid:
                raise KeyUnavailable(f"The token {uri.place} has no AES-GCM, by which disk keys are wrapped") from None
            return bytes(head + nonce + sealed)

        return await self._use(uri, work)

    async def unwrap(self, key_ref: str, wrapped: bytes) -> bytes:
        uri = Pkcs11Uri.parse(key_ref)

        def work(session: Session) -> bytes:
            from pkcs11 import Attribute, GCMParams, Mechanism
            from pkcs11.exceptions import PKCS11Error

            keys = self._usable(session, uri)
            start = len(_MAGIC) + 1 + (wrapped[len(_MAGIC)] if len(wrapped) > len(_MAGIC) else 0)
            head, nonce, sealed = (
                wrapped[:start],
                wrapped[start : start + _NONCE_BYTES],
                wrapped[start + _NONCE_BYTES :],
            )
            made_by = [key for key in keys if key[Attribute.ID] == head[len(_MAGIC) + 1 :]]
            fits = LEAST_BYTES + _TAG_BYTES <= len(sealed) <= MOST_BYTES + _TAG_BYTES
            if not head.startswith(_MAGIC) or len(made_by) != 1 or not fits:
                raise not_authentic(key_ref)
            try:
                parameter = GCMParams(nonce, _bound(uri, head), 8 * _TAG_BYTES)
                return bytes(made_by[0].decrypt(sealed, mechanism=Mechanism.AES_GCM, mechanism_param=parameter))
            except PKCS11Error:
                # Tokens give a wrong tag different names. One that went away gives one of these too: it is asked anew.
                if _find(session, uri):
                    raise not_authentic(key_ref) from None
                raise

        return await self._use(uri, work)

    # GovernsKeys ----------------------------------------------------------------------------------------------------

    async def keys(self) -> Sequence[KeyInfo]:
        if not self._module:
            return ()

        def on_token(token: Token, session: Session) -> Sequence[KeyInfo]:
            from pkcs11 import Attribute, KeyType, ObjectClass

            wanted = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.KEY_TYPE: KeyType.AES}
            labels = {str(key[Attribute.LABEL]) for key in session.get_objects(wanted)}
            uris = [Pkcs11Uri(object=label, token=token.label) for label in sorted(labels) if label]
            return [self._info(session, uri, str(uri)) for uri in uris]

        return await _off_loop(lambda: open_module(self._module).each_token(self._pins, on_token))

    async def info(self, key_ref: str) -> KeyInfo:
        uri = Pkcs11Uri.parse(key_ref)
        return await self._use(uri, lambda session: self._info(session, uri, key_ref))

    async def rotate(self, key_ref: str) -> KeyInfo:
        uri = Pkcs11Uri.parse(key_ref)
        if uri.id:
            raise Unsupported("A key that is named by its id is one version; name it by token and object to rotate it")

        def work(session: Session) -> KeyInfo:
            with self._ledger.changing():
                _generate(session, uri, _version(self._usable(session, uri)[-1]) + 1)
            return self._info(session, uri, key_ref)

        return await self._use(uri, work)

    async def disable(self, key_ref: str) -> KeyInfo:
        return await self._set_usable(key_ref, False)

    async def enable(self, key_ref: str) -> KeyInfo:
        return await self._set_usable(key_ref, True)

    async def destroy(self, key_ref: str, *, after_seconds: float) -> KeyInfo:
        uri = Pkcs11Uri.parse(key_ref)

        def work(session: Session) -> KeyInfo:
            keys = self._present(session, uri)
            if after_seconds > 0:
                _allow(keys, False)
            with self._ledger.changing():
                at = self._ledger.now + after_seconds
                self._ledger.put(str(uri), replace(self._ledger.standing(str(uri)), destroy_at=at))
            return self._info(session, uri, key_ref)

        return await self._use(uri, work)

    async def restore(self, key_ref: str) -> KeyInfo:
        uri = Pkcs11Uri.parse(key_ref)

        def work(session: Session) -> KeyInfo:
            self._present(session, uri)
            with self._ledger.changing():
                self._ledger.put(str(uri), replace(self._ledger.standing(str(uri)), destroy_at=None))
            return self._info(session, uri, key_ref)

        return await self._use(uri, work)

    def __repr__(self) -> str:
        return f"<Pkcs11KeyStore: {self._module}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key store is never pickled or copied")

    # In a thread ----------------------------------------------------------------------------------------------------

    async def _use(self, uri: Pkcs11Uri, work: Callable[[Session], T]) -> T:
        return await _off_loop(lambda: open_module(self._module).use(uri, self._pins, work))

    async def _set_usable(self, key_ref: str, usable: bool) -> KeyInfo:
        uri = Pkcs11Uri.parse(key_ref)

        def work(session: Session) -> KeyInfo:
            keys = self._present(session, uri)
            refuse_ended(key_ref, self._ledger.standing(str(uri)))
            _allow(keys, usable)
            return self._info(session, uri, key_ref)

        return await self._use(uri, work)

    def _present(self, session: Session, uri: Pkcs11Uri) -> Sequence[AesKey]:
        """All versions, the newest last. Carries out a destruction that is due. Raises NoSuchKey, KeyUnavailable."""
        ref = str(uri)
        if self._ledger.is_due(self._ledger.standing(ref)):
            with self._ledger.changing():
                if self._ledger.is_due(self._ledger.standing(ref)):  # another console may have called it off
                    for key in _find(session, uri):
                        key.destroy()
                    self._ledger.destroyed(ref)
        standing = self._ledger.standing(ref)
        if standing.destroyed_at is not None:
            refuse_ended(ref, standing)
        keys = _find(session, uri)
        if not keys:
            raise NoSuchKey(f"There is no key {uri.object} in the token {uri.place}; create it, or choose another")
        return keys

    def _usable(self, session: Session, uri: Pkcs11Uri) -> Sequence[AesKey]:
        """As `_present`, of a key that may be used."""
        keys = self._present(session, uri)
        refuse_ended(str(uri), self._ledger.standing(str(uri)))
        if not _allowed(keys):
            raise is_disabled(str(uri))
        return keys

    def _info(self, session: Session, uri: Pkcs11Uri, key_ref: str) -> KeyInfo:
        from pkcs11 import SlotFlag

        token = session.token
        place = " ".join(part for part in (token.manufacturer_id, token.model) if part)
        hardware = bool(token.slot.flags & SlotFlag.HW_SLOT)
        try:
            keys = self._present(session, uri)
        except NoSuchKey:
            raise
        except KeyUnavailable:  # destroyed
            keys = ()
        standing = self._ledger.standing(str(uri))
        state, reason = told_state(standing)
        if state is KeyState.ENABLED and not _allowed(keys):
            state, reason = KeyState.DISABLED, "its token lets nobody encrypt or decrypt with it"
        return KeyInfo(
            ref=key_ref,
            algorithm=ALGORITHM,
            protection=f"{place}, token {token.label}" if keys else "erased",
            state=state,
            state_reason=reason,
            primary_version=_version(keys[-1]) if keys else 0,
            versions=len(keys),
            destroy_at=standing.destroy_at,
            hardware=hardware,
        )


def _find(session: Session, uri: Pkcs11Uri) -> Sequence[AesKey]:
    """Keys of this label, the oldest version first."""
    from pkcs11 import Attribute, KeyType, ObjectClass, SecretKey

    wanted: dict[Attribute, object] = {
        Attribute.CLASS: ObjectClass.SECRET_KEY,
        Attribute.KEY_TYPE: KeyType.AES,
        Attribute.LABEL: uri.object,
    }
    if uri.id:
        wanted[Attribute.ID] = uri.id
    return sorted((key for key in session.get_objects(wanted) if isinstance(key, SecretKey)), key=_version)


def _generate(session: Session, uri: Pkcs11Uri, version: int) -> None:
    from pkcs11 import Attribute, KeyType

    session.generate_key(
        KeyType.AES,
        256,
        label=uri.object,
        id=uri.id or _OURS + version.to_bytes(4, "big") + secrets.token_bytes(10),
        store=True,
        template={
            Attribute.PRIVATE: True,
            Attribute.SENSITIVE: True,
            Attribute.EXTRACTABLE: False,
            Attribute.MODIFIABLE: True,
            Attribute.ENCRYPT: True,
            Attribute.DECRYPT: True,
            Attribute.WRAP: False,
            Attribute.UNWRAP: False,
            Attribute.SIGN: False,
            Attribute.VERIFY: False,
        },
    )


def _version(key: AesKey) -> int:
    """From its CKA_ID; 1 for a key that somebody else made."""
    from pkcs11 import Attribute

    key_id = bytes(key[Attribute.ID])
    return int.from_bytes(key_id[2:6], "big") if len(key_id) == 16 and key_id.startswith(_OURS) else 1


def _allowed(keys: Sequence[AesKey]) -> bool:
    from pkcs11 import Attribute

    return all(key[Attribute.ENCRYPT] and key[Attribute.DECRYPT] for key in keys)


def _allow(keys: Sequence[AesKey], usable: bool) -> None:
    from pkcs11 import Attribute
    from pkcs11.exceptions import AttributeReadOnly, TemplateInconsistent

    try:
        for key in keys:
            key[Attribute.ENCRYPT] = usable
            key[Attribute.DECRYPT] = usable
    except (AttributeReadOnly, TemplateInconsistent):
        raise Unsupported("This token does not let a key be disabled or enabled") from None


def _bound(uri: Pkcs11Uri, head: bytes) -> bytes:
    """Additional authenticated data: a wrapping holds under one label and one version."""
    return b"confvm-dek\0" + uri.object.encode() + b"\0" + head


async def _off_loop(work: Callable[[], T]) -> T:
    """A token may wait for its user's finger: not in a thread that holds the console's end."""
    return await in_daemon_thread("pkcs11-keys", lambda _stop: work())
