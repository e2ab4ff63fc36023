"""The ions that the study builds with: charges they usually have, and radii. Called by whoever builds a crystal.

Radii are Shannon's effective ionic radii for sixfold coordination (Shannon 1976, Acta Cryst. A32:751), high spin where
he lists both. Charges are the common ones among SMACT's (Davies et al. 2019, JOSS 4:1361); a test holds that.
"""

from __future__ import annotations

#: Radius in Å by element and charge.
RADII: dict[str, dict[int, float]] = {
    "Li": {1: 0.76}, "Na": {1: 1.02},
    "Mg": {2: 0.72}, "Al": {3: 0.535},
    "Ti": {3: 0.67, 4: 0.605}, "Mn": {2: 0.83, 3: 0.645, 4: 0.53}, "Fe": {2: 0.78, 3: 0.645},
    "Co": {2: 0.745, 3: 0.61, 4: 0.53}, "Ni": {2: 0.69, 3: 0.60, 4: 0.48},
    "O": {-2: 1.40}, "S": {-2: 1.84}, "F": {-1: 1.33}, "Cl": {-1: 1.81},
}  # fmt: skip
ELEMENTS = tuple(RADII)
ALKALI = ("Li", "Na")
ANIONS = ("O", "S", "F", "Cl")
CATIONS = tuple(e for e in ELEMENTS if e not in ANIONS)
#: Metals that can give an electron when lithium leaves.
REDOX = ("Ti", "Mn", "Fe", "Co", "Ni")
MOST_CHARGE = 4  # of those, when all lithium has left


def radius(element: str, charge: int) -> float:
    """Return the ionic radius in Å."""
    return RADII[element][charge]
