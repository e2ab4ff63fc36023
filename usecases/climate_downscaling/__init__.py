"""Climate downscaling: plausible fine-scale rain extremes from a coarse model, with honest uncertainty.

This module stays light: the catalogue reads ``USECASE`` on computers that have no torch.
"""

USECASE = {
    "name": "climate",
    "title": "What fine-scale rain extremes hide in the cells of a coarse climate model?",
    "sector": "climate",
    "summary": "Draw ensembles of fine rain from the fields of a coarse model with a regression and a flow, in an "
    "idealised moist atmosphere where truth is known; judge them beside interpolation, quantile mapping, a forest.",
    "version": "0.3.0",
    "template": "genai4eu.templates/climate.ipynb",
    "card": "genai4eu.usecases.climate_downscaling/card.toml",
    "extra": "climate",
    "requires": ["torch", "sklearn", "scipy", "xarray", "netCDF4", "zarr", "cftime", "safetensors"],
    # What its notebook imports of others, slowest first; its own modules take 30 ms and are often worked on.
    "warm_imports": [
        "torch",
        "sklearn.ensemble",
        "matplotlib.pyplot",
        "xarray",
        "zarr",
        "netCDF4",
        "scipy.ndimage",
        "safetensors.torch",
    ],
    "rehearsal": "genai4eu.usecases.climate_downscaling.rehearsal:rehearse",
}
