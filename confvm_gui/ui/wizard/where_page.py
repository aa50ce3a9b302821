"""Where: the name, who runs it, whose launch it is, the region on a list and a map, the zone."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.catalog.fit import region_unfit
from confvm_gui.domain.catalogue import Region, Technology
from confvm_gui.domain.errors import NotFound
from confvm_gui.ui.widgets.accessible_role import register_role
from confvm_gui.ui.wizard.choices import Badge, Choice, ChoiceModel, choice_view
from confvm_gui.ui.wizard.draft import Draft, Step
from confvm_gui.ui.wizard.host_card import HostCard
from confvm_gui.ui.wizard.looks import SPACING, Card, FieldError, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import (
    Debounce,
    WizardPage,
    column,
    field_label,
    search_field,
    short_technology,
    technology_tone,
)
from confvm_gui.ui.wizard.region_map import MapPoint, RegionMap

register_role(RegionMap, QAccessible.Role.Graphic)


class WherePage(WizardPage):
    step = Step.WHERE

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(draft, parent)
        self._quiet = False
        layout = column(self, spacing=SPACING + 4)
        layout.addLayout(self._build_fields())
        self._regions = QWidget(self)
        both = QHBoxLayout(self._regions)
        both.setContentsMargins(0, 0, 0, 0)
        both.setSpacing(SPACING * 2)
        both.addWidget(self._build_list(), 10)
        both.addWidget(self._build_map(), 19)
        layout.addWidget(self._regions, 1)
        self._host = HostCard(self)
        layout.addWidget(self._host)
        self._below_host = QWidget(self)
        layout.addWidget(self._below_host, 1)
        self._shown_for: tuple[object, ...] = ()

    def title(self) -> str:
        return self.tr("Where")

    def subtitle(self) -> str:
        if self.draft.on_host:
            return self.tr("Name the instance, and say which host runs it.")
        return self.tr("Name the instance, and say who runs it and in which region.")

    def first_field(self) -> QWidget:
        return self._name

    def _build_fields(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACING * 2)
        grid.setVerticalSpacing(4)
        self._name = QLineEdit(self)
        self._name.setObjectName("wizard.name")
        self._name.setMaxLength(128)
        self._name.textEdited.connect(self.draft.choose_name)
        self._provider = QComboBox(self)
        self._provider.setObjectName("wizard.provider")
        self._cloud = QComboBox(self)
        self._cloud.setObjectName("wizard.cloud")
        for combo in (self._provider, self._cloud):
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            combo.setMinimumContentsLength(12)
        for name, provider in self.draft.session.providers.items():
            self._provider.addItem(provider.title, name)
        self._provider.activated.connect(lambda _row: self.draft.choose_provider(str(self._provider.currentData())))
        self._cloud.activated.connect(lambda _row: self.draft.choose_cloud(str(self._cloud.currentData())))
        fields = (
            (self.tr("&Name"), self._name),
            (self.tr("&Runs on"), self._provider),
            (self.tr("As if on the &cloud"), self._cloud),
        )
        for number, (text, field) in enumerate(fields):
            label = field_label(text, field, self)
            if field is self._cloud:
                self._cloud_label = label
            grid.addWidget(label, 0, number)
            grid.addWidget(field, 1, number)
            grid.setColumnStretch(number, 3 if number == 1 else 2)
        self._name_error = FieldError(self)
        self._name_error.setObjectName("wizard.nameError")
        self._name_error.setWordWrap(False)
        self._suggestion = QPushButton(self)
        self._suggestion.setObjectName("wizard.useSuggestion")
        self._suggestion.setProperty("kind", "link")
        self._suggestion.setAutoDefault(False)
        self._suggestion.clicked.connect(lambda: self.draft.choose_name(self.draft.suggested_name()))
        self._suggestion.hide()
        row = QHBoxLayout()
        row.addWidget(self._name_error)
        row.addWidget(self._suggestion)
        row.addStretch(1)
        grid.addLayout(row, 2, 0, 1, 3)
        self._provider_note = ToneLabel("", Tone.MUTED, self)
        self._provider_note.setObjectName("wizard.providerNote")
        grid.addWidget(self._provider_note, 3, 1, 1, 2, Qt.AlignmentFlag.AlignTop)
        return grid

    def _build_list(self) -> QWidget:
        side = QWidget(self)
        layout = column(side)
        self._search = search_field("wizard.regionSearch", self.tr("Search regions"), side)
        self._model = ChoiceModel(self)
        self._view = choice_view(self._model, side)
        self._view.setObjectName("wizard.region")
        self._view.setAccessibleName(self.tr("Regions"))
        self._view.selectionModel().currentChanged.connect(self._on_current)
        Debounce(self._search).timer.timeout.connect(self._on_search)
        self._count = ToneLabel("", Tone.MUTED, side)
        layout.addWidget(self._search)
        layout.addWidget(self._view, 1)
        layout.addWidget(self._count)
        side.setMinimumWidth(264)
        return side

    def _build_map(self) -> QWidget:
        side = QWidget(self)
        layout = column(side)
        self._map = RegionMap(side)
        self._map.setObjectName("wizard.map")
        self._map.picked.connect(self._on_picked)
        layout.addWidget(self._map, 8)
        legend = QHBoxLayout()
        legend.addWidget(ToneLabel(self.tr("●  confidential   ○  plain only"), Tone.MUTED, side), 1)
        self._map_hint = ToneLabel(self.tr("Scroll to zoom, drag to move"), Tone.MUTED, side)
        self._map_hint.setAlignment(Qt.AlignmentFlag.AlignRight)
        legend.addWidget(self._map_hint, 1)
        layout.addLayout(legend)
        card = Card(side)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(12, 10, 12, 10)
        inside.setSpacing(6)
        top = QHBoxLayout()
        self._region_title = heading("", card, 1.08)
        self._region_title.setWordWrap(True)
        self._zone = QComboBox(card)
        self._zone.setObjectName("wizard.zone")
        self._zone.setMinimumContentsLength(28)
        self._zone.activated.connect(lambda _row: self.draft.choose_zone(str(self._zone.currentData())))
        top.addWidget(self._region_title, 1)
        top.addWidget(field_label(self.tr("&Zone"), self._zone, card))
        top.addWidget(self._zone)
        inside.addLayout(top)
        self._offers = ToneLabel("", Tone.MUTED, card)
        self._offers.setObjectName("wizard.regionOffers")
        inside.addWidget(self._offers)
        self._region_error = Note("", Tone.BAD, card)
        self._region_error.setObjectName("wizard.regionError")
        self._region_error.hide()
        inside.addWidget(self._region_error)
        layout.addWidget(card)
        layout.addStretch(1)
        return side

    def refresh(self) -> None:
        draft = self.draft
        request = draft.request
        if self._name.text() != request.name:
            self._name.setText(request.name)
        name_problem = draft.field_problem("name")
        self._name_error.show_problem(name_problem)
        suggestion = draft.suggested_name() if name_problem and request.name else ""
        offer = bool(suggestion) and suggestion in name_problem
        self._suggestion.setText(self.tr("Use {0}").format(suggestion))
        self._suggestion.setVisible(offer)
        self._provider.setCurrentIndex(self._provider.findData(request.provider))
        clouds = list(draft.clouds())
        if [self._cloud.itemData(row) for row in range(self._cloud.count())] != clouds:
            self._cloud.clear()
            for cloud in clouds:
                self._cloud.addItem(draft.catalog.cloud_title(cloud), cloud)
        self._cloud.setEnabled(len(clouds) > 1)
        self._cloud.setCurrentIndex(self._cloud.findData(request.cloud))
        self._regions.setVisible(not draft.on_host)
        self._cloud.setVisible(len(clouds) > 1)
        self._cloud_label.setVisible(len(clouds) > 1)
        for part in (self._host, self._below_host):
            part.setVisible(draft.on_host)
        provider = draft.provider
        problem = draft.field_problem("provider", "cloud")
        if problem or provider is None:
            self._provider_note.set_tone(Tone.BAD)
            self._provider_note.setText(problem or self.tr("This provider is not connected."))
        elif provider.emulated:
            self._provider_note.set_tone(Tone.MUTED)
            self._provider_note.setText(
                self.tr("A rehearsal on this computer: everything of {0} can be chosen, nothing is sent there.").format(
                    draft.catalog.cloud_title(request.cloud)
                )
            )
        elif draft.on_host:
            self._provider_note.set_tone(Tone.MUTED)
            self._provider_note.setText(
                self.tr("A real virtual machine on this host. Hosts are added on the page Hosts.")
            )
        else:
            self._provider_note.set_tone(Tone.MUTED)
            self._provider_note.setText(
                self.tr("A real instance in {0}, which costs money while it exists.").format(
                    draft.catalog.cloud_title(request.cloud)
                )
            )
        if draft.on_host:
            self._host.show_host(draft)
            return
        count = len(draft.catalog.regions(request.cloud))
        shown_for = (request.cloud, request.provider, request.technology, count)
        if shown_for != self._shown_for:
            self._shown_for = shown_for
            self._fill_regions()
        self._show_region()

    def _fill_regions(self) -> None:
        draft = self.draft
        choices: list[Choice] = []
        points: list[MapPoint] = []
        for region in draft.catalog.regions(draft.request.cloud):
            reason = draft.reason_for(partial(region_unfit, region))
            badges = [Badge(short_technology(item), technology_tone(item)) for item, _ in region.zones_by_technology]
            if region.launch_set:
                badges.insert(0, Badge(self.tr("launch 2020"), Tone.WARNING))
            choices.append(Choice(region.name, region.name, region.title, tuple(badges), reason))
            points.append(MapPoint(region.name, region.title, region.latitude, region.longitude, not reason, reason))
        self._quiet = True
        self._model.set_choices(choices)
        self._quiet = False
        self._map.set_points(points)

    def _show_region(self) -> None:
        draft = self.draft
        request = draft.request
        index = self._model.index_of(request.region)
        if index.isValid() and index != self._view.currentIndex():
            self._quiet = True
            self._view.setCurrentIndex(index)
            self._quiet = False
        if index.isValid():
            self._view.scrollTo(index)
        self._map.select(request.region)
        self._count.setText(self.tr("{0} of {1} regions").format(self._model.rowCount(), self._model.total()))
        try:
            region = draft.catalog.region(request.cloud, request.region)
        except NotFound as error:
            self._region_error.show_text(str(error), Tone.BAD)
            return
        self._region_title.setText(region.title)
        if [self._zone.itemData(row) for row in range(self._zone.count())] != list(region.zones):
            self._zone.clear()
            for zone in region.zones:
                self._zone.addItem(zone, zone)
        for row, zone in enumerate(region.zones):
            offered = [short_technology(item) for item, zones in region.zones_by_technology if zone in zones]
            text = f"{zone}  ({', '.join(offered)})" if offered else zone
            if self._zone.itemText(row) != text:
                self._zone.setItemText(row, text)
        self._zone.setCurrentIndex(self._zone.findData(request.zone))
        self._offers.setText(self._offers_text(region))
        self._region_error.show_text(draft.field_problem("region", "zone"), Tone.BAD)

    def _offers_text(self, region: Region) -> str:
        parts = []
        for technology in Technology:
            zones = region.technology_zones(technology) if technology is not Technology.NONE else ()
            if zones:
                where = self.tr("all zones") if set(zones) == set(region.zones) else ", ".join(zones)
                parts.append(f"{technology.title}: {where}")
        if not parts:
            return self.tr("No confidential technology is offered here; plain VMs only.")
        return "\n".join(parts)

    def _on_current(self, current: QModelIndex, _previous: QModelIndex) -> None:
        choice = self._model.choice(current)
        if choice is not None and not self._quiet:
            self.draft.choose_region(choice.key)

    def _on_picked(self, key: str) -> None:
        if not self._model.index_of(key).isValid():
            self._search.clear()
            self._on_search()
        self.draft.choose_region(key)

    def _on_search(self) -> None:
        self._quiet = True
        self._model.set_filter(self._search.text())
        self._quiet = False
        self._show_region()
