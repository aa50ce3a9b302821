"""Help inside the window: Markdown pages of `resources/help`."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QLocale, QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QTextBrowser, QVBoxLayout, QWidget

from confvm_gui.resource_files import resources_dir
from confvm_gui.ui.theme import UNIT, theme_controller

_ROW_HEIGHT = 32
ORDER = (
    "getting-started",
    "wizard",
    "fleet",
    "memory",
    "exposure",
    "attestation",
    "hosts",
    "console",
    "events",
    "data-and-keys",
    "guardrails",
    "access",
    "real-and-emulated",
    "keyboard",
    "troubleshooting",
)
"""Names of the pages as they are listed; others come after them."""


def help_dir() -> Path:
    """The pages in the language of the window where they are there, else in English."""
    root = resources_dir() / "help"
    local = root / QLocale().name().partition("_")[0]
    return local if local.is_dir() else root


def help_pages(folder: Path) -> list[Path]:
    """All pages of a language, in reading order."""
    place = {name: at for at, name in enumerate(ORDER)}
    return sorted(folder.glob("*.md"), key=lambda page: (place.get(page.stem, len(ORDER)), page.stem))


def page_title(page: Path) -> str:
    """The first heading of a page."""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            return line.removeprefix("# ").strip()
    return page.stem


class HelpPanel(QWidget):
    """A list of pages and the page; links between pages work, links to the web go to the browser."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("help-panel")
        self._folder = help_dir()
        self.pages = QListWidget()
        self.pages.setObjectName("help-pages")
        self.pages.setAccessibleName(self.tr("Help pages"))
        self.pages.setFixedWidth(220)
        for page in help_pages(self._folder):
            item = QListWidgetItem(page_title(page))
            item.setSizeHint(QSize(0, _ROW_HEIGHT))
            item.setData(Qt.ItemDataRole.UserRole, page.name)
            self.pages.addItem(item)
        self.browser = QTextBrowser()
        self.browser.setObjectName("help-page")
        self.browser.setAccessibleName(self.tr("Help page"))
        self.browser.setOpenLinks(False)
        self.browser.document().setDocumentMargin(UNIT * 2)
        self.browser.anchorClicked.connect(self._follow)
        row = QHBoxLayout()
        row.setSpacing(UNIT * 2)
        row.addWidget(self.pages)
        row.addWidget(self.browser, 1)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(UNIT * 2, UNIT * 2, UNIT * 2, UNIT * 2)
        rows.addLayout(row)
        self.pages.currentItemChanged.connect(lambda item, _before: self._show(item))
        theme_controller().changed.connect(self._show_again)
        self.pages.setCurrentRow(0)

    def show_page(self, name: str) -> None:
        """Show the page with this file name; an unknown one changes nothing."""
        for row in range(self.pages.count()):
            if self.pages.item(row).data(Qt.ItemDataRole.UserRole) == name:
                self.pages.setCurrentRow(row)

    def _show(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.browser.setMarkdown(
                (self._folder / str(item.data(Qt.ItemDataRole.UserRole))).read_text(encoding="utf-8")
            )

    def _show_again(self) -> None:
        self._show(self.pages.currentItem())

    def _follow(self, url: QUrl) -> None:
        if url.scheme() in ("http", "https"):
            QDesktopServices.openUrl(url)
        else:
            self.show_page(url.fileName())
