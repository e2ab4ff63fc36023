"""The study: metrics by hand, scores, record, live answer, and the same bits for the same seed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from ase.io import read
from matplotlib import rc_context
from matplotlib.text import Text
from pymatgen.core import Lattice, Structure

from genai4eu.usecases.materials import evaluate, figures, forest, formulas, keep, live, readers, report, screening
from genai4eu.usecases.materials.propose import METHODS, SCREENED
from genai4eu.usecases.materials.relax import Relaxed
from genai4eu.usecases.materials.sizes import PROFILES
from genai4eu.widgets import use_style

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
        fig.draw_without_rendering()
    shrunk = 288 / (fig.get_figwidth() * 72)  # pixels a point
    texts = [t for t in fig.findobj(Text) if t.get_text() and t.get_visible()]
    assert min(float(t.get_fontsize()) for t in texts) * shrunk >= 9
    assert fig.get_tightbbox().x1 <= fig.get_figwidth()


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
