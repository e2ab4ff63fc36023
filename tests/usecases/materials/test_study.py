"""The study: metrics by hand, scores, record, live answer, and the same bits for the same seed."""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from ase.io import read
from matplotlib import rc_context
from pymatgen.core import Lattice, Structure

from genai4eu.usecases.materials import (
    evaluate,
    figures,
    forest,
    formulas,
    keep,
    live,
    readers,
    report,
    screening,
    train,
)
from genai4eu.usecases.materials.propose import METHODS, SCREENED
from genai4eu.usecases.materials.relax import Relaxed
from genai4eu.usecases.materials.sizes import PROFILES
from genai4eu.widgets import use_style

from ..checks import read_on_a_phone

SALT = Structure.from_spacegroup(225, Lattice.cubic(4.03), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def test_validity_by_hand() -> None:
    assert evaluate.valid(SALT)
    close = Structure(Lattice.cubic(4), ["Li", "F"], [[0, 0, 0.99], [0, 0, 0.1]])
    assert not evaluate.valid(close), "0.44 Å through the face"
    assert not evaluate.valid(Structure(Lattice.cubic(3), ["Mg", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])), "not neutral"
    assert not evaluate.valid(Structure(Lattice.cubic(12), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])), "a gas"


def test_uniqueness_sees_through_supercells_and_shifts() -> None:
    shifted = SALT.get_primitive_structure().translate_sites([0, 1], [0.3, 0.1, 0.2])
    other = Structure(Lattice.cubic(2.5), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert evaluate.unique([SALT, shifted, other, SALT * (2, 1, 1)]).tolist() == [True, False, True, False]


def test_displacement_by_hand() -> None:
    moved = SALT.get_primitive_structure()
    start = moved.copy()
    moved.translate_sites([1], [0.2, 0, 0], frac_coords=False)
    moved.translate_sites([0, 1], [0.9, 0.4, 0.7])
    # one of two atoms by 0.2 Å: 0.1 each from their mean
    assert evaluate.displacement(start, moved) == pytest.approx(0.1)


def test_bootstrap_interval_covers_the_mean_and_shrinks_with_formulas() -> None:
    values = np.random.default_rng(0).normal(0.5, 0.1, (1, 400))
    low, high = evaluate.bootstrap(values)
    assert low[0] < values.mean() < high[0]
    assert high[0] - low[0] == pytest.approx(2 * 1.96 * 0.1 / 20, rel=0.15)


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0.0, 0.49), (1.0, 0.51, 1.0), (0.5, 0.01, 0.99)])
def test_formulas_that_are_all_alike_give_no_interval_without_width(share: float, low: float, high: float) -> None:
    found = evaluate.bootstrap(np.full((1, 4), share))
    assert [float(x[0]) for x in found] == pytest.approx([low, high], abs=0.005)
    found = evaluate.bootstrap(np.full((1, 4), share - 0.5), differences=True)
    assert float(found[0][0]) == pytest.approx(share - 0.5 - 0.49, abs=0.005)


def test_few_formulas_cannot_tell_that_two_methods_do_alike(study: SimpleNamespace) -> None:
    few = _scores(study, 0.5, 0.5).isel(formula=slice(18, 22))
    assert report.verdict(few, "random enumeration") == "neither surely more nor surely less often than"
    # none against half of four formulas
    at = xr.where(few["above"]["proposer"] == "flow", 0.5, few["above"])  # type: ignore[no-untyped-call]
    assert (
        report.verdict(few.assign(above=at), "random enumeration") == "neither surely more nor surely less often than"
    )


def test_a_try_without_a_proposal_fails_and_all_that_is_said_says_so(study: SimpleNamespace) -> None:
    proposed, relaxed = ({m: [list(s) for s in v] for m, v in d.items()} for d in (study.proposed, study.relaxed))
    start, end = SALT.get_primitive_structure(), Relaxed(SALT.get_primitive_structure(), -99.0, 0.0, 1)
    for some, one in ((proposed, start), (relaxed, end)):
        some["flow"] = [[one, one], [one]]
        some["ion substitution"] = [[one], []]
    scores = evaluate.score(proposed, relaxed, study.chosen)
    assert float(scores["stable"].sel(proposer="flow")) == pytest.approx(3 / 4)
    assert float(scores["stable"].sel(proposer="ion substitution")) == pytest.approx(1 / 4)
    assert scores["relaxed"].sel(proposer=["flow", "ion substitution"]).values.tolist() == [3, 1]
    assert figures.scores_figure(study.scores)[0].axes[0].get_xlabel().startswith("tries within")
    assert "of the flow's tries" in report.answer(study.scores).lower()
    card = tomllib.loads(Path(keep.__file__).with_name("card.toml").read_text())
    assert all("tries" in said for name, said in card["metrics"].items() if name.startswith(("stable_", "new_")))


