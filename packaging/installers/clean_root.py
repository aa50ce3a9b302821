"""Installs a package into a Debian system that has nothing else, and works the program there.

mmdebstrap makes the system in a folder of its own, with the rights it has: as root, or by user namespaces.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path
from typing import Final

_USER: Final = "tester"


def try_in_clean_root(package: Path, out: Path, *, mirror: str = "") -> None:
    """Install `package` into a new Debian, run self-test and tour as an ordinary user; the tour's pictures go to `out`.

    The new system is of this machine's release, whose packages the dependencies name. Takes a minute. `mirror`:
    mmdebstrap's own choice when empty. Raises CalledProcessError with what failed on standard
    error.
    """
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    inside = f"/{package.name}"
    as_user = f"runuser -u {_USER} -- env -i HOME=/home/{_USER} PATH=/usr/bin:/bin LANG=C.UTF-8"
    # What it complains of is no pass, whatever its exit code.
    quietly = "2>/complaints; code=$?; cat /complaints >&2; test $code = 0 && test ! -s /complaints"
    steps = (
        f"apt-get -q -y --no-install-recommends install {inside} >/dev/null",
        f"useradd --create-home {_USER}",
        # Python of its own, and no other: were there one, its packages might stand in for what the bundle lacks.
        "! command -v python3 && ! ls -d /usr/lib/python3* 2>/dev/null",
        f"{as_user} confvm --version",
        f"{as_user} confvm catalog technologies >/dev/null",
        f"{as_user} confvm-gui --self-test {quietly}",
        f"{as_user} confvm-gui --tour /home/{_USER}/tour {quietly}",
        # With the one package that it recommends for what only some use, everything optional must be there.
        "apt-get -q -y --no-install-recommends install libvirt0 >/dev/null",
        f"{as_user} confvm list --connect test:///default",
        f"{as_user} confvm-gui --self-test | tee /told && grep '^optional libraries: ' /told | grep -v without",
        "dpkg --purge confvm-console >/dev/null && test ! -e /usr/lib/confvm-console && test ! -e /usr/bin/confvm",
    )
    command = ["mmdebstrap", "--quiet", "--variant=minbase", "--format=null"]
    command.append(f"--customize-hook=upload {package} {inside}")
    command += [f"--chrooted-customize-hook={step}" for step in steps]
    command.append(f"--customize-hook=sync-out /home/{_USER}/tour {out}")
    suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
    command += [suite, "/dev/null", *([mirror] if mirror else [])]
    subprocess.run(command, check=True)
