"""A certificate as the export dialog shows it."""

from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

if TYPE_CHECKING:
    from explorer.export.certificate import Certificate


def certificate_headline(certificate: "Certificate") -> str:
    """What came of it, in one line."""
    if not certificate.checks:
        return _tr("Exported, not checked.")
    if certificate.passed:
        return _tr("Exported. Every file ran in a fresh process and gave the outputs of the model in the window.")
    return _tr("Not exported: a check failed, and existing files are untouched.")


def certificate_html(certificate: "Certificate") -> str:
    """One row a check: files, verdict, images, largest difference, what ran it."""
    rows = []
    for check in certificate.checks:
        difference = "–" if check.max_abs_difference is None else f"{check.max_abs_difference:.3g}"
        verdict = "✓" if check.passed else "✗"
        ran = ", ".join(f"{name} {version}" for name, version in check.versions.items())
        rows.append(
            f"<tr><td>{verdict}&nbsp;</td><td><b>{escape(' + '.join(check.files))}</b></td>"
            f"<td>&nbsp;&nbsp;{_tr('{0} images, largest difference {1}').format(check.num_images, difference)}</td>"
            f"<td>&nbsp;&nbsp;{check.seconds:.1f}&nbsp;s</td></tr>"
            f"<tr><td></td><td colspan=3><small>{escape(check.message or check.what)} · {escape(ran)}</small></td></tr>"
        )
    if not certificate.checks:
        rows = [f"<tr><td>{escape(', '.join(certificate.files))}</td></tr>"]
    notes = "".join(f"<p>{escape(note)}</p>" for note in certificate.notes)
    return f"<table cellspacing=2>{''.join(rows)}</table>{notes}"


def _tr(text: str) -> str:
    return QCoreApplication.translate("Certificate", text)
