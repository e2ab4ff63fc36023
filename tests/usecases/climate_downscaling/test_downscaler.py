"""The downscaler and its baselines: what must hold whatever they have learnt."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import xarray as xr

from genai4eu.usecases.climate_downscaling import baseline, data, own
from genai4eu.usecases.climate_downscaling.model import (
    ModelError,
    enlarge,
    load_downscaler,
    refined,
    root,
    save_downscaler,
    unroot,
)
from genai4eu.usecases.climate_downscaling.network import UNet
from genai4eu.usecases.climate_downscaling.quantiles import QuantileMap


def test_enlarging_keeps_slopes_and_means() -> None:
    slope = torch.arange(8.0).expand(1, 1, 8, 8)
    fine = enlarge(slope, 4)
    expected = (torch.arange(32) + 0.5) / 4 - 0.5
    torch.testing.assert_close(fine[0, 0, 5, 2:-2], expected[2:-2])
    field = torch.rand(1, 1, 8, 8)
    assert float(enlarge(field, 4).mean()) == pytest.approx(float(field.mean()), rel=1e-5)


def test_cells_are_divided_where_they_lie() -> None:
    axis = xr.DataArray([10.0, 20.0, 30.0], dims="x")
    fine = refined(axis, 2)
    np.testing.assert_allclose(fine, [7.5, 12.5, 17.5, 22.5, 27.5, 32.5])


def test_roots_and_back() -> None:
    rain = torch.tensor([0.0, 0.1, 100.0])
    torch.testing.assert_close(unroot(root(rain)), rain)
    assert float(unroot(torch.tensor(-0.5))) == 0


@pytest.mark.parametrize("fold", [1, 2, 4])
def test_the_network_has_no_place_of_its_own(fold: int) -> None:
    net = UNet(2, 1, (8, 8), fold, timed=True).eval()
    with torch.no_grad():
        for weight in net.leave.parameters():
            weight.normal_()
        x, t = torch.randn(1, 2, 32, 32), torch.tensor([0.3])
        shift = (2 * fold, 4 * fold)
        torch.testing.assert_close(net(x.roll(shift, (2, 3)), t), net(x, t).roll(shift, (2, 3)), rtol=1e-4, atol=1e-4)
        assert not torch.equal(net(x, t), net(x, torch.tensor([0.9])))


def test_members_are_rain_with_units_and_more_begin_with_the_fewer(climate: SimpleNamespace) -> None:
    coarse = data.coarsen(climate.test, 8)
    few, more = (climate.model.downscale(coarse, n, 5) for n in (1, 2))
    np.testing.assert_array_equal(few.values[0], more.values[0])
    assert few.dims == ("member", "run", "time", "y", "x")
    assert few.attrs["units"] == "kg m-2 s-1"
    assert float(few.min()) >= 0
    np.testing.assert_allclose(few["x"], climate.test["x"], rtol=1e-6)
    assert not np.array_equal(more.values[0], more.values[1])


def test_a_kept_downscaler_draws_the_same(climate: SimpleNamespace, tmp_path: Path) -> None:
    path = tmp_path / "kept.safetensors"
    save_downscaler(climate.model, path)
    coarse = data.coarsen(climate.test, 8).isel(run=slice(1))
    kept = load_downscaler(path)
    np.testing.assert_allclose(
        kept.downscale(coarse, 1, 0), climate.model.downscale(coarse, 1, 0), rtol=1e-4, atol=1e-9
    )
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ModelError, match=r"cannot read the downscaler .*kept.*run the study part again"):
        load_downscaler(path)


def test_odd_predictors_are_refused(climate: SimpleNamespace) -> None:
    coarse = data.coarsen(climate.test, 8)
    with pytest.raises(ModelError, match=r"lack prw .*add it"):
        climate.model.mean(coarse.drop_vars("prw"))
    with pytest.raises(ModelError, match="pr is in 'mm/day', not 'kg m-2 s-1': convert it"):
        climate.model.mean(coarse.assign(pr=coarse["pr"].assign_attrs(units="mm/day")))
    with pytest.raises(ModelError, match="ua holds values that are no numbers"):
        climate.model.mean(coarse.assign(ua=coarse["ua"] * np.nan))


def test_interpolation_keeps_water_and_mapping_gives_the_distribution(climate: SimpleNamespace) -> None:
    coarse = data.coarsen(climate.training, 8)
    linear = baseline.interpolate(coarse, 8)
    assert float(linear.mean()) == pytest.approx(float(coarse["pr"].mean()), rel=1e-4)
    mapped = baseline.map_quantiles(baseline.fit_quantile_map(climate.training, 8), coarse, 8)
    levels = [0.5, 0.9, 0.99]
    np.testing.assert_allclose(
        np.quantile(mapped.values * 1e5, levels),
        np.quantile(climate.training["pr"].values * 1e5, levels),
        rtol=0.1,
        atol=0.3,
    )
    assert float(mapped.min()) >= 0


def test_a_quantile_map_goes_on_beyond_its_ends() -> None:
    source = np.linspace(0, 1, 1000, dtype=np.float32)
    mapping = QuantileMap.fit(source, 2 * source + 1)
    np.testing.assert_allclose(mapping(np.array([0.25, 1.0, 1.5], np.float32)), [1.5, 3.0, 3.5], atol=1e-3)


def test_a_bias_is_taken_away(climate: SimpleNamespace) -> None:
    right = data.coarsen(climate.test, 8)
    wrong = right.assign({name: right[name] * 1.5 for name in right.data_vars})
    back = baseline.adjusted(wrong, wrong, right)
    np.testing.assert_allclose(back["ua"], right["ua"], atol=0.5)


def test_the_forest_sees_its_point_and_place(climate: SimpleNamespace) -> None:
    coarse = data.coarsen(climate.test, 8)
    seen = baseline.features(coarse, 8)
    assert seen.shape == (climate.test["pr"].size, 16)
    assert set(np.unique(seen[:, -1])) == {i - 3.5 for i in range(8)}


def test_own_fields_keep_their_water_and_may_be_of_any_even_shape(climate: SimpleNamespace) -> None:
    coarse = data.coarsen(climate.test, 8).isel(run=0, y=slice(4, 8)).drop_vars("run")
    coarse = coarse.assign(pr=coarse["pr"] * 3, ta=coarse["ta"] + 250)
    fine = own.downscale_own(climate.model, coarse, 2, 0)
    assert fine.shape == (2, 2, 32, 64)
    cells = fine.coarsen(y=8, x=8).mean().values
    np.testing.assert_allclose(cells, np.broadcast_to(coarse["pr"], cells.shape), rtol=1e-3, atol=1e-9)
