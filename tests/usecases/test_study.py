"""The study: scores, record, live answer, and the same bits for the same seed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from matplotlib import rc_context

from genai4eu.usecases.health_imaging import (
    augment,
    compare,
    copies,
    evaluate,
    figures,
    keep,
    labels,
    live,
    model,
    report,
    words,
)
from genai4eu.usecases.health_imaging.relaxometry import LESION
from genai4eu.usecases.health_imaging.segmenter import Segmenter, SegmenterError, load_segmenter, save_segmenter
from genai4eu.widgets import use_style

from .checks import imported_by, read_on_a_phone


def test_dice_by_hand() -> None:
    a, b = np.zeros((3, 2, 2), bool), np.zeros((3, 2, 2), bool)
    a[0, 0], b[0, :, 0] = True, True  # two pixels each, one shared
    a[1, 0, 0] = True
    np.testing.assert_array_equal(evaluate.dice(a, b), [0.5, 0.0, np.nan])


def test_bootstrap_interval_covers_the_mean_and_shrinks_with_patients() -> None:
    values = np.random.default_rng(0).normal(0.5, 0.1, (1, 400, 1))
    low, high = evaluate.bootstrap(values)
    assert low.item() < values.mean() < high.item()
    assert (high - low).item() == pytest.approx(2 * 1.96 * 0.1 / 20, rel=0.15)


def test_table_over_seeds(study: SimpleNamespace) -> None:
    shifted = study.scores.assign(dice=study.scores["dice"] + 0.2)
    table = compare.table([study.scores, shifted])
    assert table.loc["classical", ("C", "half")] == pytest.approx(12.706 * 0.1, rel=1e-3)  # t, one degree of freedom
    assert table[("A", "mean")].between(0, 1.2).all()
    assert np.isnan(compare.table([study.scores]).loc["classical", ("C", "half")])


def test_methods_are_compared_seed_by_seed(study: SimpleNamespace) -> None:
    """Seeds move all methods together; what counts is the difference within each."""
    runs = []
    for everyone, ahead in ((0.1, 0.30), (0.5, 0.32), (0.3, 0.34)):
        values = xr.full_like(study.scores["dice"], everyone)
        values.loc[{"segmenter": "flow 2:1"}] = everyone + ahead
        runs.append(study.scores.assign(dice=values))
    found = compare.paired(runs, "C")
    assert "flow 2:1" not in found.index
    np.testing.assert_allclose(found.loc["classical", [0, 1, 2, "mean"]].astype(float), [0.30, 0.32, 0.34, 0.32])
    assert found.loc["classical", "half"] == pytest.approx(4.303 * 0.02 / np.sqrt(3), rel=1e-3)


def test_scores_hold_every_method_and_site_with_units(study: SimpleNamespace) -> None:
    names = ["random forest", "Gaussian mixture", "real only", "classical", "flow 2:1", "randomised"]
    assert study.scores["segmenter"].values.tolist() == names
    assert {k: study.scores[k].attrs["units"] for k in evaluate.MEASURES} == {
        "dice": "1",
        "surface_dice": "1",
        "hd95": "mm",
    }
    assert study.scores.attrs["main_mix"] == "flow 2:1"
    metrics = report.metrics(study.scores)
    assert {"dice_c_flow", "dice_a_forest", "dice_b_mixture", "dice_c_real", "surface_dice_c_flow"} <= metrics.keys()
    value, unit = metrics["hd95_c_flow"]
    assert unit == "mm" and value == pytest.approx(
        float(study.scores["hd95"].sel(segmenter="flow 2:1", site="C").mean())
    )


def test_finding_nothing_is_counted_and_costs(study: SimpleNamespace) -> None:
    truth = study.test["label"].values == LESION
    both = {"perfect": np.repeat(truth[:, None], 3, 1), "nothing": np.zeros((4, 3, *truth.shape[1:]), bool)}
    scores = evaluate.score(both, study.test)
    for measure, best, worst in (("dice", 1, 0), ("surface_dice", 1, 0), ("hd95", 0, 208 * 2**0.5)):
        assert scores[measure].sel(segmenter="perfect").values == pytest.approx(best)
        assert scores[measure].sel(segmenter="nothing").values == pytest.approx(worst)
    assert scores["missed"].sel(segmenter="nothing").all() and not scores["missed"].sel(segmenter="perfect").any()


def test_synthetic_scans_look_like_scans_and_know_their_protocol(study: SimpleNamespace) -> None:
    made = study.synthetic
    assert np.isfinite(made["image"]).all()
    inside = made["image"].where(made["label"] > 0)
    np.testing.assert_allclose(inside.mean(("y", "x")), 0, atol=1e-4)
    assert made["te"].attrs["units"] == "ms"
    assert (made["label"] == LESION).any(("y", "x")).all()


def test_a_network_that_says_nothing_draws_a_normal_rest() -> None:
    """The closed form by hand: at the ends of the path the velocity is -x and x, and in its middle nothing."""
    import torch

    flow = model.ScanFlow(lambda x, t: torch.zeros_like(x[:, :1]), 1.0, None)  # type: ignore[arg-type]
    x = torch.randn((3, 1, 4, 4), generator=torch.Generator().manual_seed(0))
    v = flow.velocity(x, torch.tensor([0.0, 0.5, 1.0]), x, torch.zeros((3, 4, 4), dtype=torch.int64))
    torch.testing.assert_close(v, torch.stack([-x[0], 0 * x[1], x[2]]))


def test_new_labels_bring_no_anatomy_from_elsewhere(study: SimpleNamespace) -> None:
    made = labels.new_labels(study.real, 6, 0)
    assert set(np.unique(made)) <= {0, 1, 2, 3, 4}
    assert labels.new_labels(study.real, 0, 0).shape == (0, 32, 32)
    np.testing.assert_array_equal(made[:3], labels.new_labels(study.real, 3, 0))


def test_tables_fit_a_terminal(study: SimpleNamespace) -> None:
    """A wider one is folded where the terminal ends, so that the same run would print differently elsewhere."""
    dice, outlines = report.shown(study.scores), report.outlines(study.scores)
    assert list(dice.columns) == ["A", "B", "C (unseen)"]
    assert max(len(line) for table in (dice, outlines) for line in table.to_string().splitlines()) < 75
    missed = int(study.scores["missed"].sel(segmenter="classical", site="C").sum())
    assert outlines.loc["classical", "empty"] == f"{missed} of 4"


def test_a_copied_scan_is_noticed(study: SimpleNamespace) -> None:
    assert float(copies.nearest_distance(study.real, study.real).max()) == 0.0
    assert float(copies.nearest_distance(study.synthetic, study.real).min()) > 0.05
    assert copies.nearer_share(study.real, study.real, study.test) == 1.0
    others = study.test.isel(site=0, case=[0, 2])  # at A, as these patients count
    assert copies.nearer_share(others, study.real, study.test) == 0.0


def test_augmentation_keeps_image_and_label_together(study: SimpleNamespace) -> None:
    import torch

    image = torch.from_numpy(study.real["label"].values[:, None].astype(np.float32))
    label = torch.from_numpy(study.real["label"].values.astype(np.int64))
    moved, labels_moved = augment.move(image, label, torch.Generator().manual_seed(0))
    assert float((moved[:, 0] - labels_moved).abs().mean()) < 0.35  # bilinear against nearest, at borders only


def test_the_record_is_small_and_answers_live(study: SimpleNamespace) -> None:
    size = sum(p.stat().st_size for p in study.outputs.rglob("*") if p.is_file())
    assert size < 10e6
    assert keep.stored_methods(study.outputs) == ["real only", "classical", "flow 2:1", "randomised"]
    for site, load, method in (("A", 0, "real only"), ("C", 50, "flow 2:1")):
        fig, alt = live.respond(study.outputs, site, load, 5, method)
        assert fig.get_suptitle().startswith("no lesion" if load == 0 else "Dice")
        assert "pixels" in alt


def test_more_load_is_more_lesion(study: SimpleNamespace) -> None:
    counts = [live.simulate(study.outputs, "A", load, 3)[1].sum() for load in (0, 10, 30, 50)]
    assert counts[0] == 0
    assert counts == sorted(counts)


def test_every_figure_has_words_from_the_numbers(study: SimpleNamespace) -> None:
    scans = keep.read_kept(study.outputs, "scans.nc")
    for fig, alt in (
        figures.sites_figure(study.test),
        figures.synthetic_figure(study.synthetic),
        figures.scores_figure(study.scores),
        figures.failures_figure(scans, study.scores),
    ):
        assert fig.get_suptitle()
        assert len(alt) > 40
    assert f"{float(study.scores['mean'].sel(segmenter='classical', site='C')):.2f}" in report.answer(study.scores)


@pytest.mark.parametrize(("gain", "verb"), [(0.3, "raise"), (-0.3, "lower"), (0.0, "do not clearly change")])
def test_the_answer_follows_the_numbers(study: SimpleNamespace, gain: float, verb: str) -> None:
    values = study.scores["dice"].copy()
    values.loc[{"segmenter": "classical"}] = 0.4 + 0.01 * np.arange(4)[:, None]
    values.loc[{"segmenter": "flow 2:1"}] = 0.4 + gain + 0.012 * np.arange(4)[::-1, None]
    scores = study.scores.assign(dice=values, mean=values.mean("case"))
    assert f"Synthetic scans {verb}" in report.answer(scores)
    said = report.answer(scores)
    assert {0.3: " At A Dice rises", -0.3: " At A Dice falls", 0.0: "At A and B nothing clearly changes."}[gain] in said
    assert "The price" not in said
    told = words.answers(scores)
    assert told["en"] == said
    assert {0.3: "erhöhen", -0.3: "senken", 0.0: "ändern"}[gain] in told["de"].split(":")[0]
    assert {0.3: "améliorent", -0.3: "réduisent", 0.0: "ne changent pas"}[gain] in words.alts(scores, "x")["fr"]
    before, after = (f"{value:.2f}".replace(".", ",") for value in report.change(scores)[1:3])
    assert f"Dice van {before} naar {after}" in told["nl"]


def test_answer_and_figure_tell_the_price(study: SimpleNamespace) -> None:
    values = study.scores["dice"].copy()
    values.loc[{"segmenter": "classical"}] = 0.4 + 0.02 * np.arange(4)[:, None]
    values.loc[{"segmenter": "flow 2:1"}] = values.sel(segmenter="classical") + xr.DataArray(
        [0, -0.2, 0.2], dims="site"
    )
    scores = study.scores.assign(dice=values, mean=values.mean("case"))
    said = report.answer(scores)
    assert "**Synthetic scans raise" in said
    assert "** The price: at B Dice falls from 0.43 to 0.23. For comparison, at C domain randomisation" in said
    fig, alt = figures.scores_figure(scores)
    title = "Synthetic scans raise Dice at C (0.43 to 0.63) but lower it at B (0.43 to 0.23)"
    assert alt.startswith(f"{title}; dots with 95 % intervals")
    assert str(fig.get_suptitle()).split() == title.split()


def test_the_scores_figure_is_read_on_a_phone(study: SimpleNamespace) -> None:
    with rc_context():
        use_style()
        fig, _ = figures.scores_figure(study.scores)
        read_on_a_phone(fig)


def test_a_broken_or_missing_record_is_one_clear_line(study: SimpleNamespace, tmp_path: Path) -> None:
    with pytest.raises(keep.RecordError, match=r"the record has no scores.nc .*run the study part"):
        keep.read_kept(tmp_path, "scores.nc")
    path = tmp_path / "flow-0.safetensors"
    with pytest.raises(SegmenterError, match=r"cannot read the segmenter .*flow-0.*run the study part again"):
        load_segmenter(path)
    save_segmenter(Segmenter((4, 8)), path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(SegmenterError, match="cannot read the segmenter"):
        load_segmenter(path)


def test_the_same_seed_gives_the_same_bits(study: SimpleNamespace, tmp_path: Path) -> None:
    again = study.make(tmp_path / "outputs")
    xr.testing.assert_identical(again.scores, study.scores)
    xr.testing.assert_identical(again.synthetic, study.synthetic)
    for path in sorted(study.outputs.glob("segmenters/*.safetensors")):
        assert path.read_bytes() == (again.outputs / "segmenters" / path.name).read_bytes()


@pytest.mark.slow
def test_the_dashboard_needs_neither_monai_nor_the_template(study: SimpleNamespace) -> None:
    used = "from genai4eu.usecases.health_imaging import live, keep, report, figures"
    code = f"{used}; live.respond({str(study.outputs)!r}, 'C', 20, 5, 'flow 2:1')"
    assert not imported_by(code, "monai", "nilearn", "nibabel", "sklearn", "ipywidgets")


@pytest.mark.parametrize("ratio", [2, 10])
def test_the_help_of_the_choice_speaks_of_the_mix_that_it_offers(ratio: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from genai4eu.usecases.health_imaging import live

    monkeypatch.setattr(live, "stored_methods", lambda outputs: ["classical", f"flow {ratio}:1"])
    controls = live.controls("none", lambda label, options, **about: about, lambda *args, **about: about)
    assert f"{ratio}:1 synthetic is {ratio} AI-generated slices for each real one" in controls["method"]["help"]
