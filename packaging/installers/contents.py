"""What of the libraries goes into the bundle, and what stays out. Read by pyinstaller/confvm.spec, and by tests."""

from __future__ import annotations

import re
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Final

HIDDEN: Final = (
    "cel_expr_python.cel",
    "unicorn.x86_const",
    "unicorn.unicorn_py3.arch.intel",
    "PySide6.QtOpenGL",  # these two are for pyqtgraph's curves
    "PySide6.QtOpenGLWidgets",
)
"""Imported by name or by native code."""

OPTIONAL: Final[Mapping[str, tuple[str, ...]]] = {
    "libvirt": ("libvirt", "libvirt_qemu"),
    "pycdlib": ("pycdlib",),
    "pysequoia": ("pysequoia",),
    "pkcs11": ("pkcs11",),
    "boto3": ("boto3",),
    "google.cloud.kms_v1": ("google.cloud.kms_v1",),
    "azure.keyvault.keys": ("azure.keyvault.keys",),
    "azure.identity": ("azure.identity",),
}
"""Module of an optional SDK -> packages that are imported by name or from native code once it is used."""

METADATA: Final = (
    "PySide6-Essentials",
    "cryptography",
    "keyring",
    "numpy",
    "pyqtgraph",
    "qasync",
    "sqlite-utils",
    "unicorn",
)
"""Distributions whose version the page About looks up."""

UNUSED_MODULES: Final = (
    # The standard library's.
    "tkinter",
    "_tkinter",
    "turtle",
    "idlelib",
    "lib2to3",
    "pydoc_data",
    "ensurepip",
    "venv",
    "test",
    "curses",
    "readline",
    "distutils",
    # What libraries load when it is there, and do without.
    "pip",
    "setuptools",
    "pkg_resources",
    "wheel",
    "trove_classifiers",
    "IPython",
    "matplotlib",
    "scipy",
    "pandas",
    "PIL",
    "OpenGL",
    "numba",
    "cupy",
    "h5py",
    "pytest",
    "numpy.f2py",
    "pyqtgraph.opengl",
    "pyqtgraph.jupyter",
    "pyqtgraph.examples",
    "PyQt5",
    "PyQt6",
    "PySide2",
    "PySide6.QtNetwork",
    "PySide6.QtDBus",
    "PySide6.QtPrintSupport",
    "PySide6.QtSvgWidgets",
)

_AWS_SERVICES: Final = "kms|sts|sso|sso-oidc|signin"
_LEFT_OUT: Final = re.compile(
    "|".join(
        (
            # Qt: the console draws SVG and PNG, on X11 and Wayland, and off screen; it opens no socket by Qt.
            r"PySide6/Qt/plugins/(?!platforms/|platforminputcontexts/|platformthemes/|iconengines/|imageformats/"
            r"|wayland|xcbglintegrations/|styles/)",
            r"PySide6/Qt/plugins/platforms/libq(eglfs|linuxfb|minimal|minimalegl|vkkhrdisplay|vnc)\.so",
            r"PySide6/Qt/plugins/platformthemes/libqgtk3\.so",  # would pull in all of GTK
            r"PySide6/Qt/plugins/platforminputcontexts/libqtvirtualkeyboard",
            r"PySide6/Qt/plugins/imageformats/(lib)?q(gif|icns|ico|jpeg|pdf|tga|tiff|wbmp|webp)\.",
            r"PySide6/Qt/plugins/wayland-graphics-integration-server/",
            r"PySide6/Qt/translations/(?!qtbase_(en|fr)\.qm)",
            r"PySide6/Qt/qml/",
            r"(PySide6/Qt/lib/)?libQt6(Egl[Ff][Ss]\w*|Network|SvgWidgets|VirtualKeyboard|Qml\w*|Quick\w*|Pdf|PrintSupport)\.so",
            # AWS: keys, and who asks for them.
            rf"botocore/data/(?!({_AWS_SERVICES})/)[^/]+/",
            r"boto3/(data|examples)/",
            # For compilers, readers and tests.
            r".*\.(a|h|pxd|pyx|pyi|lib|prl)$",
            r"numpy/.*/tests/",
            r"resources/guests/source/",
            r"pyqtgraph/(icons/.*\.png|examples/)",
        )
    )
)


def wanted(path: str) -> bool:
    """Whether the bundle needs the file that would be at `path` in it."""
    return _LEFT_OUT.match(path.replace("\\", "/")) is None


def from_system(source: str) -> bool:
    """Whether a library belongs to the system that builds, neither to Python nor to a package that was installed."""
    if not sys.platform.startswith("linux") or not source.startswith(("/lib", "/usr/lib", "/usr/local/lib")):
        return False
    name = Path(source).name
    standard = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
    return not name.startswith("libpython") and not source.startswith(standard)
