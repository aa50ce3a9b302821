"""What goes into the bundle and what stays out."""

from __future__ import annotations

import sys
import sysconfig

import pytest
from installers.contents import OPTIONAL, UNUSED_MODULES, from_system, wanted

_QT = "PySide6/Qt"


@pytest.mark.parametrize(
    "path",
    [
        f"{_QT}/plugins/platforms/libqxcb.so",
        f"{_QT}/plugins/platforms/libqwayland.so",
        f"{_QT}/plugins/platforms/libqoffscreen.so",
        f"{_QT}/plugins/platforms\\qwindows.dll",
        f"{_QT}/plugins/imageformats/libqsvg.so",
        f"{_QT}/translations/qtbase_fr.qm",
        f"{_QT}/lib/libQt6Widgets.so.6",
        "botocore/data/kms/2014-11-01/service-2.json.gz",
        "botocore/data/endpoints.json",
        "resources/guests/records.bin",
        "resources/icons/confvm.svg",
        "unicorn/lib/libunicorn.so.2",
    ],
)
def test_wanted(path: str) -> None:
    assert wanted(path)


@pytest.mark.parametrize(
    "path",
    [
        f"{_QT}/plugins/platforms/libqeglfs.so",
        f"{_QT}/plugins/platformthemes/libqgtk3.so",
        f"{_QT}/plugins/sqldrivers/libqsqlite.so",
        "PySide6\\Qt\\plugins\\sqldrivers\\qsqlite.dll",
        f"{_QT}/translations/qtbase_de.qm",
        f"{_QT}/translations/qt_fr.qm",
        f"{_QT}/lib/libQt6Qml.so.6",
        "botocore/data/ec2/2016-11-15/service-2.json.gz",
        "boto3/data/ec2/2016-11-15/resources-1.json",
        "resources/guests/source/abi.h",
        "unicorn/lib/libunicorn.a",
    ],
)
def test_not_wanted(path: str) -> None:
    assert not wanted(path)


def test_the_systems_libraries_are_told_from_pythons() -> None:
    assert from_system("/usr/lib/x86_64-linux-gnu/libxcb-cursor.so.0")
    assert from_system("/lib/x86_64-linux-gnu/libssl.so.3")
    assert not from_system("/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0")
    assert not from_system(f"{sysconfig.get_path('stdlib')}/lib-dynload/_ssl.so")
    assert not from_system(f"{sys.prefix}/lib/python3.11/site-packages/numpy/_core/_multiarray_umath.so")


def test_nothing_is_both_wanted_and_left_out() -> None:
    assert not {name for names in OPTIONAL.values() for name in names} & set(UNUSED_MODULES)
