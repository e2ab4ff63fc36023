"""Readers: each format as its standard has it, and broken files, which give one line with file and remedy."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.io import read, write
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp import Poscar

from genai4eu.usecases.materials import data, own, readers, records
from genai4eu.usecases.materials.evaluate import matcher

ROCKSALT = Structure.from_spacegroup(225, Lattice.cubic(4.03), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
#: An answer as an OPTIMADE 1.1 provider gives it.
OPTIMADE: dict[str, Any] = {
    "meta": {"api_version": "1.1.0", "query": {"representation": "/structures"}},
    "data": [{
        "id": "1", "type": "structures",
        "attributes": {
            "elements": ["F", "Li"], "nsites": 8, "dimension_types": [1, 1, 1],
            "lattice_vectors": ROCKSALT.lattice.matrix.tolist(),
            "cartesian_site_positions": ROCKSALT.cart_coords.tolist(),
            "species_at_sites": [site.specie.symbol for site in ROCKSALT],
            "species": [{"name": e, "chemical_symbols": [e], "concentration": [1.0]} for e in ("Li", "F")],
            "structure_features": [],
        },
    }],
}  # fmt: skip


def _written(folder: Path, kind: str) -> Path:
    path = folder / "crystal.dat"  # the name tells nothing, on purpose
    if kind == "cif":
        ROCKSALT.to(str(folder / "x.cif"), symprec=0.01)
        path.write_text((folder / "x.cif").read_text())
    elif kind == "poscar":
        path.write_text(Poscar(ROCKSALT).get_str())
    elif kind == "extxyz":
        write(path, [ROCKSALT.to_ase_atoms()] * 2, format="extxyz")
    elif kind == "optimade":
        path.write_text(json.dumps(OPTIMADE))
    else:
        document = {"material_id": "mp-1138", "structure": ROCKSALT.as_dict()}
        path.write_text(
            json.dumps({"mp-list": [document], "mp-api": {"data": [document]}, "bare": ROCKSALT.as_dict()}[kind])
        )
    return path


@pytest.mark.parametrize("kind", ["cif", "poscar", "extxyz", "optimade", "mp-list", "mp-api", "bare"])
def test_every_format_gives_the_same_crystal(tmp_path: Path, kind: str) -> None:
    found = readers.load_crystals(_written(tmp_path, kind))
    assert len(found) == (2 if kind == "extxyz" else 1)
    assert found[0].composition.reduced_formula == "LiF"
    assert found[0].volume / len(found[0]) == pytest.approx(4.03**3 / 8, rel=1e-6)
    assert matcher().get_rms_dist(found[0], ROCKSALT)[0] < 1e-6
    assert found[0].properties["source"] == "crystal.dat"
    assert found[-1].properties["place"] == f"{len(found)} of {len(found)}"


def test_selective_dynamics_direct_and_cartesian_poscar(tmp_path: Path) -> None:
    path = tmp_path / "POSCAR"
    lines = ["LiF", "2.0", "2.015 0 0", "0 2.015 0", "0 0 2.015", "Li F", "1 1", "Selective dynamics", "Cartesian"]
    path.write_text("\n".join([*lines, "0 0 0 T T F", "1.0075 1.0075 1.0075 T T T"]))
    (found,) = readers.load_crystals(path)
    assert found.lattice.a == pytest.approx(4.03)
    np.testing.assert_allclose(found[1].frac_coords, [0.5, 0.5, 0.5], atol=1e-6)


def test_oxidation_states_in_a_cif_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "x.cif"
    text = readers.example_path().read_text().replace("Ti1 Ti 0", "Ti1 Ti4+ 0").replace("O1 O ", "O1 O2- ")
    path.write_text(text)
    (found,) = readers.load_crystals(path)
    assert found.composition.reduced_formula == "TiO2" and len(found) == 6


SITES = "Properties=species:S:1:pos:R:3"
BROKEN = {
    "empty": ("", "none of CIF"),
    "prose": ("Dear all,\nhere is the crystal.\n", "none of CIF, POSCAR"),
    "truncated JSON": (json.dumps(OPTIMADE)[:200], "broken JSON .* download it again"),
    "error answer": (json.dumps({"errors": [{"detail": "no such filter"}]}), "error answer of a server"),
    "no structures": (json.dumps({"data": [{"material_id": "mp-1", "band_gap": 1.0}]}), "holds no structures"),
    "empty answer": (json.dumps({"data": []}), "holds no crystal"),
    "numbers only": ("[1, 2]", "holds no structures"),
    "molecule": ("2\nO2\nO 0 0 0\nO 0 0 1.2\n", "no Lattice in its second line"),
    "slab": (f'1\nLattice="3 0 0 0 3 0 0 0 9" {SITES} pbc="T T F"\nO 0 0 0\n', "not periodic in three"),
    "short xyz": (f'3\nLattice="3 0 0 0 3 0 0 0 3" {SITES} pbc="T T T"\nO 0 0 0\n', "cannot read"),
    "VASP 4": ("x\n1.0\n3 0 0\n0 3 0\n0 0 3\n1 1\nDirect\n0 0 0\n.5 .5 .5\n", "names no elements"),
    "short POSCAR": ("x\n1.0\n3 0 0\n0 3 0\n0 0 3\nLi F\n1 1\nDirect\n0 0 0\n", "cannot read .* as POSCAR"),
    "flat cell": ("x\n1.0\n3 0 0\n0 3 0\n3 3 0\nLi F\n1 1\nDirect\n0 0 0\n.5 .5 .5\n", "crystal.dat"),
    "no atoms": ("data_x\n_cell_length_a 3\n_cell_length_b 3\n_cell_length_c 3\n", "cannot read .* as CIF"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_one_line_with_file_and_remedy(tmp_path: Path, name: str) -> None:
    path = tmp_path / "crystal.dat"
    path.write_text(BROKEN[name][0])
    with pytest.raises(readers.CrystalError, match=BROKEN[name][1]) as caught:
        readers.load_crystals(path)
    assert "crystal.dat" in str(caught.value) and "\n" not in str(caught.value)


def _changed(**attributes: Any) -> str:
    answer = json.loads(json.dumps(OPTIMADE))
    answer["data"][0]["attributes"] |= attributes
    return json.dumps(answer)


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"lattice_vectors": None}, "lacks lattice_vectors: ask for it with response_fields"),
        ({"dimension_types": [1, 1, 0]}, "not periodic in three"),
        ({"cartesian_site_positions": [[0, 0, 0]]}, "cannot read"),
        ({"species": [{"name": e, "chemical_symbols": [e, "Na"], "concentration": [0.5, 0.5]} for e in ("Li", "F")]},
         "shared by several elements"),
        ({"species": [{"name": "Li", "chemical_symbols": ["X"], "concentration": [1.0]}]}, "no elements"),
    ],
)  # fmt: skip
def test_an_optimade_answer_that_cannot_be_used(tmp_path: Path, attributes: dict[str, Any], says: str) -> None:
    path = tmp_path / "answer.json"
    path.write_text(_changed(**attributes))
    with pytest.raises(readers.CrystalError, match=says):
        readers.load_crystals(path)


@pytest.mark.parametrize(
    ("length", "says"),
    [("1000000000", "Å³ for each atom"), ("459.4", "solids have 3 to 120: give lengths in Å, not in nm, pm"),
     ("0.4594", "Å³ for each atom"), ("-4.594", "_cell_length_a -4.594: lengths are above 0"), ("nan", "crystal.dat")],
)  # fmt: skip
def test_a_cell_that_no_solid_has_is_refused_before_anything_is_computed(
    tmp_path: Path, length: str, says: str
) -> None:
    path = tmp_path / "crystal.dat"
    text = readers.example_path().read_text()
    changed = re.sub(r"(_cell_length_a\s+)\S+", rf"\g<1>{length}", text)
    path.write_text(
        changed if length.startswith("-") else re.sub(r"(_cell_length_b\s+)\S+", rf"\g<1>{length}", changed)
    )
    with pytest.raises(readers.CrystalError, match=says):
        readers.load_crystals(path)


@pytest.mark.parametrize("angle", ["190", "0", "-90.0(2)"])
def test_an_angle_that_is_none(tmp_path: Path, angle: str) -> None:
    path = tmp_path / "crystal.dat"
    path.write_text(re.sub(r"(_cell_angle_gamma\s+)\S+", rf"\g<1>{angle}", readers.example_path().read_text()))
    with pytest.raises(readers.CrystalError, match=r"_cell_angle_gamma .*between 0 and 180 degrees"):
        readers.load_crystals(path)


def test_a_cif_cut_short_is_no_other_compound(tmp_path: Path) -> None:
    path = tmp_path / "crystal.dat"
    ROCKSALT.to(str(tmp_path / "x.cif"))
    text = (tmp_path / "x.cif").read_text().rstrip("\n")
    path.write_text("\n".join(text.split("\n")[:-2]))
    with pytest.raises(readers.CrystalError, match=r"names LiF and its sites are Li2F: it was cut short"):
        readers.load_crystals(path)
    path.write_text(text.replace("_chemical_formula_sum", "_chemical_formula_none"))
    assert len(readers.load_crystals(path)[0]) == 8


def test_atoms_in_one_place_are_refused() -> None:
    double = ROCKSALT.copy()
    double.append("Li", [0.02, 0, 0])
    with pytest.raises(readers.CrystalError, match=r"has Li and Li 0\.081 Å apart, less than 0\.5: remove the double"):
        own.first([double])


def test_a_needle_of_a_cell_is_refused_though_its_volume_is_right() -> None:
    needle = Structure(Lattice.orthorhombic(1e6, 0.01, 0.004), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    for some in (own.first, lambda crystals: own.judge(crystals[0], 20)):
        with pytest.raises(readers.CrystalError, match=r"lattice planes 0\.004 Å apart"):
            some([needle])


def test_all_frames_are_solids() -> None:
    for frame in data.frames():
        records.solid(frame.structure, frame.formula)


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(readers.CrystalNotFoundError, match=r"no file at .*nothing\.cif"):
        readers.load_crystals(tmp_path / "nothing.cif")
    (tmp_path / "x").write_bytes(b"\x89PNG\xff\xfe\x00\x81")
    with pytest.raises(readers.CrystalError, match="is no text"):
        readers.load_crystals(tmp_path / "x")


def test_an_own_crystal_meets_the_hull(tmp_path: Path) -> None:
    (rutile,) = readers.load_crystals(readers.example_path())
    end, facts = own.judge(own.first([rutile]), 12)
    assert facts["crystal"].item() == "1 of 1 in rutile.txt"
    assert facts.index.tolist() == ["TiO2"]
    assert facts["structure type"].item() == "rutile" and facts["among the frames"].item() == "yes"
    assert abs(facts["above the hull [eV/atom]"].item()) < 0.05
    assert len(end) == 6
    strange = Structure(Lattice.cubic(5.6), ["Na", "Br"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    with pytest.raises(readers.CrystalError, match="has Br; the hull knows Li, Na"):
        own.first([strange])
    assert len(read(_written(tmp_path, "extxyz"), index=":", format="extxyz")) == 2
