"""Energies, hull, relaxation and formulas: what must hold whatever the numbers are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pymatgen.core import Composition, Lattice, Structure

from genai4eu.usecases.materials import data, elements, formulas, hull, neighbours, physics, prototypes, relax
from genai4eu.usecases.materials.hull import Hull


def _rattled(amount: float = 0.08) -> Structure:
    made = Structure.from_spacegroup(225, Lattice.cubic(4.1), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    made = made.get_primitive_structure()
    made.translate_sites([1], [amount, 0.02, 0.0], frac_coords=False)
    return made


def test_one_walk_back_gives_what_chgnet_says() -> None:
    crystal = _rattled()
    energy, forces, stress = physics.evaluate(crystal)
    theirs = physics.chgnet().predict_structure(crystal)
    assert energy / 2 == pytest.approx(float(theirs["e"]), abs=1e-5)
    np.testing.assert_allclose(forces, theirs["f"], atol=1e-4)
    np.testing.assert_allclose(stress * 160.21766, theirs["s"], atol=2e-2)  # CHGNet has GPa


def test_the_graph_is_that_of_chgnet() -> None:
    """As many edges, bonds and angles in small and large cells, and every angle between two edges of its atom."""
    for cell in (_rattled(), _rattled() * (2, 1, 1), data.frames()[150].structure):
        near = neighbours.neighbours(cell.lattice.matrix, cell.frac_coords)
        theirs = physics.chgnet().graph_converter(cell)
        assert len(near.centre) == len(theirs.atom_graph) == 2 * len(near.edge)
        assert len(near.edge) == len(theirs.undirected2directed)
        assert near.angle.shape[1] == len(theirs.bond_graph) > 0
        middle, first, second, one, other = near.angle
        assert bool((near.centre[one] == middle).all() and (near.centre[other] == middle).all())
        assert bool((near.bond[one] == near.short[first]).all() and (near.bond[other] == near.short[second]).all())
        # both directions of a bond are as long
        along = near.image.double() @ cell.lattice.matrix + _at(cell)[near.other] - _at(cell)[near.centre]
        np.testing.assert_allclose(along.norm(dim=1), along.norm(dim=1)[near.edge][near.bond], atol=1e-6)


def _at(cell: Structure) -> torch.Tensor:
    return torch.tensor(cell.cart_coords)


@pytest.mark.parametrize("number", [60, 250, 500])
def test_energies_without_short_bonds_or_with_many_are_chgnets(number: int) -> None:
    cell = data.frames()[number].structure.copy()
    for size in (1.0, 1.6):
        cell.scale_lattice(cell.volume * size)
        energy, forces, stress = physics.evaluate(cell)
        theirs = physics.chgnet().predict_structure(cell)
        assert energy / len(cell) == pytest.approx(float(theirs["e"]), abs=1e-5)
        np.testing.assert_allclose(forces, theirs["f"], atol=2e-4)
        np.testing.assert_allclose(stress * 160.21766, theirs["s"], atol=2e-2)  # CHGNet has GPa


def test_forces_and_stress_are_the_slope_of_the_energy() -> None:
    crystal, step = _rattled(), 2e-2
    _, forces, stress = physics.evaluate(crystal)
    ends = []
    for sign in (-1, 1):
        moved = crystal.copy()
        moved.translate_sites([1], [sign * step, 0, 0], frac_coords=False)
        ends.append(physics.evaluate(moved)[0])
    assert forces[1, 0] == pytest.approx(-(ends[1] - ends[0]) / (2 * step), rel=0.05, abs=5e-3)
    stretched = [crystal.copy().apply_strain(sign * 5e-3, inplace=False) for sign in (-1, 1)]
    slope = (physics.evaluate(stretched[1])[0] - physics.evaluate(stretched[0])[0]) / 1e-2
    assert np.trace(stress) * crystal.volume == pytest.approx(slope, rel=0.05, abs=0.02)


def test_atoms_too_far_apart_are_refused() -> None:
    lonely = Structure(Lattice.cubic(20), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    with pytest.raises(ValueError, match="isolated"):
        physics.evaluate(lonely)
    assert relax.relax(lonely, 3) is None


def test_a_relaxation_lowers_the_energy_and_counts_what_it_asks() -> None:
    start = _rattled()
    end = relax.relax(start, 25)
    assert end is not None and end.converged and end.evaluations < 25
    assert end.energy < physics.evaluate(start)[0] / 2
    short = relax.relax(start, 2)
    assert short is not None and short.evaluations == 2 and not short.converged and short.energy > end.energy


def test_relaxing_many_is_relaxing_each_bit_by_bit() -> None:
    cells = [_rattled(x) for x in (0.03, 0.06, 0.09)]
    many = relax.relax_all(cells, 3)
    again = relax.relax_all(cells[::-1], 3)[::-1]
    assert [m.energy for m in many if m] == [a.energy for a in again if a]
    assert len([m for m in many if m]) == 3
    assert [m.evaluations for m in relax.relax_all(cells, [1, 2, 3]) if m] == [1, 2, 3], "or a number for each"


@pytest.mark.slow
def test_processes_relax_as_threads_do() -> None:
    cells = [_rattled(0.02 + 0.01 * i) for i in range(9)]
    threads, workers = relax.relax_all(cells, 2), relax.relax_all(cells, 2, workers=2)
    assert [one.energy for one in threads if one] == [one.energy for one in workers if one]
    assert len([one for one in workers if one]) == 9


def _frame(formula: str, energy: float) -> data.Frame:
    composition = Composition(formula)
    names = [e.symbol for e, n in composition.items() for _ in range(int(n))]
    return data.Frame(
        formula, "made up", Structure(Lattice.cubic(4), names, np.random.default_rng(0).random((len(names), 3))), energy
    )


def test_hull_and_voltage_by_hand() -> None:
    made = Hull(
        [_frame("Li", -2.0), _frame("Co", -7.0), _frame("O", -5.0), _frame("LiCoO2", -6.0), _frame("CoO2", -6.5)]
    )
    assert made.above(Composition("LiCoO2"), -6.0) == pytest.approx(0.0)
    assert made.above(Composition("LiCoO2"), -5.9) == pytest.approx(0.1)
    assert made.above(Composition("LiCoO2"), -6.2) == pytest.approx(-0.2)
    # half of the atoms of Li2CoO2 ... by the lever rule: Li + LiCoO2
    assert made.energy(Composition("Li2CoO2")) == pytest.approx((-2.0 + 4 * -6.0) / 5)
    assert made.decay(Composition("Li2CoO2")) == "Li + LiCoO2"
    # V = -(E(LiCoO2) - E(CoO2) - E(Li)) / 1 = -(-24 + 19.5 + 2)
    assert made.voltage(Composition("LiCoO2"), -6.0) == pytest.approx(2.5)
    assert np.isnan(made.voltage(Composition("CoO2"), -6.5))
    assert np.isnan(made.voltage(Composition("Li2CoO3"), -6.5)), "cobalt would need a charge of six"


def test_formulas_are_neutral_by_two_accounts() -> None:
    for formula in formulas.formulas():
        assert sum(n * q for _, n, q in formula.ions) == 0
        assert formulas.neutral({e: n for e, n, _ in formula.ions}), formula.name
    assert not formulas.neutral({"Li": 1, "O": 2})
    assert len({f.name for f in formulas.formulas()}) == len(formulas.formulas())


@pytest.mark.parametrize("name", prototypes.PROTOTYPES)
def test_prototypes_have_their_symmetry_and_sensible_distances(name: str) -> None:
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    kind = prototypes.PROTOTYPES[name]
    formula = next(f for f in formulas.formulas() if f.pattern == kind.pattern)
    taken = prototypes.assignment(name, formula)
    assert taken is not None and set(taken.values()) == set(formula.elements)
    made = prototypes.decorate(name, formula, taken)
    assert made.composition.reduced_formula == Composition(formula.name).reduced_formula
    if kind.group > 1:
        assert SpacegroupAnalyzer(made, 0.01).get_space_group_number() == kind.group
    apart = made.distance_matrix[np.triu_indices(len(made), 1)]
    assert apart.min() > 1.0
    assert prototypes.touching(made, formula.charges) == pytest.approx(1.0)


def test_train_and_test_share_neither_formula_nor_structure_type() -> None:
    parts: dict[str, list[data.Frame]] = {}
    for frame in data.frames():
        parts.setdefault(frame.part, []).append(frame)
    train, test = ({f.formula for f in parts[p]} for p in ("train", "test"))
    assert train and test and not train & test
    train, test = ({f.became or f.prototype for f in parts[p]} for p in ("train", "test"))
    assert train and test and not train & test
    assert not any(f.became for f in parts["train"])
    assert any(f.became for f in data.frames()), "some do relax into a test type, and that is noted"
    assert {f.formula for f in parts["hull"]} >= set(elements.ELEMENTS)


def test_no_training_frame_matches_a_test_type() -> None:
    """Look again at a sample, with the tolerances of the literature."""
    from genai4eu.usecases.materials.evaluate import framework

    train = [f for f in data.frames() if f.part == "train" and f.ionic and len(f.structure) <= 6]
    for frame in train[:: max(1, len(train) // 25)]:
        assert frame.ionic and not framework(frame.structure, frame.ionic, unseen=True), (
            frame.formula,
            frame.prototype,
        )


def test_the_shipped_frames_are_settled_and_on_their_own_hull() -> None:
    frames = data.frames()
    assert data.FRAMES.stat().st_size < 2e6
    lowest = min(hull.whole_hull().above(f.structure.composition, f.energy) for f in frames[::7])
    assert lowest > -1e-6
    assert physics.evaluate(frames[200].structure)[0] / len(frames[200].structure) == pytest.approx(
        frames[200].energy, abs=2e-3
    )


def test_broken_frames_name_the_file_and_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "frames.extxyz.gz"
    with pytest.raises(data.FramesError, match=r"cannot read the frames in .*make_frames"):
        data.frames(path)
    path.write_bytes(data.FRAMES.read_bytes()[:500])
    with pytest.raises(data.FramesError, match="make_frames"):
        data.frames(path)
