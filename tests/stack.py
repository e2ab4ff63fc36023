"""What templates of tests leave to kernels: most of the science stack, seconds of imports that few tests look at."""

from __future__ import annotations

WITHOUT = "GENAI4EU_WARM_WITHOUT"
#: What the health template has no use for.
NOT_OF_HEALTH = "aquacrop,zarr,chgnet,pymatgen,smact,ase,gymnasium_robotics,mujoco,h5py,pyarrow,mcap"
#: All but what participants of a rehearsal import: numpy, torch, scikit-learn, xarray.
SECTORS = f"torch._dynamo,pandas,matplotlib,dask,netCDF4,safetensors,monai,nibabel,pydicom,{NOT_OF_HEALTH}"
#: All but numpy and torch; all but numpy.
MOST = f"{SECTORS},sklearn,scipy,xarray"
ALL = f"{MOST},torch"
