"""Irrigation: how much water should a field get under a quota, given weather not yet seen?

This module stays light: the catalogue reads ``USECASE`` on computers that have no torch.
"""

USECASE = {
    "name": "agrifood",
    "title": "How much should I irrigate under a water quota, given weather not yet seen?",
    "sector": "agrifood",
    "summary": "Learn the daily weather of a station by flow matching, grow maize with FAO's AquaCrop in hundreds of "
    "seasons that never were, choose the soil-moisture threshold, and test it on years that no method has seen.",
    "version": "0.2.0",
    "template": "genai4eu.templates/agrifood.ipynb",
    "extra": "agrifood",
    "card": "genai4eu.usecases.irrigation/card.toml",
    "requires": [
        "torch",
        "aquacrop",
        "sklearn",
        "scipy",
        "xarray",
        "netCDF4",
        "rasterio",
        "rioxarray",
        "safetensors",
    ],
    # What its notebook imports of others, slowest first; its own modules take 30 ms and are often worked on.
    "warm_imports": [
        "torch",
        "aquacrop",
        "sklearn.neural_network",
        "matplotlib.pyplot",
        "xarray",
        "netCDF4",
        "scipy.stats",
        "safetensors.torch",
    ],
    "rehearsal": "genai4eu.usecases.irrigation.rehearsal:rehearse",
}
