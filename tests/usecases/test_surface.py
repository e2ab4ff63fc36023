"""Outlines: distances against cases worked by hand, and against MONAI's."""

from __future__ import annotations

import numpy as np
import pytest

from genai4eu.usecases.health_imaging import mixture, surface
from genai4eu.usecases.health_imaging.relaxometry import TISSUES
from genai4eu.usecases.health_imaging.surface import MISSED, Mask, hausdorff_95, surface_dice


def square(row: int, column: int, side: int = 3, size: int = 16) -> Mask:
    mask = np.zeros((size, size), bool)
    mask[row : row + side, column : column + side] = True
    return mask


def test_the_outline_is_what_has_a_neighbour_outside() -> None:
    assert surface.outline(square(4, 4)).sum() == 8  # all but the middle one
    assert surface.outline(square(0, 0)).sum() == 8  # the picture's margin is outside


def test_a_shifted_square_by_hand() -> None:
    """Side 3, moved by 2 pixels of 2 mm: of 8 outline pixels three lie on the other's, or 2 mm or 4 mm from it."""
    a, b = square(4, 4), square(4, 6)
    assert hausdorff_95(a, a, 2.0) == 0.0
    # first column 4 mm off (3 pixels), the two outer ones of the second 2 mm, the last column on the other: 0 mm
    assert hausdorff_95(a, b, 2.0) == pytest.approx(4.0)
    assert surface_dice(a, b, 2.0, tolerance=0.0) == pytest.approx(3 / 8)
    assert surface_dice(a, b, 2.0, tolerance=2.0) == pytest.approx(5 / 8)
    assert surface_dice(a, b, 2.0, tolerance=4.0) == 1.0


def test_one_far_pixel_in_many_is_not_seen_and_a_missing_half_is() -> None:
    truth = square(2, 2, side=8, size=40)
    stray = truth.copy()
    stray[39, 39] = True
    assert hausdorff_95(stray, truth, 1.0) == 0.0  # one of 29 outline pixels is beyond the 95th percentile
    assert hausdorff_95(truth | square(30, 30, size=40), truth, 1.0) > 25


def test_an_empty_prediction_costs_and_two_empty_masks_have_no_value() -> None:
    none, some = square(0, 0, side=0), square(4, 4)
    for found, truth in ((none, some), (some, none)):
        assert hausdorff_95(found, truth, 3.25) == MISSED == pytest.approx(294.2, abs=0.1)
        assert surface_dice(found, truth, 3.25) == 0.0
    assert np.isnan([hausdorff_95(none, none, 1.0), surface_dice(none, none, 1.0)]).all()


def test_stacks_are_scored_slice_by_slice() -> None:
    found = np.stack([np.stack([square(4, 4), square(4, 6)])] * 3)  # (case, site, y, x)
    far, near = surface.by_slice(found, np.stack([square(4, 4)] * 3)[:, None], 2.0)
    np.testing.assert_allclose(far, [[0.0, 4.0]] * 3)
    np.testing.assert_allclose(near, 1.0)  # within 4 mm


@pytest.mark.slow
def test_monai_says_the_same() -> None:
    import torch
    from monai.metrics.hausdorff_distance import compute_hausdorff_distance
    from monai.metrics.surface_dice import compute_surface_dice
    from scipy import ndimage

    rng = np.random.default_rng(0)
    for _ in range(4):
        a, b = (ndimage.gaussian_filter(rng.standard_normal((40, 40)), 2) > 0.05 for _ in range(2))
        x, y = (torch.tensor(np.stack([~m, m]))[None].float() for m in (a, b))
        far = compute_hausdorff_distance(x, y, include_background=False, percentile=95, spacing=3.25)
        near = compute_surface_dice(x, y, [4.0], include_background=False, spacing=3.25)
        assert hausdorff_95(a, b, 3.25) == pytest.approx(far.item(), abs=1e-4)
        assert surface_dice(a, b, 3.25) == pytest.approx(near.item(), abs=1e-6)


def test_the_mixture_finds_bright_lesions_whatever_the_contrast() -> None:
    """Three tissues in rings with a lesion in white matter: it is told neither contrast nor labels of this scan."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    radius = np.hypot(y, x)
    label = np.select([radius > 0.9, radius > 0.8, radius > 0.6, radius > 0.2], [0, 1, 2, 3], 1)
    label[(np.hypot(y - 0.4, x) < 0.12)] = TISSUES.index("lesion") + 1
    where = np.stack([(label == k + 1) * 0.9 + 0.05 for k in range(3)] + [(label >= 3) * 0.2 + 0.001]).astype(
        np.float32
    )
    for levels in ([0, 0.1, 0.5, 0.4, 1.0], [0, 1.0, 0.5, 0.4, 0.1]):
        image = (np.array(levels)[label] + 0.02 * rng.standard_normal(label.shape) * (label > 0)).astype(np.float32)
        image[label == 0] = -1.0
        found, truth = mixture.segment(image, where), label == 4
        assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > 0.9
