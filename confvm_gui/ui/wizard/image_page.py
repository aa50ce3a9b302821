"""Image: what fits first, then the rest with the reason."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QModelIndex
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from confvm_gui.catalog.fit import image_unfit
from confvm_gui.domain.catalogue import Image, Technology
from confvm_gui.domain.errors import NotFound
from confvm_gui.domain.images import LIBRARY_PREFIX, ImageState, LibraryImage
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.wizard.choices import Badge, Choice, ChoiceModel, choice_view
from confvm_gui.ui.wizard.draft import Draft, Step
from confvm_gui.ui.wizard.library_bar import LibraryBar
from confvm_gui.ui.wizard.looks import Card, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import (
    Debounce,
    WizardPage,
    column,
    search_field,
    short_technology,
    technology_tone,
)


class ImagePage(WizardPage):
    step = Step.IMAGE

    def __init__(self, draft: Draft, tasks: TaskKeeper, parent: QWidget | None = None) -> None:
        super().__init__(draft, parent)
        self._subscriptions = Subscriptions()
        self._quiet = False
        self._shown_for: tuple[object, ...] = ()
        layout = column(self)
        bar = QHBoxLayout()
        self._search = search_field("wizard.imageSearch", self.tr("Search images"), self)
        Debounce(self._search).timer.timeout.connect(self._filter)
        self._count = ToneLabel("", Tone.MUTED, self)
        self._count.setWordWrap(False)
        bar.addWidget(self._search, 1)
        bar.addWidget(self._count)
        layout.addLayout(bar)
        self._model = ChoiceModel(self)
        self._view = choice_view(self._model, self)
        self._view.setObjectName("wizard.image")
        self._view.setAccessibleName(self.tr("Images"))
        self._view.selectionModel().currentChanged.connect(self._on_current)
        layout.addWidget(self._view, 1)
        card = Card(self)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(12, 10, 12, 10)
        inside.setSpacing(5)
        self._detail_title = heading("", card, 1.08)
        self._detail = ToneLabel("", Tone.MUTED, card)
        self._detail.setObjectName("wizard.imageDetail")
        self._error = Note("", Tone.BAD, card)
        self._error.setObjectName("wizard.imageError")
        self._error.hide()
        self._place = Note("", Tone.MUTED, card)
        self._place.hide()
        for widget in (self._detail_title, self._detail, self._error, self._place):
            inside.addWidget(widget)
        self._bar: LibraryBar | None = None
        if draft.session.images is not None:
            self._bar = LibraryBar(draft.session.images, tasks, card)
            self._bar.added.connect(draft.choose_image)
            inside.addWidget(self._bar)
            self._subscriptions.add(draft.session.images, self._library_changed)
            self.destroyed.connect(self._subscriptions.clear)
        layout.addWidget(card)

    def close_subscriptions(self) -> None:
        """Stop listening to the library."""
        self._subscriptions.clear()

    def _library_changed(self, _image: LibraryImage) -> None:
        self._shown_for = ()
        self.draft.changed.emit()

    def title(self) -> str:
        return self.tr("Image")

    def subtitle(self) -> str:
        return self.tr("Choose the operating system. What can be confidential comes first.")

    def first_field(self) -> QWidget:
        return self._view

    def refresh(self) -> None:
        draft = self.draft
        request = draft.request
        shown_for = (request.cloud, request.provider, request.technology)
        if shown_for != self._shown_for:
            self._shown_for = shown_for
            self._quiet = True
            choices = [self._choice(image) for image in draft.catalog.images(request.cloud)]
            self._model.set_choices([*self._own_choices(), *choices])
            self._quiet = False
        self._mark_current()
        if self._bar is not None:
            self._bar.setVisible(draft.on_host or draft.boots_kernels_only)
            if draft.boots_kernels_only:
                self._bar.show_kernels_only(draft.library_image())
        if draft.own_image:
            self._show_own()
            return
        try:
            image = draft.catalog.image(request.cloud, request.image)
        except NotFound as error:
            self._detail_title.setText(request.image)
            self._detail.setText("")
            self._error.show_text(str(error), Tone.BAD)
            return
        self._detail_title.setText(image.title)
        self._detail.setText(self._detail_text(image))
        if self._bar is not None and draft.on_host:
            self._bar.show_image(image, draft.library_image())
        problem = draft.field_problem("image")
        reason = draft.reason_for(partial(image_unfit, image))
        if problem:
            self._error.show_text(problem, Tone.BAD)
        elif reason:
            self._error.show_text(self.tr("Plain only. {0}").format(reason), Tone.WARNING)
        else:
            self._error.show_text("")
        provider = draft.provider
        rehearsed = provider is not None and provider.emulated
        self._place.show_text(
            self.tr("In the embedded engine the built-in records guest runs in place of {0}.").format(image.title)
            if rehearsed
            else ""
        )

    def _show_own(self) -> None:
        known = self.draft.library_image()
        self._detail_title.setText(known.title if known is not None else self.draft.request.image)
        self._detail.setText(f"{known.kind.value}  ·  {known.source}" if known is not None else "")
        self._error.show_text(self.draft.field_problem("image"), Tone.BAD)
        self._place.show_text("")
        if self._bar is not None and self.draft.on_host:
            self._bar.show_image(None, known)

    def _own_choices(self) -> list[Choice]:
        """Images of the library that are not of the catalogue."""
        draft = self.draft
        listed = {image.name for image in draft.catalog.images(draft.request.cloud)}
        return [
            Choice(
                LIBRARY_PREFIX + image.id,
                image.title or image.id,
                f"{image.kind.value}  ·  {image.id}",
                (Badge(self.tr("mine"), Tone.GOOD),),
            )
            for image in draft.library_images()
            if image.id not in listed
        ]

    def _choice(self, image: Image) -> Choice:
        reason = self.draft.reason_for(partial(image_unfit, image))
        badges = [
            Badge(short_technology(item), technology_tone(item)) for item in Technology if item in image.technologies
        ]
        if image.launch_set:
            badges.insert(0, Badge(self.tr("launch 2020"), Tone.WARNING))
        known = {one.id: one for one in self.draft.library_images()} if self.draft.on_host else {}
        if image.name in known and known[image.name].state is ImageState.READY:
            badges.insert(0, Badge(self.tr("downloaded"), Tone.GOOD))
        parts = [image.name, image.project]
        if image.kernel:
            parts.append(self.tr("kernel {0}").format(image.kernel))
        if image.end_of_support:
            parts.append(self.tr("supported until {0}").format(image.end_of_support))
        return Choice(image.name, image.title, "  ·  ".join(part for part in parts if part), tuple(badges), reason)

    def _detail_text(self, image: Image) -> str:
        lines = []
        offered = self.tr("Project {0}").format(image.project) if image.project else ""
        family = self.tr("family {0}").format(image.family) if image.family else ""
        kernel = self.tr("kernel {0}").format(image.kernel) if image.kernel else ""
        needs = self.tr("needs kernel {0} or later").format(image.minimum_kernel) if image.minimum_kernel else ""
        lines.append("   ·   ".join(part for part in (offered, family, kernel, needs) if part))
        if image.features:
            lines.append(", ".join(sorted(image.features)))
        return "\n".join(line for line in lines if line)

    def _mark_current(self) -> None:
        self._count.setText(self.tr("{0} of {1} images").format(self._model.rowCount(), self._model.total()))
        index = self._model.index_of(self.draft.request.image)
        if not index.isValid():
            return
        if index != self._view.currentIndex():
            self._quiet = True
            self._view.setCurrentIndex(index)
            self._quiet = False
        self._view.scrollTo(index)

    def _filter(self) -> None:
        self._quiet = True
        self._model.set_filter(self._search.text())
        self._quiet = False
        self._mark_current()

    def _on_current(self, current: QModelIndex, _previous: QModelIndex) -> None:
        choice = self._model.choice(current)
        if choice is not None and not self._quiet:
            self.draft.choose_image(choice.key)
