"""Architectures as files that run elsewhere: source, weights, ONNX, and the certificate that says so.

Nothing that loads torch is imported here, so that the window's live source panel may use `source`.
"""

from explorer.export.errors import ExportCancelled, ExportError
from explorer.export.source import network_class_name, to_source

__all__ = ["ExportCancelled", "ExportError", "network_class_name", "to_source"]
