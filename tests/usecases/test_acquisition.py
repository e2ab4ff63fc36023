"""The physics: signal equations against worked values, and the contrasts that radiologists know."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from genai4eu.usecases.health_imaging import labels, model, randomise, train
from genai4eu.usecases.health_imaging.acquisition import Protocol, acquire, signal
from genai4eu.usecases.health_imaging.relaxometry import TISSUES, tissue_values
from genai4eu.usecases.health_imaging.sites import (
    DEVELOPMENT,
    SITES,
    TRAINING_SITES,
    UNSEEN_SITE,
    contrast,
    draw_protocol,
    draw_protocols,
    shows_lesions,
)


def test_signals_agree_with_the_equations_worked_by_hand() -> None:
    # white matter at 3 T: T1 838 ms, T2 69 ms, proton density 0.77
    spin_echo = signal(Protocol("spin-echo", 3.0, tr=838.0, te=69.0)).sel(tissue="wm")
    assert float(spin_echo) == pytest.approx(0.77 * (1 - np.exp(-1)) * np.exp(-1))
    nulled = signal(Protocol("flair", 3.0, tr=1e9, te=0.0, ti=838.0 * np.log(2))).sel(tissue="wm")
    assert float(nulled) == pytest.approx(0.0, abs=1e-9)
    # at 90 degrees a spoiled gradient echo is a saturation recovery
    spgr = signal(Protocol("spgr", 3.0, tr=838.0, te=0.0, flip=90.0)).sel(tissue="wm")
    assert float(spgr) == pytest.approx(0.77 * (1 - np.exp(-1)))


def test_contrasts_are_those_of_the_three_weightings() -> None:
    level = {name: abs(signal(site.protocol)).to_series() for name, site in SITES.items()}
    assert level["A"].idxmax() == "lesion"
    assert level["A"].idxmin() == "csf"
    assert level["B"]["csf"] < level["B"]["lesion"] < level["B"]["wm"]
    assert level["C"]["csf"] > level["C"]["lesion"] > level["C"]["gm"] > level["C"]["wm"]


def test_values_carry_units_and_an_unknown_field_is_refused() -> None:
    values = tissue_values(3.0)
    assert values.t1.attrs["units"] == values.t2.attrs["units"] == "ms"
    with pytest.raises(ValueError, match=r"no tissue values for 7.0 T: use one of 1.5 T, 3.0 T"):
        tissue_values(7.0)


def test_noise_is_rician_with_the_asked_level() -> None:
    rng = np.random.default_rng(0)
    fractions = np.zeros((len(TISSUES), 128, 128), np.float32)
    fractions[TISSUES.index("csf"), :, :64] = 1.0  # half fluid, half grey matter
    fractions[TISSUES.index("gm"), :, 64:] = 1.0
    image = acquire(fractions, SITES["C"].protocol, rng, noise=4.0, bias=0.0)
    step = image[:, :64].mean() - image[:, 64:].mean()
    assert 0.03 < image[:, :64].std() / step < 0.08  # 4 % of the brightest, over a step of well under it


def test_protocols_are_drawn_over_all_sequences_and_only_from_the_range() -> None:
    rng = np.random.default_rng(1)
    drawn = [draw_protocol(rng) for _ in range(300)]
    assert {p.sequence for p in drawn} == {"spin-echo", "flair", "spgr"}
    assert {p.field for p in drawn} == {1.5, 3.0}
    assert all(2 <= p.te <= 160 and 5 <= p.tr <= 12000 for p in drawn)


def test_half_of_the_protocols_are_spread_evenly_over_contrasts_and_lesions_are_seen_in_all() -> None:
    drawn = draw_protocols(120, np.random.default_rng(1))
    assert draw_protocols(12, np.random.default_rng(3)) == draw_protocols(12, np.random.default_rng(3))
    assert len(drawn) == len(set(drawn)) == 120
    assert all(shows_lesions(p) for p in drawn)
    assert not shows_lesions(Protocol("spin-echo", 3.0, tr=4177.0, te=12.31))  # proton density alone
    rng = np.random.default_rng(2)
    usual = [p for p in (draw_protocol(rng) for _ in range(260)) if shows_lesions(p)]
    assert _foreign(drawn) > _foreign(usual) + 0.05


def _foreign(protocols: list[Protocol]) -> float:
    """Return the share of protocols whose tissues have an order of brightness that no training site shows."""
    known = {tuple(np.argsort(contrast(SITES[s].protocol))) for s in TRAINING_SITES}
    return float(np.mean([tuple(np.argsort(contrast(p))) not in known for p in protocols]))


def test_what_is_tuned_is_tuned_elsewhere() -> None:
    assert not set(DEVELOPMENT) & set(SITES)
    protocols = {site.protocol for site in SITES.values()} | {site.protocol for site in DEVELOPMENT.values()}
    assert len(protocols) == 4
    order = abs(signal(DEVELOPMENT["D"].protocol)).to_series().sort_values().index.tolist()
    assert order == ["wm", "csf", "gm", "lesion"]


def test_no_training_code_knows_the_unseen_site() -> None:
    assert UNSEEN_SITE not in TRAINING_SITES
    for module in (labels, model, randomise, train):
        source = inspect.getsource(module)
        assert "UNSEEN" not in source
        assert '"C"' not in source
