"""The way to Compute Engine: one account, one project.

TLS is verified by `requests`: its own authorities, or those of REQUESTS_CA_BUNDLE.
CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE names another address, as it does for gcloud.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from confvm_gui.domain.errors import ConfvmError, InvalidInput
from confvm_gui.providers.cloud.connection import CloudConnection, Patience
from confvm_gui.providers.gce import errors
from confvm_gui.providers.gce.sdk import sdk


class Clients:
    """The SDK's clients of one account, each made when it is first needed. In threads."""

    def __init__(self, credentials: Any, host: str) -> None:
        self._credentials = credentials
        self._host = host

    @cached_property
    def types(self) -> Any:
        """Module with the messages."""
        return sdk("google.cloud.compute_v1")

    @cached_property
    def instances(self) -> Any:
        return self._made("InstancesClient")

    @cached_property
    def zone_operations(self) -> Any:
        return self._made("ZoneOperationsClient")

    @cached_property
    def global_operations(self) -> Any:
        return self._made("GlobalOperationsClient")

    @cached_property
    def zones(self) -> Any:
        return self._made("ZonesClient")

    @cached_property
    def machine_types(self) -> Any:
        return self._made("MachineTypesClient")

    @cached_property
    def images(self) -> Any:
        return self._made("ImagesClient")

    @cached_property
    def session(self) -> Any:
        """`requests` with the account's token, for services that the SDK has no client for."""
        return sdk("google.auth.transport.requests").AuthorizedSession(self._credentials)

    def _made(self, name: str) -> Any:
        options = sdk("google.api_core.client_options").ClientOptions(api_endpoint=self._host)
        return getattr(self.types, name)(credentials=self._credentials, client_options=options)

    def close(self) -> None:
        for client in [value for name, value in vars(self).items() if name.endswith("s") and not name.startswith("_")]:
            if hasattr(client, "transport"):
                client.transport.close()
        if "session" in vars(self):
            self.session.close()

    def __repr__(self) -> str:
        return "<Clients>"


class GceConnection(CloudConnection[Clients]):
    """See the module."""

    def __init__(
        self,
        project: str,
        credentials: Callable[[], Any],
        *,
        patience: Patience | None = None,
        host: str = "",
    ) -> None:
        """`credentials`: called in a thread, for google.auth's object. An override of the service's address that is
        none is told when the first call is made (InvalidInput("endpoint")).
        """

        def make() -> Clients:
            sdk("google.cloud.compute_v1")
            return Clients(credentials(), host or compute_host())

        super().__init__(errors.SERVICE, make, Clients.close, _meaning, asked=_retry_after, patience=patience)
        self.project = project

    def __repr__(self) -> str:
        return f"<GceConnection {self.project}>"


def compute_host() -> str:
    """Host and port of the service. Raises InvalidInput("endpoint") for an override that is not HTTPS."""
    return _override("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", "compute.googleapis.com")


def resource_manager_host() -> str:
    """The same for Cloud Resource Manager."""
    return _override("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER", "cloudresourcemanager.googleapis.com")


def org_policy_host() -> str:
    """The same for the organisation's policies."""
    return _override("CLOUDSDK_API_ENDPOINT_OVERRIDES_ORGPOLICY", "orgpolicy.googleapis.com")


def logging_host() -> str:
    """The same for Cloud Logging."""
    return _override("CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING", "logging.googleapis.com")


def _override(variable: str, usual: str) -> str:
    address = os.environ.get(variable, "")
    if not address:
        return usual
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.netloc or "@" in parts.netloc:
        raise InvalidInput("endpoint", f"{variable} is no https address")
    return parts.netloc


def _meaning(error: Exception) -> ConfvmError | None:
    """google.api_core, google.auth and requests have no common root."""
    if type(error).__module__.startswith(("google.", "requests", "urllib3")):
        return errors.of_call(error)
    return None


def _retry_after(error: BaseException) -> object:
    headers = getattr(getattr(error, "response", None), "headers", None)
    return headers.get("Retry-After", "") if headers is not None else ""
