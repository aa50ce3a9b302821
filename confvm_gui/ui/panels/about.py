"""About the console: version, licence, what it stands on, what it does not claim."""

from __future__ import annotations

from importlib import metadata

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from confvm_gui import __version__
from confvm_gui.ui.icons import pixmap
from confvm_gui.ui.theme import UNIT

_PARTS = (
    ("PySide6-Essentials", "LGPL-3.0", "Qt for Python"),
    ("qasync", "BSD-2-Clause", "asyncio on Qt's event loop"),
    ("cryptography", "Apache-2.0 / BSD-3-Clause", "AES, ECDSA, X.509"),
    ("unicorn", "GPL-2.0", "the CPU emulator that runs the guests"),
    ("pyqtgraph", "MIT", "plots"),
    ("numpy", "BSD-3-Clause", "page statistics"),
    ("sqlite-utils", "Apache-2.0", "the store's migrations"),
    ("keyring", "MIT", "the system's keyring"),
    ("pyte", "LGPL-3.0", "the terminal's screen"),
    ("urllib3", "MIT", "HTTPS"),
    ("cel-expr-python", "Apache-2.0", "rules of the guardrails"),
)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "–"  # a frozen bundle may come without metadata


class AboutPanel(QWidget):
    """One card."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("about-panel")
        card = QFrame()
        card.setProperty("kind", "card")
        card.setMaximumWidth(720)
        picture = QLabel()
        picture.setPixmap(pixmap("confvm", "#000000", 64, self.devicePixelRatioF()))
        title = QLabel("ConfVM Console")
        title.setProperty("kind", "title")
        version = QLabel(self.tr("Version {version}, Apache License 2.0").format(version=__version__))
        version.setProperty("kind", "muted")
        version.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(title)
        words.addWidget(version)
        head = QHBoxLayout()
        head.setSpacing(UNIT * 2)
        head.addWidget(picture)
        head.addLayout(words, 1)
        rows = QVBoxLayout(card)
        rows.setContentsMargins(UNIT * 3, UNIT * 3, UNIT * 3, UNIT * 3)
        rows.setSpacing(UNIT * 2)
        rows.addLayout(head)
        for text in (
            self.tr("Launch, watch, prove and govern confidential virtual machines."),
            self.tr(
                "The embedded engine emulates AMD's secure processor and memory encryption in software. It shows how "
                "they work and rehearses real launches; it does not protect this computer, and its constants are "
                "not AMD's. Wherever something is emulated, the window says so."
            ),
        ):
            label = QLabel(text)
            label.setWordWrap(True)
            rows.addWidget(label)
        parts = QLabel(self.tr("Stands on"))
        parts.setProperty("kind", "heading")
        rows.addWidget(parts)
        listing = QLabel("\n".join(f"{name} {_version(name)} – {what} ({terms})" for name, terms, what in _PARTS))
        listing.setProperty("kind", "muted")
        listing.setWordWrap(True)
        listing.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        rows.addWidget(listing)
        inside = QWidget()
        inside.setObjectName("scrolled")
        centred = QVBoxLayout(inside)
        centred.setContentsMargins(UNIT * 2, UNIT * 2, UNIT * 2, UNIT * 2)
        centred.addWidget(card)
        centred.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(inside)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
