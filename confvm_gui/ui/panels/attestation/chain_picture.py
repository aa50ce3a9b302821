"""The chain of trust as a picture: a box for each link, joined by arrows that hold or fail.

Boxes are widgets: Tab and the arrow keys go from one to the next, and a screen reader reads each. What is too long
for a box stands below the picture for the box that has the focus.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QColor,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from confvm_gui.domain.attestation import TrustLink
from confvm_gui.ui.icons import role_pixmap
from confvm_gui.ui.panels.attestation.chain_layout import BOX_HEIGHT, BOX_WIDTH, ChainLayout, arrange
from confvm_gui.ui.text import translate
from confvm_gui.ui.theme import UNIT, current_theme, interface_font, monospace_font, theme_controller
from confvm_gui.ui.widgets.accessible_role import register_role

_FORWARD = (Qt.Key.Key_Right, Qt.Key.Key_Down)
_BACK = (Qt.Key.Key_Left, Qt.Key.Key_Up)


def link_state(link: TrustLink) -> str:
    """`verified`, `pinned root`, `failed` … in words."""
    root = link.issuer == link.name
    if link.verified:
        if root and link.emulated:
            return translate("ChainPicture", "Root")
        return translate("ChainPicture", "Pinned root") if root else translate("ChainPicture", "Verified")
    if root:
        return translate("ChainPicture", "Root not trusted")
    return translate("ChainPicture", "Fails") if link.issuer else translate("ChainPicture", "Nobody vouches")


def validity(link: TrustLink) -> str:
    """`2020-10-22 – 2045-10-22`, "" for what has no certificate."""
    if link.not_before is None or link.not_after is None:
        return ""
    return f"{link.not_before:%Y-%m-%d} – {link.not_after:%Y-%m-%d}"


def describe(link: TrustLink) -> str:
    """One sentence about a link, for a screen reader and the line below the picture."""
    if link.issuer == link.name:
        who = translate("ChainPicture", "{name}: {state}")
    elif link.issuer:
        who = translate("ChainPicture", "{name}, vouched for by {issuer}: {state}")
    else:
        who = translate("ChainPicture", "{name}, vouched for by nobody: {state}")
    parts = [who.format(name=link.name, issuer=link.issuer, state=link_state(link))]
    if validity(link):
        parts.append(translate("ChainPicture", "valid {dates}").format(dates=validity(link)))
    if link.emulated:
        parts.append(translate("ChainPicture", "emulated: proves nothing about hardware"))
    return "; ".join(parts)


class ChainBox(QWidget):
    """One link."""

    focused = Signal()
    step = Signal(int)

    def __init__(self, link: TrustLink, emulated: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self.link = link
        self._emulated = emulated
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(describe(link))
        self.setAccessibleDescription(
            translate("ChainPicture", "SHA-256 {fingerprint}").format(fingerprint=link.fingerprint)
            if link.fingerprint
            else ""
        )
        self.setToolTip(f"{describe(link)}\n{link.fingerprint}".strip())

    def sizeHint(self) -> QSize:
        return QSize(BOX_WIDTH, BOX_HEIGHT)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn:
            self.focused.emit()
            self.update()
        elif event.type() == QEvent.Type.FocusOut:
            self.update()
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _FORWARD:
            self.step.emit(1)
        elif event.key() in _BACK:
            self.step.emit(-1)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        link = self.link
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        role = ("warning" if link.emulated else "success") if link.verified else "danger"
        frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setBrush(theme.color("surface"))
        focus = self.hasFocus()
        edge = theme.color("accent") if focus else theme.color("border") if link.verified else theme.color("danger")
        style = Qt.PenStyle.SolidLine if link.verified or focus else Qt.PenStyle.DashLine
        painter.setPen(QPen(edge, 2 if focus or not link.verified else 1, style))
        painter.drawRoundedRect(frame, 8, 8)
        painter.setPen(Qt.PenStyle.NoPen)
        stripe = QPainterPath()
        stripe.addRoundedRect(QRectF(frame.left() + 1, frame.top() + 8, 4, frame.height() - 16), 2, 2)
        painter.fillPath(stripe, theme.color(role))
        inner = self.rect().adjusted(UNIT * 2, UNIT + 1, -UNIT - 2, -UNIT)
        bold = QFont(interface_font())
        bold.setWeight(QFont.Weight.DemiBold)
        icon = ("ok" if link.verified else "error", role)
        painter.drawPixmap(inner.left(), inner.top() + 1, role_pixmap(*icon, 16, self.devicePixelRatioF()))
        line = QFontMetrics(bold).height()
        name = inner.adjusted(22, 0, 0, 0)
        name.setHeight(line)
        self._text(painter, bold, "text", name, link.name)
        second = inner.translated(0, line + 3)
        second.setHeight(line)
        if self._emulated:
            second.setRight(second.right() - self._badge(painter, second))
        self._text(painter, interface_font(), role, second, link_state(link))
        third = second.translated(0, line + 1)
        third.setRight(inner.right())
        self._text(painter, interface_font(), "muted", third, validity(link) or translate("ChainPicture", "Evidence"))
        small = monospace_font()
        small.setPointSizeF(small.pointSizeF() * 0.86)
        self._text(painter, small, "muted", third.translated(0, line), link.fingerprint, Qt.TextElideMode.ElideMiddle)
        painter.end()

    def _badge(self, painter: QPainter, row: QRect) -> int:
        """Draw EMULATED at the right end of a row; its width."""
        theme = current_theme()
        font = QFont(interface_font())
        font.setPointSizeF(font.pointSizeF() * 0.8)
        font.setWeight(QFont.Weight.Bold)
        words = translate("ChainPicture", "EMULATED")
        width = QFontMetrics(font).horizontalAdvance(words) + 12
        box = QRect(row.right() - width, row.top(), width, row.height())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("warning_soft"))
        painter.drawRoundedRect(box, 6, 6)
        painter.setFont(font)
        painter.setPen(theme.color("warning"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
        return width + 6

    @staticmethod
    def _text(
        painter: QPainter,
        font: QFont,
        role: str,
        room: QRect,
        text: str,
        elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        painter.setFont(font)
        painter.setPen(current_theme().color(role))
        shown = QFontMetrics(font).elidedText(text, elide, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)


class _Canvas(QWidget):
    """Boxes at their places, arrows between them."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("chain-canvas")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.boxes: list[ChainBox] = []
        self._links: Sequence[TrustLink] = ()
        self._layout: ChainLayout | None = None
        theme_controller().changed.connect(self.update)

    def show_links(self, links: Sequence[TrustLink], emulated: bool) -> None:
        for box in self.boxes:
            box.hide()
            box.deleteLater()
        self._links = links
        self.boxes = [ChainBox(link, emulated, self) for link in links]
        self._arrange()
        for box in self.boxes:
            box.show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._arrange()

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 0)

    def _arrange(self) -> None:
        layout = self._layout = arrange(self._links, max(160, self.width()))
        for box, place in zip(self.boxes, layout.boxes, strict=True):
            box.setGeometry(place)
        if self.height() != layout.height:
            self.setFixedHeight(layout.height)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._layout is None:
            return
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for at, parent in enumerate(self._layout.parents):
            if parent is None:
                continue
            link = self._links[at]
            color = theme.color(("warning" if link.emulated else "success") if link.verified else "danger")
            style = Qt.PenStyle.SolidLine if link.verified else Qt.PenStyle.DashLine
            painter.setPen(QPen(color, 2, style, Qt.PenCapStyle.FlatCap))
            self._arrow(painter, self._layout.boxes[parent], self._layout.boxes[at], color, link.verified)
        painter.end()

    def _arrow(self, painter: QPainter, source: QRect, target: QRect, color: QColor, holds: bool) -> None:
        vertical = self._layout is not None and self._layout.vertical
        if vertical:
            begin = QPointF(source.left() + 14, source.bottom())
            end = QPointF(target.left(), target.center().y())
            bend = QPointF(begin.x(), end.y())
            points = [begin, bend, end]
            middle = QPointF(begin.x(), (begin.y() + end.y()) / 2)
        else:
            begin = QPointF(source.right(), source.center().y())
            end = QPointF(target.left(), target.center().y())
            half = (begin.x() + end.x()) / 2
            points = [begin, QPointF(half, begin.y()), QPointF(half, end.y()), end]
            middle = QPointF(half - 3, (begin.y() + end.y()) / 2)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(points))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        head = [QPointF(0, 0), QPointF(-8, -5), QPointF(-8, 5)]
        painter.drawPolygon(QPolygonF([end + point for point in head]))
        if not holds:
            # A cross on the line: the break is seen without its colour.
            painter.setPen(QPen(color, 2.4))
            for x in (-5.0, 5.0):
                painter.drawLine(middle + QPointF(-x, -5), middle + QPointF(x, 5))


