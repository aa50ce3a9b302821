"""Who asks Google: application default credentials, or the key file of a service account.

A key file is never kept here: it is given for as long as a connection lasts.
"""

from __future__ import annotations

from typing import Any, Final

from confvm_gui.domain.errors import ConfvmError, InvalidInput, KeyUnavailable
from confvm_gui.domain.strict_json import parse_strictly
from confvm_gui.providers.gce.sdk import sdk

SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
MOST_BYTES: Final = 64 << 10
"""A key file has about 2,400."""
_NEEDED: Final = ("project_id", "private_key", "client_email", "token_uri")


class KeyFile:
    """The key file of a service account. Its text is in no message, and no repr."""

    def __init__(self, text: str) -> None:
        """Raises InvalidInput("credential") for what is no such file."""
        self._content = _read(text)

    @property
    def email(self) -> str:
        return str(self._content["client_email"])

    @property
    def project(self) -> str:
        """In which the service account is."""
        return str(self._content["project_id"])

    def credentials(self) -> Any:
        """google.auth's credentials. Raises InvalidInput("credential") for a private key that is none."""
        service_account = sdk("google.oauth2.service_account")
        try:
            return service_account.Credentials.from_service_account_info(dict(self._content), scopes=list(SCOPES))
        except ValueError:  # its text may quote the key
            raise InvalidInput("credential", "The private key in the key file cannot be read") from None

    def __repr__(self) -> str:
        return f"<KeyFile of {self.email}>"


def default_credentials() -> Any:
    """Those of `gcloud auth application-default login`, of the environment or of the machine. Raises KeyUnavailable."""
    sdk("google.auth")
    import google.auth
    from google.auth.exceptions import GoogleAuthError

    try:
        credentials, _project = google.auth.default(scopes=list(SCOPES))
    except GoogleAuthError as error:
        raise _none(error) from error
    return credentials


def _none(error: Exception) -> ConfvmError:
    return KeyUnavailable(
        "There are no credentials for Google Cloud on this computer: log in with `gcloud auth application-default "
        f"login`, or give the key file of a service account ({type(error).__name__})"
    )


def _read(text: str) -> dict[str, object]:
    if len(text) > MOST_BYTES:
        raise InvalidInput("credential", "This is no key file of a service account: it is too large")
    content = parse_strictly(text.encode(), lambda why: InvalidInput("credential", f"The key file {why}"))
    if content.get("type") != "service_account":
        # The other kinds may name programs to run and addresses to ask: not from a file that somebody handed over.
        raise InvalidInput("credential", "This is no key file of a service account: it has no type service_account")
    missing = [name for name in _NEEDED if not isinstance(content.get(name), str) or not content[name]]
    if missing:
        raise InvalidInput("credential", f"The key file has no {missing[0]}")
    if not str(content["token_uri"]).startswith("https://"):
        raise InvalidInput("credential", "The key file asks for tokens where nothing is encrypted; get a new one")
    return content
