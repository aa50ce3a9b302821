"""Google Cloud KMS over REST, in memory: requests and answers are read and written by the SDK's own models."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.cloud import kms_v1 as kms
from werkzeug.wrappers import Request, Response

from confvm_gui.keys.gcp_kms.crc32c import crc32c

RING = "projects/console-test/locations/europe-west1/keyRings/disks"
_States = kms.CryptoKeyVersion.CryptoKeyVersionState
_Purpose = kms.CryptoKey.CryptoKeyPurpose
DELAY = timedelta(days=30)


class FakeCloudKms:
    """A WSGI application."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {}
        self.versions: dict[str, Any] = {}
        self.secrets: dict[str, bytes] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        assert request.headers["authorization"] == "Bearer a token"
        try:
            answer = self._answer(request.method, request.path.removeprefix("/v1/"), request)
            response = Response(type(answer).to_json(answer, use_integers_for_enums=False), mimetype="application/json")
        except _Refusal as refusal:
            body = f'{{"error": {{"code": {refusal.code}, "status": "{refusal.status}", "message": "{refusal}"}}}}'
            response = Response(body, refusal.code, mimetype="application/json")
        return response(environ, start_response)

    def _answer(self, method: str, path: str, request: Request) -> Any:
        text = request.get_data(as_text=True) or "{}"
        resource, _, verb = path.partition(":")
        if method == "POST" and verb == "encrypt":
            return self._encrypt(resource, kms.EncryptRequest.from_json(text))
        if method == "POST" and verb == "decrypt":
            return self._decrypt(resource, kms.DecryptRequest.from_json(text))
        if method == "POST" and verb == "updatePrimaryVersion":
            asked = kms.UpdateCryptoKeyPrimaryVersionRequest.from_json(text)
            key = self._key(resource)
            key.primary = self.versions[f"{resource}/cryptoKeyVersions/{asked.crypto_key_version_id}"]
            return key
        if method == "POST" and verb in ("destroy", "restore"):
            return self._end(resource, verb)
        if method == "POST" and path.endswith("/cryptoKeys"):
            return self._create(path, request.args["cryptoKeyId"], kms.CryptoKey.from_json(text))
        if method == "POST" and path.endswith("/cryptoKeyVersions"):
            self._key(path.removesuffix("/cryptoKeyVersions"))
            return self._add_version(path.removesuffix("/cryptoKeyVersions"))
        if method == "PATCH":
            assert request.args["updateMask"] == "state"
            version = self.versions[path]
            version.state = kms.CryptoKeyVersion.from_json(text).state
            return version
        if path.endswith("/cryptoKeys"):
            return kms.ListCryptoKeysResponse(crypto_keys=[self._key(n) for n in self.keys if n.startswith(path)])
        if path.endswith("/cryptoKeyVersions"):
            self._key(path.removesuffix("/cryptoKeyVersions"))
            found = [version for name, version in self.versions.items() if name.startswith(path + "/")]
            return kms.ListCryptoKeyVersionsResponse(crypto_key_versions=found)
        return self._key(path)

    def _create(self, parent: str, key_id: str, key: Any) -> Any:
        assert parent == f"{RING}/cryptoKeys"
        assert re.fullmatch("[a-zA-Z0-9_-]{1,63}", key_id)
        assert key.purpose == _Purpose.ENCRYPT_DECRYPT
        name = f"{parent}/{key_id}"
        if name in self.keys:
            raise _Refusal(409, "ALREADY_EXISTS", "the key exists")
        key.name, key.create_time, key.destroy_scheduled_duration = name, datetime.now(UTC), DELAY
        self.keys[name] = key
        key.primary = self._add_version(name)
        return self._key(name)

    def _add_version(self, key: str) -> Any:
        number = 1 + sum(name.startswith(f"{key}/") for name in self.versions)
        name = f"{key}/cryptoKeyVersions/{number}"
        self.versions[name] = kms.CryptoKeyVersion(name=name, state=_States.ENABLED)
        self.secrets[name] = os.urandom(32)
        return self.versions[name]

    def _key(self, name: str) -> Any:
        key = self.keys.get(name)
        if key is None:
            raise _Refusal(404, "NOT_FOUND", "no such key")
        key.primary = self.versions[key.primary.name]
        return key

    def _usable(self, version: Any) -> str:
        if version.state != _States.ENABLED:
            raise _Refusal(400, "FAILED_PRECONDITION", f"the version is not enabled: {version.state.name}, disabled")
        return str(version.name)

    def _encrypt(self, name: str, asked: Any) -> Any:
        assert asked.plaintext_crc32c == crc32c(asked.plaintext)
        assert asked.additional_authenticated_data_crc32c == crc32c(asked.additional_authenticated_data)
        version = self._usable(self._key(name).primary)
        nonce = os.urandom(12)
        sealed = AESGCM(self.secrets[version]).encrypt(nonce, asked.plaintext, asked.additional_authenticated_data)
        number = int(version.rpartition("/")[2])
        ciphertext = bytes([number]) + nonce + sealed
        return kms.EncryptResponse(
            name=version,
            ciphertext=ciphertext,
            ciphertext_crc32c=crc32c(ciphertext),
            verified_plaintext_crc32c=True,
            verified_additional_authenticated_data_crc32c=True,
        )

    def _decrypt(self, name: str, asked: Any) -> Any:
        assert asked.ciphertext_crc32c == crc32c(asked.ciphertext)
        self._key(name)
        version = self.versions.get(f"{name}/cryptoKeyVersions/{asked.ciphertext[0]}")
        if version is None:
            raise _Refusal(400, "INVALID_ARGUMENT", "Decryption failed: the ciphertext is invalid")
        secret = AESGCM(self.secrets[self._usable(version)])
        data, bound = asked.ciphertext, asked.additional_authenticated_data
        try:
            plain = secret.decrypt(data[1:13], data[13:], bound)
        except (InvalidTag, ValueError):
            raise _Refusal(400, "INVALID_ARGUMENT", "Decryption failed: the ciphertext is invalid") from None
        return kms.DecryptResponse(plaintext=plain, plaintext_crc32c=crc32c(plain))

    def _end(self, name: str, verb: str) -> Any:
        version = self.versions[name]
        if verb == "destroy":
            version.state, version.destroy_time = _States.DESTROY_SCHEDULED, datetime.now(UTC) + DELAY
        else:
            version.state = _States.DISABLED
        return version


class _Refusal(Exception):
    def __init__(self, code: int, status: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
