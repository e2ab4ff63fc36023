"""Drawn scores made to keep what the training years say of amounts, months and spells. Called by the generator.

A network trained for a minute gets the shape of weather right before its numbers. Four things are known from the
training years well enough to be set: the distribution of each month's days, the totals of the drawn months, how much
years differ, and how long dry spells last. What is left to the flow is which days go together, across the four
variables and over weeks.
Nothing here sees a held-out year.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from .anomalies import Months, by_month
from .latents import Scores
from .statistics import RAINY, spells
from .weather import MONTH, Array, monthly

ROUNDS = 4  # of ranks and totals in turn: each undoes a little of the other
EVENINGS = 4  # of the spread between years
HALVINGS = 6  # of the share of noise
BISECTIONS = 14  # of a month's shift: to a thousandth of a standard deviation


def calibrate(scores: Array, drawn: Array, months: Months, mapped: Scores, rng: np.random.Generator) -> Array:
    """Return calibrated scores.

    Parameters
    ----------
    scores : ndarray, shape (year, 4, 365)
        From the flow.
    drawn : ndarray, shape (year, 4, 12)
        The anomalies that the flow was given.
    months, mapped : Months, Scores
        Of the training years.
    rng : numpy.random.Generator
        Of the noise that loosens spells.

    Returns
    -------
    ndarray, shape (year, 4, 365)
        Where spells come out too long, the scores of rain are loosened by just so much white noise that their mean
        length is that of the training years; too short ones stay.
    """
    noise = rng.standard_normal(scores[:, 0].shape)
    low, high = 0.0, 1.0
    drawn = evened(scores, drawn, months, mapped)
    found = settle(scores, drawn, months, mapped, ROUNDS)
    if _dry_spell(found, mapped) <= months.dry_spell:
        return found
    for _ in range(HALVINGS):
        share = (low + high) / 2
        loose = scores.copy()
        loose[:, 0] = np.sqrt(1 - share) * scores[:, 0] + np.sqrt(share) * noise
        found = settle(loose, drawn, months, mapped, 2)
        low, high = (share, high) if _dry_spell(found, mapped) > months.dry_spell else (low, share)
    return settle(loose, drawn, months, mapped, ROUNDS)


def evened(scores: Array, drawn: Array, months: Months, mapped: Scores) -> Array:
    """Return the anomalies with those of rain drawn together until years differ as the training years do.

    Sums of cubed roots and the turns of :func:`settle` spread years more than they should: by how much is seen from the
    drawn years and the training years alone.
    """
    middle, made = drawn[:, 0].mean(0), drawn.copy()
    for _ in range(EVENINGS):
        rain = mapped.rain(settle(scores, made, months, mapped, 2)[:, 0])
        made[:, 0] = middle + (made[:, 0] - middle) * months.annual_sd / max(float(rain.sum(1).std(ddof=1)), 1.0)
    return made


def settle(scores: Array, drawn: Array, months: Months, mapped: Scores, rounds: int) -> Array:
    """Return scores with the training years' quantiles, and nearly the drawn months' totals."""
    for _ in range(rounds):
        scores = rank_scores(agree(rank_scores(scores), drawn, months, mapped))
    return scores


def _dry_spell(scores: Array, mapped: Scores) -> float:
    return float(spells(mapped.rain(scores[:, 0]) >= RAINY, False).mean())


def rank_scores(scores: Array) -> Array:
    """Return scores (year, 4, 365) with every month's values replaced by the normal scores of their ranks.

    This is the calibration of quantiles: over all drawn years together, each month of each variable has exactly the
    distribution of the training years; which day of which year is high or low stays the flow's.
    """
    out = np.empty_like(scores)
    for m in range(12):
        days = m == MONTH
        part = scores[:, :, days].transpose(1, 0, 2)  # (4, year, day)
        flat = part.reshape(len(part), -1)
        place = (flat.argsort(1).argsort(1) + 0.5) / flat.shape[1]
        out[:, :, days] = ndtri(place).reshape(part.shape).transpose(1, 0, 2)
    return out


def agree(scores: Array, drawn: Array, months: Months, mapped: Scores) -> Array:
    """Return scores (year, 4, 365) shifted month by month until they agree with the drawn anomalies.

    Temperature and ET0 take the difference of means. Rain's score is shifted by bisection until the month's total is
    the drawn one: one shift changes the number of wet days and their amounts together, as wet and dry months do.
    """
    out = scores.copy()
    gap = drawn[:, 1:] - by_month(scores[:, 1:])
    out[:, 1:] += gap[..., MONTH]
    want, low, high = months.totals(drawn), np.full(gap[:, 0].shape, -4.0), np.full(gap[:, 0].shape, 4.0)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        less = monthly(mapped.rain(scores[:, 0] + middle[:, MONTH])) < want
        low, high = np.where(less, middle, low), np.where(less, high, middle)
    out[:, 0] += ((low + high) / 2)[:, MONTH]
    return out
