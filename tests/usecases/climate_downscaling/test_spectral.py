"""What sets the distribution and the spectrum of drawn rain right."""

from __future__ import annotations

import numpy as np
import torch

from genai4eu.usecases.climate_downscaling.evaluate import spectrum
from genai4eu.usecases.climate_downscaling.model import Scaling
from genai4eu.usecases.climate_downscaling.spectral import filtered, fitted
from genai4eu.usecases.climate_downscaling.train import calibrate


def roots(slope: float, seed: int, cases: int = 12) -> torch.Tensor:
    """Return random fields (case, 32, 32) around two whose amplitude falls with the wave number."""
    ky, kx = torch.fft.fftfreq(32, 1 / 32)[:, None], torch.fft.rfftfreq(32, 1 / 32)[None]
    noise = torch.fft.rfft2(torch.randn(cases, 32, 32, generator=torch.Generator().manual_seed(seed)))
    fields = torch.fft.irfft2(noise / (1 + torch.hypot(ky, kx)) ** slope, s=(32, 32))
    scaled: torch.Tensor = 2 + fields / fields.std()
    return scaled


def error(drawn: torch.Tensor, truth: torch.Tensor) -> float:
    """Return the largest error of the spectrum of rain in dB."""
    mine, theirs = (spectrum(x.clamp(min=0).square().numpy()).mean(0) for x in (drawn, truth))
    return float(np.abs(10 * np.log10(mine / theirs)).max())


def test_grain_is_taken_away_and_the_mean_stays() -> None:
    truth, grainy = roots(2.0, 0), roots(1.8, 1)
    assert error(grainy, truth) > 2
    right = filtered(grainy, fitted(grainy, truth))
    assert error(right, truth) < 0.7
    torch.testing.assert_close(right.mean((1, 2)), grainy.mean((1, 2)))


def test_a_gain_of_one_or_none_changes_nothing_on_any_grid() -> None:
    field = torch.rand(2, 24, 40, generator=torch.Generator().manual_seed(2))
    assert filtered(field, ()) is field
    torch.testing.assert_close(filtered(field, [1.0] * 16), field)


def test_a_wave_is_scaled_by_the_gain_of_its_length_whatever_the_domain() -> None:
    gain = [1.0] * 7 + [0.5] * 9  # at 1/32 to 16/32 of a wave a point
    for points in (32, 64):
        place = torch.arange(points) / points
        slow, fast = (torch.cos(2 * torch.pi * round(f * points) * place).expand(points, -1) for f in (1 / 8, 3 / 8))
        torch.testing.assert_close(filtered(slow + fast, gain), slow + 0.5 * fast, atol=1e-5, rtol=0)


def test_drawn_rain_is_given_the_distribution_and_the_spectrum_of_true_rain() -> None:
    """Drawn fields here are too grainy, and heavier in their tail."""
    truth, drawn = roots(2.0, 0).clamp(min=0), roots(1.8, 1)
    drawn = drawn + 0.1 * drawn.clamp(min=0) ** 2
    right = calibrate(Scaling((0.0,), (1.0,), 0.0, 1.0), drawn[:, None], truth[:, None]).calibrated(drawn)
    levels = torch.tensor([0.5, 0.9, 0.99, 0.999])
    assert float(torch.quantile(drawn, 0.999) / torch.quantile(truth, 0.999)) > 1.3
    found, wanted = torch.quantile(right, levels), torch.quantile(truth, levels)
    np.testing.assert_allclose(found, wanted, rtol=0.08)  # the filter moves it a little
    assert error(right, truth) < 0.7
    assert float(right[drawn < 0].abs().max()) < 0.5  # what is dry stays nearly so: only the filter moves it
