"""What every use case must keep to. Called by the tests of each."""

from __future__ import annotations

import subprocess
import sys

from matplotlib.figure import Figure
from matplotlib.text import Text


def read_on_a_phone(figure: Figure, letters: float = 9) -> None:
    """Hold a figure to letters of so many pixels and no overhang, on a screen that leaves 288 px for it."""
    figure.draw_without_rendering()
    shrunk = 288 / (figure.get_figwidth() * 72)  # pixels a point
    texts = [t for t in figure.findobj(Text) if t.get_text() and t.get_visible()]
    assert min(float(t.get_fontsize()) for t in texts) * shrunk >= letters
    assert figure.get_tightbbox().x1 <= figure.get_figwidth() + 0.01


def imported_by(code: str, *modules: str) -> list[str]:
    """Return which of some modules a fresh Python has imported after ``code``."""
    told = f"import sys; {code}; print(*[m for m in {modules!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-P", "-c", told], capture_output=True, text=True, check=True)
    return done.stdout.split("\n")[-2].split()
