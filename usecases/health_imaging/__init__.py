"""Health imaging: can synthetic labelled scans make a lesion segmenter robust on an unseen hospital's scanner?

This module stays light: the catalogue reads ``USECASE`` on computers that have no torch.
"""

USECASE = {
    "name": "health-imaging",
    "title": "Can synthetic scans make a lesion tool robust on an unseen hospital's scanner?",
    "sector": "health",
    "summary": "Train a lesion segmenter on few labelled slices of two hospitals, add synthetic labelled slices "
    "drawn by flow matching, and test it on a third hospital's scanner that no method has seen.",
    "version": "0.3.0",
    "template": "genai4eu.templates/health_imaging.ipynb",
    "card": "genai4eu.usecases.health_imaging/card.toml",
    "extra": "health",
    "requires": [
        "torch",
        "monai",
        "einops",
        "nibabel",
        "pydicom",
        "nilearn",
        "sklearn",
        "scipy",
        "xarray",
        "netCDF4",
        "safetensors",
    ],
    # What its notebook imports of others, slowest first; its own modules take 30 ms and are often worked on.
    "warm_imports": [
        "torch",
        "sklearn.ensemble",
        "monai.networks.nets.diffusion_model_unet",
        "matplotlib.pyplot",
        "xarray",
        "nibabel",
        "pydicom",
        "netCDF4",
        "scipy.ndimage",
        "safetensors.torch",
    ],
    "rehearsal": "genai4eu.usecases.health_imaging.rehearsal:rehearse",
}
