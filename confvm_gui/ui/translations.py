"""The language of the window: chosen before it is made, from `resources/i18n`.

English is what the code says; its file only has the plural forms. Files are made by `packaging/translate`.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLocale, QTranslator

from confvm_gui.resource_files import resources_dir

LANGUAGES = ("en", "fr")
_OURS = "confvm"


def wanted_language(choice: str) -> str:
    """`en` or `fr` for a setting (`system`, `en`, `fr`; anything else counts as `system`)."""
    if choice in LANGUAGES:
        return choice
    for name in QLocale.system().uiLanguages():
        language = name.partition("-")[0].partition("_")[0].lower()
        if language in LANGUAGES:
            return language
    return "en"


def use_language(choice: str) -> None:
    """`install_language` unless it was done already."""
    application = QCoreApplication.instance()
    if application is not None and application.findChild(QTranslator, _OURS) is None:
        install_language(application, choice)


def install_language(application: QCoreApplication, choice: str) -> str:
    """Translate everything that is shown from now on; returns the language in use.

    Call it once, before the first window: words are looked up when widgets are made. A missing file leaves English.
    """
    language = wanted_language(choice)
    QLocale.setDefault(QLocale(QLocale.Language.French if language == "fr" else QLocale.Language.English))
    translator = QTranslator(application)
    translator.setObjectName(_OURS)
    if translator.load(str(resources_dir() / "i18n" / f"confvm_{language}.qm")):
        application.installTranslator(translator)
    return language
