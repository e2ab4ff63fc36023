"""The three hospitals, and the range of protocols from which synthetic scans are drawn. Called by ``data``.

Settings are those which the sources state. Noise and inhomogeneity are not part of a protocol: they are our choice
within BrainWeb's range (0-9 %, 0-40 %; Collins et al. 1998, IEEE TMI 17:463).

- **A**: UMC Utrecht, 3 T, multi-slice T2-FLAIR, TR/TE/TI 11000/125/2800 ms (MRBrainS18, https://mrbrains18.isi.uu.nl/data).
- **B**: Hammersmith Hospital, 3 T, T1-weighted gradient echo, TR/TE 9.6/4.6 ms, flip angle 8° (IXI,
  https://brain-development.org/ixi-dataset).
- **C**, never trained on: Guy's Hospital, 1.5 T, T2-weighted spin echo, TR/TE 8178.34/100 ms (IXI, same page).
- **D**, for development alone and in no result: BrainWeb's proton-density weighting, 1.5 T, spin echo, TR/TE 3300/35 ms
  (https://brainweb.bic.mni.mcgill.ca). Lesions are the brightest tissue there, white matter the darkest, and fluid lies
  between. Whatever was tuned was tuned on seeds from 100 on, on validation patients at A, B and D; C was scored once,
  when all was fixed. (Trial runs of the version before, from which the sites and the rules stem, printed C as well.)

So C differs from both training sites in field strength and in weighting: its cerebrospinal fluid is brighter than
its lesions, where in A and B the fluid is the darkest tissue. These values were fixed before anything was trained.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .acquisition import Protocol, signal
from .relaxometry import TISSUES


@dataclass(frozen=True)
class Site:
    """A hospital's scanner.

    Attributes
    ----------
    name, description : str
        Letter, and what it is in words.
    protocol : Protocol
        Settings as published.
    noise, bias : float
        Noise and inhomogeneity in per cent, as in :func:`~.acquisition.acquire`.
    """

    name: str
    description: str
    protocol: Protocol
    noise: float
    bias: float


SITES = {
    "A": Site("A", "Utrecht, 3 T FLAIR", Protocol("flair", 3.0, tr=11000.0, te=125.0, ti=2800.0), 3.0, 20.0),
    "B": Site("B", "Hammersmith, 3 T T1-weighted", Protocol("spgr", 3.0, tr=9.6, te=4.6, flip=8.0), 3.0, 20.0),
    "C": Site("C", "Guy's, 1.5 T T2-weighted", Protocol("spin-echo", 1.5, tr=8178.34, te=100.0), 5.0, 30.0),
}
#: Sites of development: what is tuned is looked at here, and never at C.
DEVELOPMENT = {
    "D": Site("D", "BrainWeb, 1.5 T PD-weighted", Protocol("spin-echo", 1.5, tr=3300.0, te=35.0), 5.0, 20.0),
}
#: All that any method may learn from.
TRAINING_SITES = ("A", "B")
UNSEEN_SITE = "C"


def draw_protocol(rng: np.random.Generator) -> Protocol:
    """Draw a protocol from the range of routine brain imaging, with no eye on any one hospital.

    The ranges are wide (any field strength, any of the three sequences, from proton-density to heavy T2 weighting),
    so they contain most protocols in use, an unseen hospital's too. Nothing in them was fitted to site C.
    Times are drawn evenly on a logarithmic scale.
    """

    def times(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    field = float(rng.choice([1.5, 3.0]))
    sequence = rng.choice(["spin-echo", "flair", "spgr"])
    if sequence == "spin-echo":
        return Protocol("spin-echo", field, tr=times(500, 10000), te=times(8, 150))
    if sequence == "flair":
        return Protocol("flair", field, tr=times(6000, 12000), te=times(80, 160), ti=float(rng.uniform(1800, 2900)))
    return Protocol("spgr", field, tr=times(5, 40), te=times(2, 10), flip=float(rng.uniform(5, 40)))


def contrast(protocol: Protocol) -> NDArray[np.float64]:
    """Return the magnitudes of csf, gm, wm and lesion relative to the brightest, each 0 to 1."""
    levels = np.abs(signal(protocol).values)
    return np.asarray(levels / levels.max())


def shows_lesions(protocol: Protocol) -> bool:
    """Return whether lesions stand out of white matter by at least four times a noise of 3 % of the brightest."""
    levels = contrast(protocol)
    return bool(abs(levels[-1] - levels[TISSUES.index("wm")]) >= 4 * 0.03)


def draw_protocols(count: int, rng: np.random.Generator) -> list[Protocol]:
    """Draw ``count`` protocols in which lesions are seen: half as they come, half spread evenly over contrasts.

    Two thirds of :func:`draw_protocol` look like the training sites, as many settings give nearly one contrast. So, for
    the other half, of four times as many each next one is the farthest from all that were chosen.
    """
    drawn: list[Protocol] = []
    while len(drawn) < count // 2 + 4 * (count - count // 2):
        protocol = draw_protocol(rng)
        drawn += [protocol] if shows_lesions(protocol) else []
    first, pool = drawn[: count // 2], drawn[count // 2 :]
    levels = np.stack([contrast(p) for p in pool])
    away, chosen = np.full(len(pool), np.inf), [0]
    while len(first) + len(chosen) < count:
        away = np.minimum(away, np.linalg.norm(levels - levels[chosen[-1]], axis=1))
        chosen.append(int(away.argmax()))
    both = first + [pool[i] for i in chosen]
    return [both[i] for i in rng.permutation(count)]
