"""Large outputs put back inline for nbconvert, which would else export previews and links.

On the notebook of a record, or of ``papermill --engine genai4eu``::

    jupyter nbconvert --to html --Exporter.preprocessors=genai4eu.runs.inline.InlineOutputs notebook.ipynb
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbconvert.preprocessors import Preprocessor

from .large import restore


class InlineOutputs(Preprocessor):  # type: ignore[misc]
    """Puts large outputs back. Called by nbconvert's exporters."""

    def preprocess(self, nb: Any, resources: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return the notebook with all of its outputs inline."""
        restore(nb, Path(resources.get("metadata", {}).get("path") or "."))
        return nb, resources
