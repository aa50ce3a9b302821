"""French is complete, and the language of the window can be chosen."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QLocale, QTranslator
from PySide6.QtWidgets import QApplication

from confvm_gui.resource_files import resources_dir
from confvm_gui.ui.translations import install_language, wanted_language

_ROOT = Path(__file__).resolve().parents[2]
_HOLES = re.compile(r"\{[a-z0-9_]*\}|%n")


def test_nothing_is_missing_or_unfinished() -> None:
    done = subprocess.run(
        [sys.executable, str(_ROOT / "packaging" / "translate"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_translations_keep_the_holes_of_their_source() -> None:
    wrong = []
    for message in ET.parse(resources_dir() / "i18n" / "confvm_fr.ts").getroot().iter("message"):
        source = message.findtext("source", "")
        translation = message.find("translation")
        assert translation is not None
        forms = [form.text or "" for form in translation.findall("numerusform")] or [translation.text or ""]
        wrong += [text for text in forms if sorted(_HOLES.findall(text)) != sorted(_HOLES.findall(source))]
    assert not wrong


def test_help_is_there_in_both_languages() -> None:
    english = {page.name for page in (resources_dir() / "help").glob("*.md")}
    assert english
    assert english == {page.name for page in (resources_dir() / "help" / "fr").glob("*.md")}


@pytest.fixture
def _language_put_back(qapp: QApplication) -> object:
    before = QLocale()
    yield None
    for translator in qapp.findChildren(QTranslator):
        qapp.removeTranslator(translator)
        translator.deleteLater()
    QLocale.setDefault(before)


@pytest.mark.usefixtures("_language_put_back")
def test_the_window_speaks_the_chosen_language(qapp: QApplication) -> None:
    assert install_language(qapp, "fr") == "fr"
    assert QCoreApplication.translate("NavigationRail", "Settings") == "Réglages"
    assert QCoreApplication.translate("FleetPage", "%n instance(s)", "", 1) == "1 instance"
    assert QCoreApplication.translate("FleetPage", "%n instance(s)", "", 3) == "3 instances"


@pytest.mark.usefixtures("_language_put_back")
def test_english_has_its_plurals(qapp: QApplication) -> None:
    assert install_language(qapp, "en") == "en"
    assert QCoreApplication.translate("StatusLine", "%n job(s) under way", "", 1) == "1 job under way"
    assert QCoreApplication.translate("StatusLine", "%n job(s) under way", "", 2) == "2 jobs under way"


def test_an_unknown_choice_is_the_systems() -> None:
    assert wanted_language("klingon") == wanted_language("system")
    assert wanted_language("fr") == "fr"
