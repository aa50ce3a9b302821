"""The clouds' key services on this computer: moto for AWS KMS, stand-ins for the others, all by HTTPS."""

from __future__ import annotations

import importlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Request, Response

from confvm_gui.keys.azure_keyvault import AzureKeyStore
from confvm_gui.keys.gcp_kms import GcpKeyStore
from tests.support.fake_cloud_kms import RING, FakeCloudKms
from tests.support.fake_key_vault import FakeKeyVault, StandInCredential
from tests.support.tls_site import TlsSite, environment, serving

REGION = "eu-west-1"


@contextmanager
def aws_kms(folder: Path) -> Iterator[TlsSite]:
    """Within, boto3 asks moto."""
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.kms.models import kms_backends
    from moto.moto_server.werkzeug_app import create_backend_app

    with serving(_keeping_states(create_backend_app("kms")), folder) as site:
        values = {
            "AWS_ENDPOINT_URL_KMS": site.base,
            "AWS_CA_BUNDLE": str(site.ca_file),
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        with environment(values):
            yield site
        kms_backends[DEFAULT_ACCOUNT_ID][REGION].reset()


def _keeping_states(moto: Any) -> Any:
    """moto encrypts with keys that are disabled or to be deleted; the service does not (its guide, "Key states")."""

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        from moto.core.models import DEFAULT_ACCOUNT_ID
        from moto.kms.models import kms_backends

        request = Request(environ)
        verb = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        body = json.loads(request.get_data() or "{}")
        environ["wsgi.input"] = io.BytesIO(request.get_data())
        if verb in ("Encrypt", "Decrypt"):
            backend = kms_backends[DEFAULT_ACCOUNT_ID][REGION]
            named = (key for key in backend.keys.values() if body["KeyId"] in (key.id, *key.aliases))
            key = next(named, None)
            if key is not None and key.key_state != "Enabled":
                kind = "DisabledException" if key.key_state == "Disabled" else "KMSInvalidStateException"
                answer = {"__type": kind, "message": f"{key.arn} is {key.key_state}"}
                return Response(json.dumps(answer), 400)(environ, start_response)
        return moto(environ, start_response)

    return application


@contextmanager
def cloud_kms(folder: Path) -> Iterator[tuple[TlsSite, FakeCloudKms]]:
    """Within, Google's SDK trusts the site."""
    fake = FakeCloudKms()
    with serving(fake, folder) as site, environment({"REQUESTS_CA_BUNDLE": str(site.ca_file)}):
        yield site, fake


def gcp_store(site: TlsSite) -> GcpKeyStore:
    """Of the service at `site`."""
    credentials: Any = importlib.import_module("google.oauth2.credentials")  # not typed
    return GcpKeyStore([RING], endpoint=f"localhost:{site.port}", credentials=credentials.Credentials("a token"))


@contextmanager
def key_vault(folder: Path) -> Iterator[tuple[TlsSite, FakeKeyVault]]:
    """Within, Azure's SDK trusts the site."""
    fake = FakeKeyVault()
    with serving(fake, folder) as site, environment({"REQUESTS_CA_BUNDLE": str(site.ca_file)}):
        yield site, fake


def azure_store(site: TlsSite) -> AzureKeyStore:
    """Of a vault that is at `site`, whatever its name. Its challenge is not of Microsoft's domain: not checked."""
    return AzureKeyStore(
        ["vault"],
        credential=StandInCredential(),
        address=lambda _host: site.base,
        options={"verify_challenge_resource": False},
    )
