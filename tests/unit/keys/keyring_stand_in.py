"""A keyring backend in memory, which can be told to fail."""

from __future__ import annotations

from keyring.backend import KeyringBackend


class StandInKeyring(KeyringBackend):
    """Keeps entries in `entries`; raises `failure` if there is one; forgets what it is given if `forgetful`."""

    priority = 1

    def __init__(self) -> None:
        # Not the backend's own, which only reads its properties from the environment.
        self.entries: dict[tuple[str, str], str] = {}
        self.failure: Exception | None = None
        self.forgetful = False
        self.reads = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.reads += 1
        if self.failure is not None:
            raise self.failure
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.failure is not None:
            raise self.failure
        if not self.forgetful:
            self.entries[(service, username)] = password

    def delete_password(self, service: str, username: str) -> None:
        self.entries.pop((service, username), None)
