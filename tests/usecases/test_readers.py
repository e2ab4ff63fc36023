"""Own scans: the files that pydicom and nibabel ship, and broken ones."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import nibabel.testing
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.data import get_testdata_file

from genai4eu.usecases.health_imaging.own import axial_slice
from genai4eu.usecases.health_imaging.readers import ScanError, ScanNotFoundError, example_path, load_scan

NIFTI = Path(nibabel.testing.data_path)


def _dicom(name: str) -> Path:
    found = get_testdata_file(name, download=False)
    assert found is not None, name
    return Path(str(found))


def test_nifti_comes_in_millimetres_and_towards_right_front_and_top(tmp_path: Path) -> None:
    first = nib.funcs.four_to_three(nib.load(NIFTI / "example4d.nii.gz"))[0]
    nib.save(first, tmp_path / "first.nii.gz")
    scan = load_scan(tmp_path / "first.nii.gz")
    image = nib.as_closest_canonical(first)
    assert scan.dims == ("z", "y", "x")
    assert scan.shape == image.shape[2::-1]
    np.testing.assert_allclose(scan.values, image.get_fdata(dtype=np.float32).transpose(2, 1, 0))
    np.testing.assert_allclose(scan.attrs["spacing_mm"], image.header.get_zooms()[:3], rtol=1e-5)
    assert scan["z"].attrs["units"] == "mm"
    assert float(scan["z"][1] - scan["z"][0]) == pytest.approx(scan.attrs["spacing_mm"][2])


def test_dicom_is_rescaled_and_placed() -> None:
    path = _dicom("CT_small.dcm")
    raw, scan = pydicom.dcmread(path), load_scan(path)
    hounsfield = raw.pixel_array * float(raw.RescaleSlope) + float(raw.RescaleIntercept)
    assert scan.attrs["units"] == "HU"
    assert (float(scan.min()), float(scan.max())) == (hounsfield.min(), hounsfield.max())
    np.testing.assert_allclose(scan.attrs["spacing_mm"][:2], [float(v) for v in raw.PixelSpacing], rtol=1e-5)


def test_what_a_file_is_is_told_by_its_content(tmp_path: Path) -> None:
    for source, name in ((NIFTI / "anatomical.nii", "scan.dcm"), (_dicom("MR_small.dcm"), "scan.nii.gz")):
        shutil.copy(source, tmp_path / name)
        assert load_scan(tmp_path / name).shape == load_scan(source).shape


def _series(folder: Path, heights: list[float]) -> Path:
    """Write a DICOM series, its files named against the order of its slices."""
    folder.mkdir()
    for i, height in enumerate(heights):  # the values of a slice are its number
        dataset = pydicom.dcmread(_dicom("MR_small.dcm"))
        dataset.ImagePositionPatient = [0, 0, height]
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        dataset.SOPInstanceUID = f"1.2.3.{i}"
        dataset.PixelData = (dataset.pixel_array * 0 + i).astype(np.int16).tobytes()
        dataset.save_as(folder / f"{9 - i}.dcm")
    return folder


def test_a_series_is_put_in_order_of_height(tmp_path: Path) -> None:
    scan = load_scan(_series(tmp_path / "series", [0.0, 5.0, 10.0]))
    assert scan.values[:, 0, 0].tolist() == [0.0, 1.0, 2.0]
    np.testing.assert_allclose(np.diff(scan["z"]), 5.0)


def test_a_series_with_a_missing_slice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="not evenly spaced"):
        load_scan(_series(tmp_path / "series", [0.0, 5.0, 20.0]))


def _header(offset: int, value: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data[:offset] + value + data[offset + len(value) :]


ORDER = nib.load(NIFTI / "anatomical.nii").header.endianness  # this file is big-endian


#: What is done to a good NIfTI file, and what the message must say. Offsets are those of the NIfTI-1 header.
BROKEN = {
    "zero pixdim": (_header(80, np.zeros(3, ORDER + "f4").tobytes()), r"wrong NIfTI header \(voxels of 0 x 0 x 0 mm\)"),
    "nan pixdim": (
        _header(84, np.array([np.nan], ORDER + "f4").tobytes()),
        r"wrong NIfTI header \(voxels of 2 x nan x 2",
    ),
    "no dimensions": (_header(40, np.array([0], ORDER + "i2").tobytes()), "wrong NIfTI header"),
    "wrong dimensions": (_header(42, np.array([3000, 3000], ORDER + "i2").tobytes()), "cut short|wrong NIfTI header"),
    "negative dimension": (_header(42, np.array([-5], ORDER + "i2").tobytes()), r"wrong NIfTI header \(dim is"),
    "unknown type": (_header(70, np.array([999], ORDER + "i2").tobytes()), "wrong NIfTI header"),
    "truncated": (lambda data: data[: len(data) // 2], "cut short"),
    "header only": (lambda data: data[:352], "cut short"),
    "cut gzip": (lambda data: gzip.compress(data)[:5000], "cut short or damaged"),
    "gzip of text": (lambda data: gzip.compress(b"hello" * 100), "no NIfTI image in its gzip"),
    "text": (lambda data: b"hello" * 100, "neither NIfTI nor DICOM by its content"),
    "empty": (lambda data: b"", "neither NIfTI nor DICOM by its content"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_nifti_is_one_clear_line(kind: str, tmp_path: Path) -> None:
    change, message = BROKEN[kind]
    path = tmp_path / "broken.nii"
    path.write_bytes(change((NIFTI / "anatomical.nii").read_bytes()))
    with pytest.raises(ScanError, match=message) as caught:
        load_scan(path)
    line = str(caught.value)
    assert str(path) in line
    assert "\n" not in line
    assert line.count(": ") >= 1  # the remedy follows the colon


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rtplan.dcm", r"a DICOM file without pixels \(modality RTPLAN\): give an image series"),
        ("MR_truncated.dcm", r"the pixels of .* cannot be read .*: copy or export it again"),
    ],
)
def test_a_dicom_without_pixels_is_one_clear_line(name: str, message: str) -> None:
    with pytest.raises(ScanError, match=message) as caught:
        load_scan(_dicom(name))
    assert "\n" not in str(caught.value)


def test_damaged_dicoms_and_wrong_folders_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.dcm"
    path.write_bytes(_dicom("MR_small.dcm").read_bytes()[:600])
    with pytest.raises(ScanError, match=r"cut\.dcm"):
        load_scan(path)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("no scan")
    with pytest.raises(ScanError, match="holds no DICOM file"):
        load_scan(tmp_path / "notes")
    with pytest.raises(ScanNotFoundError, match="there is no scan at") as caught:
        load_scan(tmp_path / "none.nii")
    assert isinstance(caught.value, ScanError)


def test_an_own_scan_becomes_a_slice_for_the_segmenters() -> None:
    piece = axial_slice(load_scan(example_path()), 32)
    assert piece.shape == (32, 32)
    assert piece["x"].attrs["units"] == "mm"
    assert np.isfinite(piece).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [0.0, np.nan])
def test_an_empty_slice_is_told_with_a_remedy_at_hand(value: float) -> None:
    scan = load_scan(example_path())
    empty = scan.copy(data=np.full(scan.shape, value, np.float32))
    with pytest.raises(ScanError, match=r"middle slice of anatomical.nii is empty: give a scan with the brain in"):
        axial_slice(empty, 32)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("keyword", "value", "message"),
    [
        ("PixelSpacing", "2", r"wrong PixelSpacing in its header \(\[2.0\] where 2 finite numbers belong\): export"),
        ("PixelSpacing", "wide\\2", r"wrong PixelSpacing in its header \(.*wide.*\): export it again"),
        ("ImageOrientationPatient", "1\\0", r"wrong ImageOrientationPatient in its header .* 6 finite numbers belong"),
        ("ImagePositionPatient", "0\\0", r"wrong ImagePositionPatient in its header .* 3 finite numbers belong"),
        ("SliceThickness", "thick", r"wrong SliceThickness in its header"),
        ("RescaleSlope", "1\\2", r"wrong RescaleSlope in its header"),
    ],
)
def test_a_wrong_dicom_header_is_one_clear_line(keyword: str, value: str, message: str, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(_dicom("MR_small.dcm"))
    dataset.pop("SpacingBetweenSlices", None)
    tag = pydicom.datadict.tag_for_keyword(keyword)
    assert tag is not None
    raw = value.encode() + b" " * (len(value) % 2)
    dataset._dict[pydicom.tag.Tag(tag)] = pydicom.dataelem.RawDataElement(
        pydicom.tag.Tag(tag), "DS", len(raw), raw, 0, False, True
    )
    dataset.save_as(tmp_path / "wrong.dcm")
    with pytest.raises(ScanError, match=message) as caught:
        load_scan(tmp_path / "wrong.dcm")
    assert str(tmp_path / "wrong.dcm") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [200, 400, 1000])
def test_a_dicom_cut_before_its_pixels_is_called_cut_short(size: int, tmp_path: Path) -> None:
    path = tmp_path / "cut.dcm"
    path.write_bytes(_dicom("MR_small.dcm").read_bytes()[:size])
    with pytest.raises(ScanError, match=r"cut\.dcm is (cut short|a damaged DICOM file).*: .*export it again"):
        load_scan(path)
    if size == 200:
        with pytest.raises(ScanError, match="cut short before its pixels"):
            load_scan(path)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones((3, 3, 3), np.complex64), "holds complex values: export their magnitude"),
        (np.full((3, 3, 3), np.inf, np.float32), "holds infinite values: set them to 0"),
        (np.full((3, 3, 3), 1e300), "holds infinite values: set them to 0"),
        (np.full((3, 3, 3), 1e30, np.float32), r"holds values above 1e\+09, which no scanner gives"),
        (np.zeros((3, 3, 3), [("R", "u1"), ("G", "u1"), ("B", "u1")]), "holds colours"),
    ],
)
def test_nifti_values_that_are_no_signal_are_refused(values: NDArray[np.generic], message: str, tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(values, np.eye(4)), tmp_path / "odd.nii")
    with pytest.raises(ScanError, match=rf"odd\.nii {message}"):
        load_scan(tmp_path / "odd.nii")


def test_nifti_in_metres_comes_in_millimetres(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.ones((4, 4, 4), np.float32), np.diag([0.003, 0.003, 0.004, 1]))
    image.header.set_xyzt_units("meter")
    nib.save(image, tmp_path / "metres.nii")
    np.testing.assert_allclose(load_scan(tmp_path / "metres.nii").attrs["spacing_mm"], [3, 3, 4], rtol=1e-5)


@pytest.mark.parametrize("size", [0.003, 1000.0])
def test_voxels_that_no_head_scan_has_are_refused(size: float, tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.ones((4, 4, 4), np.float32), np.diag([size, size, size, 1])), tmp_path / "odd.nii")
    with pytest.raises(ScanError, match=r"odd\.nii has voxels of .* mm, and a head scan has 0.05 to 20: set its units"):
        load_scan(tmp_path / "odd.nii")


def test_several_volumes_are_refused_and_one_in_four_dimensions_is_read(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match=r"example4d\.nii\.gz holds 2 volumes: give a file with one"):
        load_scan(NIFTI / "example4d.nii.gz")
    nib.save(nib.Nifti1Image(np.ones((4, 4, 4, 1), np.float32), np.eye(4)), tmp_path / "one.nii")
    assert load_scan(tmp_path / "one.nii").shape == (4, 4, 4)


def _changed(path: Path, change: Callable[[pydicom.Dataset], None]) -> Path:
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)
    return path


def _enhanced(dataset: pydicom.Dataset) -> None:
    dataset.NumberOfFrames = 2
    dataset.SharedFunctionalGroupsSequence = [pydicom.Dataset()]
    dataset.PixelData = dataset.PixelData * 2
    del dataset.PixelSpacing, dataset.ImageOrientationPatient


def _set(keyword: str, value: object) -> Callable[[pydicom.Dataset], None]:
    return lambda dataset: setattr(dataset, keyword, value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_enhanced, r"is a multi-frame \(enhanced\) DICOM image: convert it to NIfTI"),
        (lambda d: d.pop("PixelSpacing"), "has no PixelSpacing in its header: export it again"),
        (lambda d: d.pop("ImageOrientationPatient"), "has no ImageOrientationPatient in its header"),
        (lambda d: d.pop("ImagePositionPatient"), "has no ImagePositionPatient in its header"),
        (_set("ImageOrientationPatient", [0, 1, 0, 0, 0, -1]), r"mixes orientations .*7\.dcm differs.: remove the loc"),
        (_set("PixelSpacing", [3.0, 3.0]), r"mixes orientations or spacings"),
    ],
)
def test_a_slice_without_its_geometry_is_not_stacked(
    change: Callable[[pydicom.Dataset], None], message: str, tmp_path: Path
) -> None:
    folder = _series(tmp_path / "series", [0.0, 5.0, 10.0])
    _changed(folder / "7.dcm", change)
    with pytest.raises(ScanError, match=message) as caught:
        load_scan(folder)
    assert "\n" not in str(caught.value)


def test_a_wrong_orientation_is_refused(tmp_path: Path) -> None:
    path = Path(shutil.copy(_dicom("MR_small.dcm"), tmp_path / "skew.dcm"))
    _changed(path, _set("ImageOrientationPatient", [1, 0, 0, 0.5, 0.5, 0]))
    with pytest.raises(ScanError, match=r"wrong ImageOrientationPatient .no unit vectors at right angles"):
        load_scan(path)


def test_an_inverted_dicom_is_turned_bright_for_dark(tmp_path: Path) -> None:
    path = Path(shutil.copy(_dicom("MR_small.dcm"), tmp_path / "inverted.dcm"))
    usual = load_scan(path).values
    inverted = load_scan(_changed(path, _set("PhotometricInterpretation", "MONOCHROME1"))).values
    np.testing.assert_allclose(inverted + usual, (inverted + usual).flat[0])
    assert inverted.flat[usual.argmin()] == inverted.max()
