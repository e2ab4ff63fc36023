"""Materials: can a generative model propose battery-relevant crystals that survive a physics check?

This module stays light: the catalogue reads ``USECASE`` on computers that have no torch.
"""

USECASE = {
    "name": "materials",
    "title": "Which new battery crystals survive a physics check?",
    "sector": "materials",
    "summary": "Propose crystals for chemical formulas that no method has seen, relax them with CHGNet, and count how "
    "many end near its convex hull: a flow on the torus beside ion substitution, random enumeration and random search.",
    "version": "0.2.0",
    "template": "genai4eu.templates/materials.ipynb",
    "card": "genai4eu.usecases.materials/card.toml",
    "extra": "materials",
    "requires": ["torch", "chgnet", "ase", "pymatgen", "smact", "sklearn", "scipy", "xarray", "netCDF4", "safetensors"],
    # What its notebook imports of others, slowest first; its own modules take 30 ms and are often worked on.
    "warm_imports": [
        "torch",
        "chgnet.model",
        "pymatgen.analysis.phase_diagram",
        "pymatgen.analysis.structure_matcher",
        "pymatgen.io.ase",
        "smact.screening",
        "sklearn.ensemble",
        "matplotlib.pyplot",
        "ase.optimize",
        "xarray",
        "safetensors.torch",
    ],
    "rehearsal": "genai4eu.usecases.materials.rehearsal:rehearse",
}
