"""Azure Key Vault over REST, in memory: bodies are read and written by the SDK's own models."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.credentials import AccessToken
from azure.keyvault.keys._generated import models
from azure.keyvault.keys._generated._model_base import SdkJSONEncoder
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from werkzeug.wrappers import Request, Response

DAYS = 90
_OAEP = padding.OAEP(padding.MGF1(SHA256()), SHA256(), None)


class StandInCredential:
    """Gives a token for any scope, as a logged-in `az` does."""

    def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        assert scopes == ("https://localhost/.default",)
        return AccessToken("a token", 1 << 40)


class FakeKeyVault:
    """A WSGI application; a vault of one host."""

    def __init__(self) -> None:
        self.base = ""
        self.keys: dict[str, dict[str, tuple[rsa.RSAPrivateKey, Any]]] = {}
        self.deleted: dict[str, dict[str, tuple[rsa.RSAPrivateKey, Any]]] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        self.base = f"https://{request.host}"
        if request.headers.get("authorization") != "Bearer a token":
            challenge = 'Bearer authorization="https://login.example/tenant", resource="https://localhost"'
            return Response(status=401, headers={"WWW-Authenticate": challenge})(environ, start_response)
        assert request.args["api-version"]
        status, body = self._answer(request)
        text = json.dumps(body, cls=SdkJSONEncoder) if body is not None else ""
        return Response(text, status, mimetype="application/json")(environ, start_response)

    def _answer(self, request: Request) -> tuple[int, Any]:
        kind, *rest = request.path.strip("/").split("/")
        name = rest[0] if rest else ""
        if kind == "deletedkeys":
            return self._deleted(request.method, name, rest[1:])
        if not name:
            newest = {name: list(versions) for name, versions in self.keys.items()}
            items = [{"kid": f"{self.base}/keys/{name}", "attributes": {}} for name in newest]
            return 200, {"value": items}
        match request.method, rest[1:]:
            case "POST", ["create"]:
                asked = models.KeyCreateParameters(json.loads(request.data))
                assert asked.kty == "RSA"
                if name in self.deleted:
                    return _error(409, "a deleted key has this name")
                return 200, self._add(name, asked.key_size or 2048)
            case "POST", ["rotate"] if name in self.keys:
                return 200, self._add(name, 2048)
            case "GET", ["versions"]:
                versions_of: list[Any] = [
                    models.KeyItem({"kid": bundle.key.kid, "attributes": bundle.attributes})
                    for _, bundle in self.keys.get(name, {}).values()
                ]
                return 200, {"value": versions_of}
            case "DELETE", []:
                if name not in self.keys:
                    return _error(404, "no such key")
                self.deleted[name] = self.keys.pop(name)
                return 200, self._deleted_bundle(name)
        versions = self.keys.get(name)
        version = rest[1] if len(rest) > 1 and rest[1] else next(reversed(versions or {}), "")
        if versions is None or version not in versions:
            return _error(404, "no such key")
        return self._on_version(request, versions[version], rest[2] if len(rest) > 2 else "")

    def _on_version(self, request: Request, kept: tuple[rsa.RSAPrivateKey, Any], verb: str) -> tuple[int, Any]:
        private, bundle = kept
        if request.method == "PATCH":
            changed = models.KeyUpdateParameters(json.loads(request.data))
            assert changed.key_attributes is not None
            bundle.attributes.enabled = changed.key_attributes.enabled
            return 200, bundle
        if request.method == "GET":
            return 200, bundle
        asked = models.KeyOperationsParameters(json.loads(request.data))
        assert asked.algorithm == "RSA-OAEP-256"
        if not bundle.attributes.enabled:
            return _error(403, "Operation is not allowed on a disabled key")
        try:
            done = (
                private.decrypt(asked.value, _OAEP)
                if verb == "unwrapkey"
                else private.public_key().encrypt(asked.value, _OAEP)
            )
        except ValueError:
            return _error(400, "the value does not decrypt")
        return 200, {"kid": bundle.key.kid, "value": _base64url(done)}

    def _add(self, name: str, size: int) -> Any:
        private = rsa.generate_private_key(65537, min(size, 2048))  # smaller than asked for: the test waits for it
        version = uuid.uuid4().hex
        numbers = private.public_key().public_numbers()
        versions = self.keys.setdefault(name, {})
        made = int(datetime.now(UTC).timestamp()) + len(versions)
        bundle = models.KeyBundle(
            {
                "key": {
                    "kid": f"{self.base}/keys/{name}/{version}",
                    "kty": "RSA",
                    "key_ops": ["wrapKey", "unwrapKey", "encrypt", "decrypt"],
                    "n": _base64url(numbers.n.to_bytes(private.key_size // 8, "big")),
                    "e": _base64url(numbers.e.to_bytes(3, "big")),
                },
                "attributes": {
                    "enabled": True,
                    "created": made,
                    "recoveryLevel": "Recoverable+Purgeable",
                    "recoverableDays": DAYS,
                },
            }
        )
        versions[version] = private, bundle
        return bundle

    def _deleted(self, method: str, name: str, rest: list[str]) -> tuple[int, Any]:
        if not name:
            return 200, {"value": [{"kid": f"{self.base}/keys/{each}", "attributes": {}} for each in self.deleted]}
        if name not in self.deleted:
            return _error(404, "no such deleted key")
        if method == "DELETE":
            del self.deleted[name]
            return 204, None
        if method == "POST" and rest == ["recover"]:
            self.keys[name] = self.deleted.pop(name)
            return 200, next(reversed(self.keys[name].values()))[1]
        return 200, self._deleted_bundle(name)

    def _deleted_bundle(self, name: str) -> Any:
        _, bundle = next(reversed(self.deleted[name].values()))
        end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=DAYS)
        times = {"scheduledPurgeDate": int(end.timestamp()), "deletedDate": int(datetime.now(UTC).timestamp())}
        return models.DeletedKeyBundle({**bundle.as_dict(), **times, "recoveryId": f"{self.base}/deletedkeys/{name}"})


def _base64url(data: bytes) -> str:
    import base64

    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _error(status: int, message: str) -> tuple[int, Any]:
    return status, {"error": {"code": "Refused", "message": message}}