def test_units_of_metrics(study: SimpleNamespace) -> None:
    units = {name: report.unit(name) for name in report.metrics(study.scores)}
    assert units["moved_flow"] == "Å" and units["stable_flow"] == units["unique_flow"] == "1"


def test_what_is_far_from_the_hull_is_not_called_near(study: SimpleNamespace) -> None:
    crystals = keep.viewed(study.outputs)
    far, near = ([c | {"above": above} for c in crystals] for above in (1.1, 0.02))
    assert figures.viewed_figure(far)[0].get_suptitle() == "No crystal here is near the hull: the nearest"
    assert figures.viewed_figure(near)[0].get_suptitle() == "The flow's crystals nearest to the hull"


def test_a_negative_voltage_is_no_candidate(study: SimpleNamespace) -> None:
    made = SALT.get_primitive_structure()
    made.properties = {"above": 1.5, "volts": -0.6}
    assert "below 0 V, it would give its lithium away" in keep._viewed("LiF", made)["alt"]
    volts = study.scores["volts"] * 0 - 0.6
    assert report.candidates(study.scores.assign(volts=volts)).empty


def test_a_formula_that_the_study_has_not_is_one_clear_line(study: SimpleNamespace) -> None:
    with pytest.raises(formulas.FormulaError, match=r"LiFePO4 is none of the study's \d+ formulas: choose one"):
        formulas.by_name()["LiFePO4"]
    with pytest.raises(formulas.FormulaError, match="LiFePO4 is none"):
        train.draw(study.model, "LiFePO4", 1, 0, 2)
    (drawn,) = train.draw(study.model, "LiCoO2", 1, 0, 2)
    assert drawn.composition.reduced_formula == "LiCoO2"


def _counts(structure: Structure) -> dict[str, int]:
    return {e.symbol: int(n) for e, n in structure.composition.reduced_composition.items()}


def test_the_same_budget_for_every_method(study: SimpleNamespace) -> None:
    for method in METHODS:
        for formula, some in zip(study.chosen, study.proposed[method], strict=True):
            assert len(some) <= 1
            assert all(formulas.find(_counts(s)) == formula for s in some)
        ends = [e for ends in study.relaxed[method] for e in ends if e]
        # two proposals are screened and one is relaxed: three evaluations a formula in all, by every method
        assert max(e.evaluations for e in ends) == (1 if method in SCREENED else 3)


