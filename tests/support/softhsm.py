"""SoftHSM 2, a PKCS#11 module whose tokens are folders: taken out by moving them away, and put back."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pkcs11

MODULE: Final = "/usr/lib/softhsm/libsofthsm2.so"
TOKEN: Final = "confvm"
PIN: Final = "4711-pin"


class SoftHsm:
    """The tokens below `folder`, and one named TOKEN among them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "tokens"
        self._away = folder / "taken out"
        self._folder.mkdir(parents=True)
        self.config = folder / "softhsm2.conf"
        self.config.write_text(
            f"directories.tokendir = {self._folder}\nobjectstore.backend = file\nlog.level = ERROR\n"
        )
        self.add_token(TOKEN)

    def add_token(self, label: str) -> None:
        subprocess.run(
            ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "so-1234", "--pin", PIN],
            env={**os.environ, "SOFTHSM2_CONF": str(self.config)},
            check=True,
            capture_output=True,
            timeout=20,
        )

    def take_out(self) -> None:
        """All tokens."""
        self._folder.rename(self._away)
        self._folder.mkdir()

    def put_back(self) -> None:
        self._folder.rmdir()
        self._away.rename(self._folder)


@contextmanager
def softhsm(folder: Path) -> Iterator[SoftHsm]:
    """Within, the module has the tokens of `folder`."""
    before = os.environ.get("SOFTHSM2_CONF")
    hsm = SoftHsm(folder)
    os.environ["SOFTHSM2_CONF"] = str(hsm.config)
    pkcs11.lib(MODULE).reinitialize()  # it is the process's: it may know the tokens of an earlier test
    try:
        yield hsm
    finally:
        if before is None:
            del os.environ["SOFTHSM2_CONF"]
        else:
            os.environ["SOFTHSM2_CONF"] = before
