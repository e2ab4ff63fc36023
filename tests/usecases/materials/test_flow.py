"""The generator: what must hold of its tensors, its symmetries, and its training."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice

from genai4eu.usecases.materials import baseline, crystal, evaluate, formulas, prototypes, train
from genai4eu.usecases.materials.crystal import IONS, Stack
from genai4eu.usecases.materials.model import CrystalFlow, flow_losses, walk
from genai4eu.usecases.materials.pairing import paired


@pytest.fixture(scope="module")
def model() -> CrystalFlow:
    torch.manual_seed(3)
    return CrystalFlow(32, 2).eval()


def _given(formula: str = "LiCoO2", count: int = 3) -> Stack:
    made = formulas.by_name()[formula]
    numbers = [IONS.index((e, q)) for e, n, q in made.ions for _ in range(n)]
    generator = torch.Generator().manual_seed(1)
    places = torch.rand((count, len(numbers), 3), generator=generator)
    shape = 0.2 * torch.randn((count, 6), generator=generator)
    volume = torch.full((count,), crystal.ionic_volume(numbers))
    return Stack(torch.tensor([numbers] * count), places, shape, volume, torch.zeros(count))


def test_a_cell_comes_back_from_its_six_numbers_whatever_its_orientation() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        lattice = Lattice.from_parameters(*rng.uniform(3, 9, 3), *rng.uniform(65, 115, 3))
        turned = Lattice(lattice.matrix @ np.linalg.qr(rng.normal(size=(3, 3)))[0])
        shape = crystal.shape_of(lattice, 50.0)
        np.testing.assert_allclose(crystal.shape_of(turned, 50.0), shape, atol=1e-9)
        np.testing.assert_allclose(crystal.lattice_of(shape, 50.0).parameters, lattice.parameters, rtol=1e-9)
        metric = crystal.metric(torch.tensor(shape)[None], torch.tensor([50.0]))[0]
        np.testing.assert_allclose(metric, lattice.matrix @ lattice.matrix.T, rtol=1e-5, atol=1e-4)
        series = crystal._squared(torch.tensor(shape)[None])[0] * 50.0 ** (2 / 3)  # as a GPU does it
        np.testing.assert_allclose(series, metric, rtol=1e-5, atol=1e-4)
        assert shape[:3].sum() == pytest.approx(np.log(lattice.volume / 50.0))


def test_moving_the_crystal_or_the_lattice_points_changes_no_velocity(model: CrystalFlow) -> None:
    given, t = _given(), torch.tensor([0.1, 0.5, 0.9])
    moved, cell = model(given.places, given.shape, t, given)
    shifted = given.places + torch.tensor([0.31, -0.2, 0.77]) + torch.randint(-2, 3, given.places.shape)
    again, cell_again = model(shifted, given.shape, t, given)
    torch.testing.assert_close(again, moved, atol=2e-5, rtol=1e-3)
    torch.testing.assert_close(cell_again, cell, atol=2e-5, rtol=1e-3)
    assert moved.mean(1).abs().max() < 1e-6 and moved.abs().max() > 1e-3


def test_the_order_of_atoms_does_not_matter(model: CrystalFlow) -> None:
    given, t = _given(), torch.tensor([0.2, 0.4, 0.8])
    moved, cell = model(given.places, given.shape, t, given)
    order = torch.tensor([2, 0, 3, 1])
    mixed = Stack(given.ions[:, order], given.places[:, order], given.shape, given.volume, given.above)
    again, cell_again = model(mixed.places, mixed.shape, t, mixed)
    torch.testing.assert_close(again, moved[:, order], atol=2e-5, rtol=1e-3)
    torch.testing.assert_close(cell_again, cell, atol=2e-5, rtol=1e-3)


def test_the_way_around_the_torus_is_the_shortest() -> None:
    way = crystal.wrapped(torch.tensor([0.9, -0.9, 0.4, 2.3, 0.5]))
    torch.testing.assert_close(way, torch.tensor([-0.1, 0.1, 0.4, 0.3, 0.5]), atol=1e-6, rtol=0)


def test_noise_goes_to_the_nearest_atom_of_its_kind() -> None:
    """A crystal that was shuffled within its kinds and shifted is told to stay: no way is left but the common shift."""
    given = _given("Li2TiO3", 5)
    noise = given.places[:, [1, 0, 2, 5, 3, 4]] + 0.3
    made = paired(noise, given.places, given.ions)
    way = crystal.wrapped(given.places - made)
    torch.testing.assert_close(way, torch.zeros_like(way), atol=1e-5, rtol=0)


def test_an_energy_asked_for_is_no_part_of_what_is_stored(model: CrystalFlow) -> None:
    """Flows that earlier versions kept have no such levels among their weights, and are read all the same."""
    assert "levels" not in model.state_dict()


def test_pairing_shortens_ways_and_keeps_noise_and_kinds() -> None:
    given = _given("Na2MnF6", 40)
    noise = torch.rand(given.places.shape, generator=torch.Generator().manual_seed(8))
    made = paired(noise, given.places, given.ions)

    def length(start: torch.Tensor) -> float:
        return float(crystal.wrapped(given.places - start).var(1, unbiased=False).sum(1).mean())

    assert length(made) < 0.75 * length(noise)
    shift = crystal.wrapped(made[:, :, None] - noise[:, None])  # (B, N, N, 3)
    # manganese is alone of its kind, so it tells the shift
    same = crystal.wrapped(shift[:, 2:3, 2:3] - shift).norm(dim=-1)
    alike = given.ions[:, :, None] == given.ions[:, None]
    assert bool(((same < 1e-4) & alike).any(2).all()), "every atom starts at a noise point of its kind, shifted"


def test_the_energy_asked_for_is_heard(model: CrystalFlow) -> None:
    given, t = _given(), torch.tensor([0.5, 0.5, 0.5])
    high = Stack(given.ions, given.places, given.shape, given.volume, torch.full((3,), 0.3))
    assert (
        model(given.places, given.shape, t, given)[1] - model(given.places, given.shape, t, high)[1]
    ).abs().max() > 1e-5


@pytest.mark.slow
def test_training_learns_one_crystal_by_heart() -> None:
    """With a single crystal to learn, the walk ends at it: loss, path and walk agree on where data lies."""
    (cell,) = train.training_frames(2)[:1]
    assert cell.ionic
    data = crystal.stack([cell.structure], [cell.ionic], [0.0]).pick(torch.zeros(64, dtype=torch.long))
    torch.manual_seed(0)
    flow = CrystalFlow(32, 1, data.shape[0], torch.ones(6))
    optimiser = torch.optim.Adam(flow.parameters(), 4e-3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(150):
        loss = sum(flow_losses(flow, data, generator))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[union-attr]
        optimiser.step()
    places, shape = walk(flow, data.pick(torch.arange(8)), 20, generator)
    wanted = crystal.wrapped(data.places[0, 1] - data.places[0, 0])
    found = crystal.wrapped(places[:, 1] - places[:, 0])
    # the cell turned inside out is the same cell, so both signs of the difference are right
    miss = torch.minimum(*(crystal.wrapped(found - sign * wanted).abs().amax(1) for sign in (1, -1)))
    assert float(miss.median()) < 0.08
    assert float((shape - data.shape[0]).abs().mean()) < 0.15


def test_drawn_crystals_have_the_formula_and_the_same_bits_again(study: SimpleNamespace) -> None:
    formula = formulas.by_name()["LiCoO2"]
    first, again = (train.draw(study.model, formula, 3, 5, 4) for _ in range(2))
    assert [s.composition.reduced_formula for s in first] == ["LiCoO2"] * 3
    assert [len(s) for s in first] == [4, 8, 4]
    assert all(np.array_equal(a.frac_coords, b.frac_coords) for a, b in zip(first, again, strict=True))
    large = formulas.by_name()["Li2TiO3"]
    assert {len(s) for s in train.draw(study.model, large, 4, 0, 2, units=3)} == {6}, "more than 12 atoms are not drawn"


def test_baselines_know_no_test_type_and_make_the_formula(study: SimpleNamespace) -> None:
    rng = np.random.default_rng(0)
    for name in ("MgO", "TiO2", "LiCoO2", "NaMgF3"):
        formula = formulas.by_name()[name]
        for made in (
            *baseline.substitute(formula, study.known, 3),
            *baseline.enumerate_types(formula, 4, rng),
            *baseline.search(formula, 2, rng),
        ):
            assert made.composition.reduced_formula == formula.name and evaluate.valid(made)
    assert baseline.likeness(("Li", 1), ("Na", 1)) > 5 * baseline.likeness(("Li", 1), ("Cl", -1))
    parents = {f.prototype for f in train.training_frames()}
    assert not parents & set(prototypes.TEST_PROTOTYPES)


def test_a_broken_generator_is_one_clear_line(study: SimpleNamespace, tmp_path: Path) -> None:
    path = tmp_path / "generator.safetensors"
    with pytest.raises(train.GeneratorError, match=r"cannot read the generator .*run the study part again"):
        train.load_generator(path)
    train.save_generator(study.model, SimpleNamespace(width=32, blocks=2, sampling=8), path)  # type: ignore[arg-type]
    assert train.load_generator(path)[1] == 8
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(train.GeneratorError, match="cannot read the generator"):
        train.load_generator(path)
