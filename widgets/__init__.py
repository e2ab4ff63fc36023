"""What a person touches in a notebook or a dashboard: figures with alternative text, and controls that redraw one.

Called by the dashboard part of templates::

    from genai4eu.widgets import Choice, Explorer, Range, figure, use_style

    use_style()
    figure(fig, alt="Synthetic scans raise Dice from 0.31 to 0.52; dot plot, 0 to 1")
    Explorer(draw, site=Choice("Site", {"A": "A", "B": "B"}), load=Range("Lesion load", 0, 50, step=5, unit="mL"))
"""

from .board import ScenarioBoard
from .controls import Choice, Range
from .explorer import Explorer
from .fieldmap import FieldMap
from .figures import figure, figure_html, use_style
from .form import ParameterForm
from .monitor import RunMonitor
from .picker import TargetPicker
from .runtable import RunTable
from .scenarios import Outcome
from .structure import StructureViewer
from .trajectories import TrajectoryPlayer
from .volume import VolumeViewer
from .words import say

__all__ = [
    "Choice",
    "Explorer",
    "FieldMap",
    "Outcome",
    "ParameterForm",
    "Range",
    "RunMonitor",
    "RunTable",
    "ScenarioBoard",
    "StructureViewer",
    "TargetPicker",
    "TrajectoryPlayer",
    "VolumeViewer",
    "figure",
    "figure_html",
    "say",
    "use_style",
]
