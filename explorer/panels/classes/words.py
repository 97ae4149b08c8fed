"""A cell of a confusion matrix in words."""

from PySide6.QtWidgets import QWidget

from explorer.look import numbers
from explorer.panels.classes.arranged import Arranged
from explorer.panels.classes.layout import Cell


def describe(view: QWidget, arranged: Arranged, cell: Cell) -> str:
    """What a cell holds, in the language of the view."""
    tr, groups = view.tr, arranged.groups
    rows, columns = groups.rows[cell.row], groups.columns[cell.column]
    count, images = int(groups.counts[cell.row, cell.column]), int(groups.images[cell.row])
    share = numbers.share(count, images)
    values = {"count": numbers.exact_count(count), "images": numbers.exact_count(images), "share": share}
    true = _names(view, arranged, rows)
    if rows == columns and len(rows) == 1:
        return tr("{true}: {count} of {images} images are recognised ({share})").format(true=true, **values)
    if rows == columns:
        within = int(groups.wrong[cell.row, cell.column])
        text = tr("{true}: {right} of {images} images are recognised, {within} mixed up within the group")
        right = numbers.exact_count(count - within)
        return text.format(true=true, right=right, within=numbers.exact_count(within), **values)
    return tr("{true} taken for {predicted}: {count} of {images} images ({share})").format(
        true=true, predicted=_names(view, arranged, columns), **values
    )


def _names(view: QWidget, arranged: Arranged, classes: tuple[int, ...]) -> str:
    first, last = arranged.names[classes[0]], arranged.names[classes[-1]]
    if len(classes) == 1:
        return first
    return view.tr("{first} … {last} ({count} classes)").format(first=first, last=last, count=len(classes))