def test_screening_puts_the_lowest_energy_first_and_what_has_none_last() -> None:
    stretched = SALT.get_primitive_structure()
    stretched.scale_lattice(stretched.volume * 1.3)
    lonely = Structure(Lattice.cubic(20), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    (first, second, third), empty = screening.screened([[lonely, stretched, SALT], []])
    assert (first, second, third) == (SALT, stretched, lonely) and empty == []


def test_all_methods_spend_as_many_evaluations_on_a_formula() -> None:
    for sizes in PROFILES.values():
        screened, plain = (screening.allowed(sizes, screens) * sizes.tries for screens in (True, False))
        assert plain - sizes.tries < screened + sizes.draws <= plain


def test_scores_have_units_and_count_what_fell_apart_as_unstable(study: SimpleNamespace) -> None:
    assert study.scores["above"].attrs["units"] == "eV/atom"
    gone: dict[str, list[list[Relaxed | None]]] = {}
    for method, some in study.relaxed.items():
        gone[method] = [[None for _ in ends] for ends in some]
    scores = evaluate.score(study.proposed, gone, study.chosen)
    assert float(scores["stable"].max()) == 0.0
    assert study.scores["relaxed"].values.tolist() == [sum(map(len, study.proposed[m])) for m in METHODS]


def _scores(study: SimpleNamespace, flow: float, others: float) -> xr.Dataset:
    """Return scores in which these shares of 40 formulas are stable."""
    above = np.full((6, 40, 1), 0.5)
    for i, share in enumerate((flow, *[others] * 5)):
        above[i, : round(40 * share)] = 0.0
    stable = (above < 0.1).mean((1, 2))
    dims = ("proposer", "formula", "try")
    names = [f"F{i}" for i in range(40)]
    empty = {n: (dims, np.zeros(above.shape)) for n in ("volts", "moved", "force")}
    shares = dict.fromkeys(("stable", "stable_low", "stable_high", "new"), ("proposer", stable))
    return xr.Dataset(
        {"above": (dims, above), **empty, **shares, "relaxed": ("proposer", [40] * 6)},
        coords={"proposer": list(METHODS), "formula": names},
        attrs={"cutoff": 0.1, "valid": 1.0, "unique": 1.0},
    )


@pytest.mark.parametrize(
    ("flow", "others", "says"),
    [(0.9, 0.3, "more often than"), (0.2, 0.8, "less often than"), (0.5, 0.5, "about as often as")],
)
def test_the_answer_follows_the_numbers(study: SimpleNamespace, flow: float, others: float, says: str) -> None:
    scores = _scores(study, flow, others)
    said = report.answer(scores)
    assert f"{100 * flow:.0f} % end within 0.1 eV/atom" in said
    assert f"the flow is right {says} enumeration and {says} substitution" in said
    assert (
        f"{100 * flow:.0f} % of the flow's crystals are near the hull, {100 * others:.0f} % by chance"
        in report.finding(scores)
    )


def test_table_over_seeds(study: SimpleNamespace) -> None:
    table = evaluate.table([_scores(study, 0.5, 0.25), _scores(study, 0.75, 0.25)])
    assert table.loc["flow", ("stable", "mean")] == pytest.approx(0.625)
    assert table.loc["flow", ("stable", "sd")] == pytest.approx(0.25 / np.sqrt(2))
    assert {"moved [Å]", "stable and new type"} <= set(table.columns.get_level_values(0))


def test_metrics_have_a_number_for_every_method(study: SimpleNamespace) -> None:
    told = report.metrics(study.scores)
    assert {
        "stable_flow",
        "stable_substitution",
        "new_enumeration",
        "moved_search",
        "valid_flow",
        "unique_flow",
    } <= told.keys()
    assert report.shown(study.scores).shape == (6, 2) and report.details(study.scores).shape == (6, 4)


def test_the_forest_is_tested_on_formulas_it_never_saw() -> None:
    made = forest.predict(20, 0)
    test = made.where(made["part"] == "test", drop=True)
    assert made.attrs["volume_mae"] == pytest.approx(float(abs(test["volume_forest"] - test["volume"]).mean()))
    assert made.attrs["volume_mae"] < made.attrs["volume_mae_of_mean"]


def test_every_figure_has_words_from_the_numbers(study: SimpleNamespace) -> None:
    best = keep.best_crystals(study.outputs)
    for fig, alt in (
        figures.frames_figure(study.known),
        figures.crystals_figure([study.proposed["flow"][0][0]], ["LiF"], "As drawn, not relaxed"),
        figures.scores_figure(study.scores),
        figures.failures_figure(study.scores, best),
        figures.viewed_figure(keep.viewed(study.outputs)),
    ):
        assert fig.get_suptitle()
        assert len(alt) > 40


def test_the_scores_figure_is_read_on_a_phone(study: SimpleNamespace) -> None:
    with rc_context():
        use_style()
        fig, _ = figures.scores_figure(study.scores)
        read_on_a_phone(fig)


def test_the_record_is_small_and_other_tools_read_it(study: SimpleNamespace) -> None:
    assert sum(p.stat().st_size for p in study.outputs.rglob("*") if p.is_file()) < 3e6
    crystals = read(study.outputs / "crystals.extxyz", index=":")
    assert {a.info["method"] for a in crystals} <= set(METHODS)
    for path in (study.outputs / "cif").iterdir():
        (found,) = readers.load_crystals(path)
        assert evaluate.matcher().fit(found, keep.best_crystals(study.outputs)[path.stem])


def test_the_live_answer_comes_from_the_record(study: SimpleNamespace) -> None:
    name = study.chosen[0].name
    fig, alt = live.respond(study.outputs, name, 3.5, 0.1, 2, 1)
    assert fig.get_suptitle().startswith(f"{name}: ")
    assert "eV/atom" in alt
    assert live.best_match(study.outputs, 3.0, 0.2) in [f.name for f in study.chosen]


def test_a_broken_or_missing_record_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(keep.RecordError, match=r"the record has no scores.nc .*run the study part"):
        keep.read_kept(tmp_path, "scores.nc")
    with pytest.raises(keep.RecordError, match=r"the record has no crystals.extxyz"):
        keep.kept_crystals(tmp_path)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits(study: SimpleNamespace, tmp_path: Path) -> None:
    again = study.make(tmp_path / "outputs")
    xr.testing.assert_identical(again.scores, study.scores)
    xr.testing.assert_identical(again.properties, study.properties)
    for name in ("generator.safetensors", "crystals.extxyz"):
        assert (study.outputs / name).read_bytes() == (again.outputs / name).read_bytes()
