"""A host whose ssh key has changed: refused, told with what to do, and never accepted silently."""

from __future__ import annotations

from pathlib import Path

import pytest

from confvm_gui.domain.errors import InvalidInput, Transient
from confvm_gui.providers.libvirt.connection import LibvirtConnection
from confvm_gui.providers.libvirt.uri import parse_uri
from tests.support.libvirt_rig import HURRY
from tests.unit.providers.libvirt.test_connection import fake_ssh

OPENSSH = """@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
Someone could be eavesdropping on you right now (man-in-the-middle attack)!
It is also possible that a host key has just been changed.
The fingerprint for the ED25519 key sent by the remote host is
SHA256:Uq6rV5kPwqT7o3cRyPzJr0wGmFjYcZ1sN4t8bLhE2aI.
Please contact your system administrator.
Add correct host key in /home/admin/.ssh/known_hosts to get rid of this message.
Offending ED25519 key in /home/admin/.ssh/known_hosts:7
Host key for db1.example.com has changed and you have requested strict checking.
Host key verification failed."""
"""What OpenSSH 9 writes."""


async def test_a_changed_key_is_refused_each_time_and_ssh_is_never_told_to_take_it(tmp_path: Path) -> None:
    body = f"echo \"$@\" >> {tmp_path}/asked\ncat >&2 <<'END'\n{OPENSSH}\nEND\nexit 255"
    connection = LibvirtConnection(fake_ssh(tmp_path, body), patience=HURRY)
    try:
        for _ in range(2):
            with pytest.raises(Transient) as caught:
                await connection.open()
            said = str(caught.value)
            assert said.startswith("The host key of db1.example.com is not the known one: find out why before you")
            assert "renew its line in known_hosts" in said
            assert "Host key verification failed" in said
            assert not connection.connected
    finally:
        await connection.aclose()
    asked = (tmp_path / "asked").read_text()
    assert asked.count("db1.example.com") == 2
    assert "StrictHostKeyChecking" not in asked
    assert "BatchMode=yes" in asked, "ssh asks nobody whether it may"


@pytest.mark.parametrize("query", ["no_verify=1", "no_tty=1&no_verify=1"])
def test_an_address_that_switches_the_check_off_is_refused(query: str) -> None:
    with pytest.raises(InvalidInput, match="leave out no_verify") as caught:
        parse_uri(f"qemu+ssh://admin@db1.example.com/system?{query}")
    assert caught.value.field == "uri"
    assert parse_uri("qemu+ssh://admin@db1.example.com/system?no_verify=0").host == "db1.example.com"
