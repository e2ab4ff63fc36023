"""Robot manipulation: shown a task some hundred times, can a robot redo it without entering the safety zone?

This module stays light: the catalogue reads ``USECASE`` on computers that have no torch.
"""

USECASE = {
    "name": "robotics",
    "title": "Can a robot learn a task from some hundred demonstrations and keep out of the safety zone?",
    "sector": "robotics",
    "summary": "Show a simulated arm how to carry a cube around a keep-out zone, now left, now right; train a "
    "flow-matching policy on it, and test it where nobody showed anything, beside four other learners.",
    "version": "0.1.0",
    "template": "genai4eu.templates/robotics.ipynb",
    "card": "genai4eu.usecases.robot_manipulation/card.toml",
    "extra": "robotics",
    "requires": [
        "torch",
        "mujoco",
        "gymnasium",
        "gymnasium_robotics",
        "sklearn",
        "scipy",
        "xarray",
        "netCDF4",
        "h5py",
        "mcap",
        "pyarrow",
        "zarr",
        "safetensors",
    ],
    # What its notebook imports of others, slowest first; its own modules take 30 ms and are often worked on.
    "warm_imports": [
        "torch",
        "sklearn.neural_network",
        "matplotlib.pyplot",
        "xarray",
        "gymnasium_robotics.envs.fetch.pick_and_place",
        "mujoco",
        "netCDF4",
        "h5py",
        "pyarrow.parquet",
        "zarr",
        "mcap.reader",
        "safetensors.torch",
    ],
    "rehearsal": "genai4eu.usecases.robot_manipulation.rehearsal:rehearse",
}
