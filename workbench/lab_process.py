"""JupyterLab as ``genai4eu lab`` becomes it: ``python -P -m genai4eu.lab_process``, with JupyterLab's own options."""

from __future__ import annotations

from . import lean  # noqa: F401  # before all that imports jsonschema

if __name__ == "__main__":
    from jupyterlab.labapp import main

    raise SystemExit(main())
