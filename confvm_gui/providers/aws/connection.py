"""The way to Amazon EC2: boto3's clients of one account, one for each region that is asked.

TLS is verified by botocore: its own authorities, or those of AWS_CA_BUNDLE. AWS_ENDPOINT_URL_EC2 names another
address, as it does for the AWS CLI; one without TLS is refused.
"""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable
from typing import Any, Final

from confvm_gui.domain.errors import ConfvmError, InvalidInput, Unsupported
from confvm_gui.providers.aws import errors
from confvm_gui.providers.cloud.connection import CloudConnection, Patience

INSTALL: Final = "The package boto3 is not installed; install the console with pip install 'confvm-console[aws]'"
HOME_REGION: Final = "us-east-1"
"""Which region is asked for the others: it is in every account."""
_OVERRIDES: Final = ("AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL")
_BOTO: Final = ("botocore.", "boto3.", "urllib3.")


def sdk(module: str) -> Any:
    """A module of the SDK. Raises Unsupported, saying what to install, if it is not there."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise Unsupported(INSTALL) from None


class Clients:
    """The account's clients, each made when it is first needed. In threads."""

    def __init__(self, session: Any, patience: Patience) -> None:
        self._session = session
        self._patience = patience
        self._made: dict[tuple[str, str], Any] = {}
        self._making = threading.Lock()
        """boto3's sessions are not made for several threads; its clients are."""

    def ec2(self, region: str) -> Any:
        """Raises InvalidInput("region") for what is no name of a region."""
        return self._client("ec2", region)

    def identity(self) -> Any:
        """STS."""
        return self._client("sts", HOME_REGION)

    def close(self) -> None:
        with self._making:
            made, self._made = self._made, {}
        for client in made.values():
            client.close()

    def _client(self, service: str, region: str) -> Any:
        if not errors.is_region(region):
            raise InvalidInput("region", f"{region[:40]!r} is no region of AWS")
        with self._making:
            client = self._made.get((service, region))
            if client is None:
                config = sdk("botocore.config").Config(
                    connect_timeout=self._patience.answer,
                    read_timeout=self._patience.answer,
                    retries={"total_max_attempts": 1},  # CloudConnection tries again, and tells of it
                    max_pool_connections=8,
                )
                client = self._session.client(service, region_name=region, config=config)
                self._made[(service, region)] = client
            return client

    def __repr__(self) -> str:
        return "<Clients>"


class AwsConnection(CloudConnection[Clients]):
    """See the module."""

    def __init__(self, account: str, session: Callable[[], Any], *, patience: Patience | None = None) -> None:
        """`account`: the profile or account id, for messages. `session`: called in a thread, for boto3's Session."""
        wait = patience or Patience()

        def make() -> Clients:
            sdk("boto3")
            _require_tls()
            return Clients(session(), wait)

        super().__init__(errors.SERVICE, make, Clients.close, _meaning, asked=_retry_after, patience=wait)
        self.account = account


def _meaning(error: Exception) -> ConfvmError | None:
    """botocore and boto3 have no common root."""
    return errors.of_call(error) if type(error).__module__.startswith(_BOTO) else None


def _retry_after(error: BaseException) -> object:
    answer = getattr(error, "response", None)
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}) if isinstance(answer, dict) else {}
    return headers.get("retry-after", "")


def _require_tls() -> None:
    """Raises InvalidInput("endpoint")."""
    for variable in _OVERRIDES:
        address = os.environ.get(variable, "")
        if address and not address.startswith("https://"):
            raise InvalidInput("endpoint", f"{variable} is no https address")