class ChainPicture(QWidget):
    """The picture, and below it all about the link in focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("chain-picture")
        self.canvas = _Canvas()
        self.detail = QLabel()
        self.detail.setObjectName("chain-detail")
        self.detail.setProperty("kind", "muted")
        self.detail.setWordWrap(True)
        self.detail.setTextFormat(Qt.TextFormat.PlainText)
        self.detail.setMinimumWidth(120)
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(UNIT)
        rows.addWidget(self.canvas)
        rows.addWidget(self.detail)

    @property
    def boxes(self) -> list[ChainBox]:
        return self.canvas.boxes

    def show_links(self, links: Sequence[TrustLink]) -> None:
        """Draw a verdict's links."""
        emulated = any(link.emulated for link in links)
        self.canvas.show_links(links, emulated)
        for at, box in enumerate(self.canvas.boxes):
            box.focused.connect(partial(self._show_detail, box.link))
            box.step.connect(partial(self._step, at))
        broken = next((link for link in links if not link.verified), None)
        whole = self.tr("Chain of trust: {count} links, {state}").format(
            count=len(links),
            state=self.tr("all verified") if broken is None else self.tr("broken at {name}").format(name=broken.name),
        )
        self.canvas.setAccessibleName(whole)
        hint = self.tr("Select a box to see its whole fingerprint.") if links else ""
        self.detail.setText(hint if links else self.tr("This evidence has no chain: nobody vouches for it."))

    def _step(self, at: int, by: int) -> None:
        boxes = self.canvas.boxes
        boxes[(at + by) % len(boxes)].setFocus(Qt.FocusReason.TabFocusReason)

    def _show_detail(self, link: TrustLink) -> None:
        text = describe(link)
        if link.fingerprint:
            pairs = " ".join(link.fingerprint[at : at + 8] for at in range(0, len(link.fingerprint), 8))
            text += "\n" + self.tr("SHA-256 of the certificate: {fingerprint}").format(fingerprint=pairs)
        self.detail.setText(text)


register_role(ChainBox, QAccessible.Role.ListItem)
register_role(_Canvas, QAccessible.Role.List)
