"""Virtual patients: loads in mL, different people in different splits, the same people for the same seed."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from genai4eu.usecases.health_imaging.anatomy import patient, template, threshold, with_lesions
from genai4eu.usecases.health_imaging.data import cohort, labelled_slices
from genai4eu.usecases.health_imaging.relaxometry import LESION


def test_template_has_the_volumes_of_a_brain() -> None:
    fractions, _ = template()
    csf, gm, wm = fractions.sum((1, 2, 3)) * 8 / 1000  # mL at 2 mm
    assert 400 < wm < 900
    assert 500 < gm < 1100
    assert 50 < csf < 600


@pytest.mark.parametrize("load", [5.0, 20.0, 40.0])
def test_lesions_fill_the_load_asked_for(load: float) -> None:
    person = patient(48, np.random.default_rng(3))
    voxels = int((person["score"] >= threshold(person, load)).sum())
    assert voxels * person.attrs["voxel_ml"] == pytest.approx(load, abs=person.attrs["voxel_ml"])


def test_lesions_replace_white_matter_only() -> None:
    person = patient(48, np.random.default_rng(3))
    z = 10
    before = person["fraction"].values[:, z]
    after, label = with_lesions(before, person["score"].values[z], threshold(person, 30.0))
    np.testing.assert_allclose(after[2] + after[3], before[2], atol=1e-6)
    np.testing.assert_array_equal(after[:2], before[:2])
    assert (before[2][label == LESION] > 0.5).all()


def test_the_same_seed_gives_the_same_scans_and_splits_differ() -> None:
    one, again, other = (labelled_slices(2, 32, seed) for seed in (0, 0, 1))
    xr.testing.assert_identical(one, again)
    assert not np.array_equal(one["label"], other["label"])
    assert not np.array_equal(one["label"], cohort("test", 2, 32, 0, ("A",))["label"])


def test_labelled_slices_come_from_a_and_b_and_carry_units(study: SimpleNamespace) -> None:
    assert study.real["site"].values.tolist() == ["A", "B", "A", "B"]
    assert study.real["lesion_load"].attrs["units"] == "mL"
    assert study.test["x"].attrs["units"] == "mm"
    assert study.test.sizes["site"] == 3
    assert ((study.test["label"] == LESION).sum(("y", "x")) > 0).all()
