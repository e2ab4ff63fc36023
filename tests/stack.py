"""What templates of tests leave to kernels: most of the science stack, seconds of imports that few tests look at."""

from __future__ import annotations

WITHOUT = "GENAI4EU_WARM_WITHOUT"
#: All but what participants of a rehearsal import: numpy, torch, scikit-learn, xarray.
SECTORS = (
    "torch._dynamo,pandas,matplotlib,dask,aquacrop,netCDF4,safetensors,zarr,monai,nibabel,pydicom,chgnet,pymatgen,"
    "smact,ase,gymnasium_robotics,mujoco,h5py,pyarrow,mcap"
)
#: All but numpy and torch; all but numpy.
MOST = f"{SECTORS},sklearn,scipy,xarray"
ALL = f"{MOST},torch"
