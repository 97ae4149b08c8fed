"""The canvas: a network as a graph, to look at and to work in. Here its parts meet.

How things are drawn is `scene`'s and its items' business; where the camera is, `camera`'s; what the mouse does,
`pointer`'s; what the keys do, `keys`'; what is folded, `fold_control`'s; what menus offer, `context_menu`'s.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsView, QMenu, QToolTip, QWidget

from explorer.architecture.folding import blocks_around
from explorer.canvas import blitting, breadcrumbs
from explorer.canvas.breadcrumbs import Breadcrumbs
from explorer.canvas.camera import Camera
from explorer.canvas.card import Detail, detail
from explorer.canvas.context_menu import ContextMenu
from explorer.canvas.editing import Editing
from explorer.canvas.fold_control import FoldControl
from explorer.canvas.folds import Folds
from explorer.canvas.hands import Hands
from explorer.canvas.keys import Keys
from explorer.canvas.layer_drop import LayerDrop
from explorer.canvas.maps_strip import Strip
from explorer.canvas.reading import Reading
from explorer.canvas.scene import GraphScene
from explorer.look.theme import GRID, LIGHT, Theme, ThemeSource
from explorer.runs import Atlas, Event, FeatureMapsCaptured, LayersMeasured, Look, WeightsCaptured
from explorer.session import Document, Selection, Snapshot
from explorer.session.layer_statistics import KnownStatistics, joined
from explorer.session.sources import Source

_SETTLE_MS = 100


class GraphView(QGraphicsView):
    """The layer graph.

    Signals:
        edit_requested(str): a node was double-clicked, or Enter pressed on it; its id.
        message(str): why something could not be done.
        wanted_changed(): other nodes than before are large enough on screen for a picture, or cards carry other
            pictures, or are coloured by what has to be measured, or no longer.
        zoom_changed(float): screen pixels a scene pixel.
    """

    edit_requested = Signal(str)
    message = Signal(str)
    wanted_changed = Signal()
    zoom_changed = Signal(float)

    def __init__(
        self, document: Document, selection: Selection, themes: ThemeSource, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._selection = selection
        self._themes = themes
        self._graph = GraphScene(themes.theme, self)
        self.setScene(self._graph)
        self._camera = Camera(self)
        self._folding = FoldControl(self, document, selection, self._graph, self._camera)
        self._editing = Editing(document, selection, self, self._whole)
        self._hands = Hands(self, document, selection, themes, self._graph, self._camera, self._folding, self._editing)
        self._pointer = self._hands.pointer
        self._keys = Keys(document, selection, self._graph, self._camera, self._editing, self._folding, self._hands)
        self._menus = ContextMenu(
            self, document, selection, themes, self._graph, self._editing, self._folding, self._hands
        )
        self._breadcrumbs = Breadcrumbs(self)
        self.reading = Reading(self, document, selection, themes, self._graph, self._camera)
        self._asked = Look()
        """What pictures needed last."""
        self._statistics: KnownStatistics | None = None
        self._measures = False
        """Whether statistics were asked for last."""
        self._drawn_zoom = 0.0
        """At which the viewport was painted last."""
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(_SETTLE_MS)
        self._settled.timeout.connect(self._settle)

        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.AnchorViewCenter)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.SmartViewportUpdate)
        self.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
        self.setAccessibleName(self.tr("Layer graph"))
        self.setMinimumSize(20 * GRID, 20 * GRID)
        self._show_theme(themes.theme)
        self._layer_drop = LayerDrop(
            self, self._graph, self._editing, document, selection, themes, self._hands.edge_scroll, self._hands.pinning
        )
        self._connect()
        if document.is_open:
            self._show_document(None, document.snapshot)
            self._graph.select(selection.ids)

    def _connect(self) -> None:
        self._document.changed.connect(self._show_document)
        self._document.previewed.connect(self._show_preview)
        # What hides a node opens first, so that there is an item to show as selected.
        self._selection.changed.connect(self._folding.follow_selection)
        self._selection.changed.connect(self._graph.select)
        self._themes.changed.connect(self._show_theme)
        self._graph.laid_out.connect(self._show_bounds)
        self._editing.refused.connect(self.message)
        self._editing.inserted.connect(self.reveal)
        self._pointer.edit_requested.connect(self.edit_requested)
        self._keys.edit_requested.connect(self.edit_requested)
        self._keys.zoom_requested.connect(lambda factor: self.zoom_by(factor or 1 / self.zoom))
        self._keys.reached.connect(self._show_item)
        self._folding.scope_changed.connect(self._show_scope)
        self._breadcrumbs.chosen.connect(self._folding.open_alone)
        self._camera.moved.connect(self._show_camera)
        self.reading.reached.connect(self._reach)
        self.reading.colouring.changed.connect(self._follow_colours)
        self.reading.pictures.changed.connect(self._follow_pictures)

    # For the window

    @property
    def zoom(self) -> float:
        """Screen pixels a scene pixel."""
        return self._camera.zoom

    @property
    def folds(self) -> Folds:
        """What is folded."""
        return self._graph.folds

    def strips(self) -> Mapping[str, Strip]:
        """The live pictures on the canvas as paper has them, by node id or path of the folded block that shows them."""
        return self.reading.pictures.strips(LIGHT)

    def end_work(self) -> None:
        """Before the end: no layout is being made any more."""
        self._graph.close()

    def fit(self, *, animated: bool = True) -> None:
        """Show the whole network."""
        self._camera.fit(animated=animated)

    def zoom_by(self, factor: float) -> None:
        """Zoom around the middle."""
        self._camera.zoom_at(self.viewport().rect().center(), factor)

    def reveal(self, node_id: str) -> None:
        """Bring a node into sight; a folded block that hides it opens, unless all of it is selected."""
        shown = self._graph.shown
        if shown is None or node_id not in self._document.architecture:
            return
        holder = shown.holders.get(node_id)
        whole = holder in shown.folded and set(self._selection.ids).issuperset(shown.folded[holder or ""])
        if not whole:
            self._folding.reveal(node_id)
        assert self._graph.shown is not None
        self._show_item(self._graph.shown.holders[node_id])

    def wanted(self) -> Look:
        """Pictures of the nodes that are large enough on screen, and the statistics that cards are coloured by."""
        pictures = self.reading.pictures.wanted(self.visible_keys())
        return dataclasses.replace(
            pictures, measures=pictures.measures or (self.isVisible() and self.reading.wants_statistics)
        )

    def show_observed(self, events: Sequence[Event], source: Source) -> None:
        """Show pictures on their nodes, other nodes keep theirs; and colour by statistics."""
        atlases: dict[str, Atlas] = {}
        for event in events:
            if isinstance(event, FeatureMapsCaptured):
                atlases.update(event.atlases)
            elif isinstance(event, WeightsCaptured):
                self.reading.pictures.show_weights(event, source)
            elif isinstance(event, LayersMeasured):
                self._statistics = joined(self._statistics, event, source.of_its_step(event.step))
                self.reading.show_statistics(self._statistics)
        if atlases:
            self.reading.pictures.show_maps(atlases, source)

    def clear_observed(self) -> None:
        """Show no pictures and no statistics."""
        self.reading.pictures.clear()
        self._statistics = None
        self.reading.show_statistics(None)

    def show_problem(self, text: str) -> None:
        """The panels say it; the cards only stay without maps."""

    def visible_keys(self) -> tuple[str, ...]:
        """The nodes and folded blocks that are on screen, large enough for a picture."""
        # Wherever cards draw pictures they are asked for: one drawn and not asked for would be of an old step for good.
        is_drawn = detail(self._camera.zoom) is not Detail.BLOCK
        if not self.isVisible() or not is_drawn or not self._document.is_open:
            return ()
        return tuple(self._pointer.keys_in(self.viewport().rect()))

    def to_image(self, scale: float) -> QImage:
        """The whole network as a picture of `scale` pixels a scene pixel, without selection, nothing dimmed."""
        rect = self._graph.itemsBoundingRect().adjusted(-GRID, -GRID, GRID, GRID)
        image = QImage(
            max(1, round(rect.width() * scale)), max(1, round(rect.height() * scale)), QImage.Format.Format_ARGB32
        )
        image.fill(self._themes.theme.canvas)
        self._folding.motion.finish()
        self._graph.select(())
        self.reading.show_light(False)
        painter = QPainter(image)
        painter.setRenderHints(self.renderHints())
        self._graph.render(painter, QRectF(image.rect()), rect)
        painter.end()
        self._graph.select(self._selection.ids)
        self.reading.show_light(True)
        return image

    # Following the document

    def _show_document(self, old: Snapshot | None, new: Snapshot) -> None:
        self._pointer.forget_preview()
        self._folding.motion.finish()
        scope = self._graph.folds.scope
        if old is None:
            self._pointer.reset()
        self._graph.apply(old, new)
        if self._graph.folds.scope != scope:
            self._show_scope(self._graph.folds.scope)
        if old is None:
            self._camera.open()
        self.reading.show_document(old, new)

    def _show_preview(self, preview: Snapshot | None) -> None:
        self._graph.show_preview(self._document.snapshot, preview)

    def _show_theme(self, theme: Theme) -> None:
        self.setBackgroundBrush(QColor(theme.canvas))
        self._graph.show_theme(theme)

    def _show_bounds(self) -> None:
        placement = self._graph.placement
        assert placement is not None
        self._camera.set_bounds(QRectF(*placement.bounds))

    def _show_camera(self) -> None:
        self._settled.start()
        self.zoom_changed.emit(self._camera.zoom)

    def _settle(self) -> None:
        keys = self.visible_keys()
        self.reading.pictures.follow(keys)
        self._ask_pictures(keys)

    def _follow_pictures(self) -> None:
        self._ask_pictures(self.visible_keys())

    def _ask_pictures(self, keys: tuple[str, ...]) -> None:
        wanted = self.reading.pictures.wanted(keys) if self._document.is_open else Look()
        if not wanted.same_as(self._asked):
            self._asked = wanted
            self.wanted_changed.emit()

    def _follow_colours(self) -> None:
        if self.reading.wants_statistics != self._measures:
            self._measures = not self._measures
            self.wanted_changed.emit()

    def _reach(self, node_id: str) -> None:
        """Select a node, which opens what hides it, and bring it into sight."""
        self._selection.set((node_id,))
        self.reveal(node_id)

    def _show_item(self, key: str) -> None:
        place = self._graph.place_of(key)
        if place is not None:
            self._camera.reveal(place)
            self._camera.uncover(place, self.reading.covers())

    def _show_scope(self, path: str) -> None:
        """Say above the canvas which block is open alone."""
        if path:
            architecture = self._document.architecture
            self._breadcrumbs.show_path(architecture.name, (*blocks_around(architecture, path), path))
        self._breadcrumbs.setVisible(bool(path))
        self.setViewportMargins(0, breadcrumbs.HEIGHT if path else 0, 0, 0)
        self._place_breadcrumbs()

    def _place_breadcrumbs(self) -> None:
        self._breadcrumbs.setGeometry(0, 0, self.width(), breadcrumbs.HEIGHT)
        self.reading.place()

    def _whole(self, node_id: str) -> tuple[str, ...]:
        """The nodes of the item that shows a node."""
        shown = self._graph.shown
        return (node_id,) if shown is None else self._graph.nodes_of(shown.holders.get(node_id, node_id))

    def tidy(self) -> None:
        """Let the layout place all again, also what was moved by hand."""
        self._hands.tidy()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        held = blitting.Held(self, QPoint(dx, dy))
        # At another zoom there is nothing that could be moved.
        if self._camera.zoom != self._drawn_zoom or not held.is_worth_it:
            super().scrollContentsBy(dx, dy)
            return
        with held:
            super().scrollContentsBy(dx, dy)

    def drawForeground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        self._drawn_zoom = self._camera.zoom
        self._hands.paint(painter)

    # Events

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pointer.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pointer.release()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._pointer.double_click(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._pointer.leave()
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.accept()
        if self._document.is_open:
            self._pointer.wheel.turn(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            spot = self._pointer.spot(event.pos())
            # On an arrow the preview speaks, which a tip would cover.
            story = "" if spot.arrow is not None else self.reading.tool_tip(event.pos(), spot.key)
            QToolTip.showText(event.globalPos(), story, self.viewport())
            return True
        if isinstance(event, QNativeGestureEvent):
            self._pointer.wheel.pinch(event)
            return True
        return super().viewportEvent(event)

    def event(self, event: QEvent) -> bool:
        """Escape is the canvas's own, before the window's shortcut, while there is something to take back."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.key() == Qt.Key.Key_Escape
            and (self._keys.wants_escape() or self.reading.wants_escape())
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._document.is_open or not (self._reads(event) or self._keys.press(event)):
            event.ignore()  # the window's shortcuts come next

    def _reads(self, event: QKeyEvent) -> bool:
        """Whether a key is of the aids to reading; a gesture that has begun comes before them."""
        return not self._pointer.is_busy and self.reading.press(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        self.reading.release(event)
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._pointer.hold_space(False)
        else:
            super().keyReleaseEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab goes from item to item and, after the last, on to the next widget."""
        return (self._document.is_open and self._keys.tab(forward=forward)) or super().focusNextPrevChild(forward)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._pointer.hold_space(False)
        super().focusOutEvent(event)

    # Menus

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self._document.is_open and not self._pointer.is_busy:
            menu = self.menu_at(event.pos())
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(event.globalPos())

    def menu_at(self, position: QPoint) -> QMenu:
        """What can be done at a position of the viewport."""
        self._pointer.end_preview()
        menu = self._menus.at(position)
        self.reading.add_actions(menu, on_item=self._pointer.spot(position).key is not None)
        return menu

    def copy_picture(self) -> None:
        """Put the whole network into the clipboard as a picture."""
        QGuiApplication.clipboard().setImage(self.to_image(2.0))

    # Size

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_breadcrumbs()
        self._camera.resized()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._settled.start()
