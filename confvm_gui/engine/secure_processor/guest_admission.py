"""How a guest comes to be, by LAUNCH_START or by RECEIVE_START (55766, chapter 6): policy, session, keys, a handle."""

from __future__ import annotations

from confvm_gui.engine.secure_processor.firmware_state import FirmwareState
from confvm_gui.engine.secure_processor.guest_context import GuestContext
from confvm_gui.engine.secure_processor.refusal import refusal
from confvm_gui.engine.secure_processor.volume_key import VolumeKey
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.session import SESSION_SIZE, LaunchSession, TransportKeys
from confvm_gui.sev.sev_certificate import SEV_CERTIFICATE_SIZE, SevCertificate
from confvm_gui.sev.states import GuestState, PlatformState
from confvm_gui.sev.status import Status


class GuestAdmission(FirmwareState):
    """What LAUNCH_START and RECEIVE_START share."""

    def _admit(self, policy: GuestPolicy, vek: VolumeKey, keys: TransportKeys, state: GuestState) -> int:
        self._last_handle += 1
        self._guests[self._last_handle] = GuestContext(self._last_handle, policy, vek, keys, state)
        self._state = PlatformState.WORKING
        return self._last_handle

    def _volume_key(self, this: CommandId, policy: GuestPolicy, share_key_with: int) -> VolumeKey:
        """A VEK of its own or another guest's; RESOURCE_LIMIT, INVALID_GUEST, POLICY_FAILURE."""
        if len(self._guests) >= self._guest_limit:
            raise refusal(this, Status.RESOURCE_LIMIT, f"{self._guest_limit} guests is the limit; DECOMMISSION one")
        return self._shared_key(this, share_key_with, policy) if share_key_with else VolumeKey.generate()

    def _accepted_policy(self, this: CommandId, value: int) -> GuestPolicy:
        try:
            policy = GuestPolicy.from_int(value)
        except InvalidInput as error:
            raise refusal(this, Status.INVALID_PARAM, error.message) from error
        version = self.model.version
        if not policy.allows_api(version.api_major, version.api_minor):
            raise refusal(
                this,
                Status.POLICY_FAILURE,
                f"the guest wants firmware API {policy.api_major}.{policy.api_minor} and this is {version}",
            )
        if policy.es and not self._es_enabled:
            raise refusal(this, Status.POLICY_FAILURE, "the guest wants SEV-ES; initialize the platform with it")
        return policy

    def _shared_key(self, this: CommandId, handle: int, policy: GuestPolicy) -> VolumeKey:
        source = self._guests.get(handle)
        if source is None:
            raise refusal(this, Status.INVALID_GUEST, f"there is no guest {handle} to share a key with")
        if policy.noks or source.policy.noks:
            raise refusal(
                this,
                Status.POLICY_FAILURE,
                f"a policy (NOKS) forbids to share the key of guest {handle}",
            )
        # A key object of its own, so that either guest can be decommissioned without the other.
        return VolumeKey(source.vek.cipher_key())

    def _open_session(self, this: CommandId, dh_cert: bytes, session: bytes, policy: GuestPolicy) -> TransportKeys:
        if len(dh_cert) != SEV_CERTIFICATE_SIZE or len(session) != SESSION_SIZE:
            raise refusal(
                this,
                Status.INVALID_LENGTH,
                f"the DH certificate has {SEV_CERTIFICATE_SIZE} bytes and the session {SESSION_SIZE}",
            )
        try:
            shared_secret = self._identity.agree(SevCertificate.parse(dh_cert).ecdh_key())
        except InvalidInput as error:
            raise refusal(this, Status.INVALID_CERTIFICATE, error.message) from error
        try:
            return LaunchSession.parse(session).open(shared_secret, policy)
        except InvalidInput as error:
            raise refusal(this, Status.BAD_MEASUREMENT, error.message) from error
