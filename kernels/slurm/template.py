"""The template of warm kernels inside a job: one for each allocation, and gone with it. Used by ``agent``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..errors import KernelsError


def template_variables(private: Path) -> dict[str, str]:
    """Set and return what makes the template this job's own, and keeps its files in the job's private folder."""
    job = os.environ.get("SLURM_JOB_ID", "")
    mine = {"GENAI4EU_WARM_OWNER": f"slurm-{job}", "XDG_RUNTIME_DIR": str(private)}
    os.environ.update(mine)
    return mine


def prepare_template() -> None:
    """Wait until the template serves. Without one, kernels start the ordinary way."""
    from ..warm.client import ensure

    try:
        ensure(wait=True)
    except KernelsError as error:
        print(f"genai4eu: {error}", file=sys.stderr)


def end_template() -> None:
    """End the template."""
    from ..warm.client import stop

    stop()
