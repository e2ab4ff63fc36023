"""Our training steps and samplers beside those that a user of the stock tools would write, in one run, with the ratio.

Run it::

    .venv/bin/pip install diffusers pytorch-ignite
    .venv/bin/python -P tests/benchmarks/usecases.py [--sectors health climate] [--profile default] [--rounds 3]

Network, batch and number of network calls are the same on both sides; a ratio above one says that ours is faster.
Each side runs in processes of its own, in turns, so that neither profits from the other's settings. Of materials the
training alone is compared: its stock sampler is the same loop on the torus as ours.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))  # -P leaves the folder out that this stands in
from tests.benchmarks import recipes

STEPS, WARM = 40, 5  # training steps, and how many of them are left out while caches fill
#: Seconds of every repetition by what was timed: "step" and "draw".
Times = dict[str, list[float]]


class Stamps:
    """Takes reports of progress, and tells the seconds between them."""

    def __init__(self) -> None:
        self.at: dict[str, list[float]] = defaultdict(list)

    def __call__(self, done: float, total: float, label: str) -> None:
        self.at[label].append(time.perf_counter())

    def between(self, label: str) -> list[float]:
        """Return the seconds between neighbouring reports of ``label``."""
        return [float(passed) for passed in np.diff(self.at[label])]


def repeated(action: Callable[[], Any], times: int) -> list[float]:
    """Return the seconds of each call of ``action``."""
    stamps = [time.perf_counter()]
    for _ in range(times):
        action()
        stamps.append(time.perf_counter())
    return [float(passed) for passed in np.diff(stamps)]


def health(ours: bool, profile: str) -> Times:
    """Generate labelled scans: MONAI's network; the reference is MONAI's trainer and sampler."""
    import torch

    from genai4eu.usecases.generative.training import device
    from genai4eu.usecases.health_imaging import data, labels, model, sites
    from genai4eu.usecases.health_imaging.sizes import PROFILES

    sizes = replace(PROFILES[profile], flow_epochs=1, steps=STEPS)
    labelled, size = data.labelled_slices(8, sizes.image, 0), 4 * sizes.batch
    if ours:
        stamps = Stamps()
        flow = model.train_generator(labelled, sizes, 0, stamps)
        model.synthesise(flow, labelled, 4 * size, 0, stamps)
        return {"step": stamps.between("training the flow"), "draw": stamps.between("drawing synthetic scans")}
    network, cases = model._network(sizes.flow_channels).to(device()), []
    for image, label, site in zip(*(labelled[k].values for k in ("image", "label", "site")), strict=True):
        contrast = labels.contrast_map(label, sites.SITES[str(site)].protocol)
        classes = np.eye(model.CLASSES, dtype=np.float32)[label].transpose(2, 0, 1)
        condition = torch.from_numpy(np.concatenate([contrast[None], classes]))
        cases.append({"image": torch.from_numpy(image[None]), "condition": condition})
    step = recipes.monai_trainer(network, cases, sizes.batch, STEPS)
    given = torch.stack([cases[i % len(cases)]["condition"] for i in range(size)]).to(device())
    return {"step": step, "draw": recipes.monai_sampler(network.eval(), given, sizes.sampling, 3)}


def climate(ours: bool, profile: str) -> Times:
    """Downscale rain: CorrDiff's loop in plain PyTorch, and diffusers' scheduler."""
    import torch

    from genai4eu.usecases.climate_downscaling import data, model, train
    from genai4eu.usecases.climate_downscaling.sizes import PROFILES
    from genai4eu.usecases.generative.training import device

    sizes = replace(PROFILES[profile], regression_steps=2, flow_steps=STEPS)
    if ours:
        weather, stamps = data.simulate("training", 2, 4, sizes.points, 0, spin_up=1.0), Stamps()
        trained = train.train_downscaler(weather, sizes, 0, stamps)
        trained.downscale(data.coarsen(weather, sizes.factor), 4, 0, stamps)
        return {"step": stamps.between("training the flow"), "draw": stamps.between("drawing members")}
    network = model.networks(sizes.channels)[1].to(device())
    fields = torch.randn((8, 7, sizes.points, sizes.points), device=device())
    given, mean, rest = fields[:, :5], fields[:, 5:6], fields[:, 6:]

    def velocity(x: torch.Tensor, t: torch.Tensor, given: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
        return model.velocity(network, given, mean, x, t)

    step = recipes.plain_loop(
        network, recipes.batches((rest, given, mean), sizes.batch), partial(recipes.straight_loss, velocity), STEPS
    )
    walk = partial(recipes.diffusers_walk, lambda x, t: velocity(x, t, given, mean), rest.shape, 2 * sizes.sampling)
    return {"step": step, "draw": repeated(walk, 4)}


def robotics(ours: bool, profile: str) -> Times:
    """Train a policy and decide: Diffusion Policy's loop in plain PyTorch, and diffusers' scheduler."""
    import torch

    from genai4eu.usecases.generative.training import device
    from genai4eu.usecases.robot_manipulation import data, features, model
    from genai4eu.usecases.robot_manipulation.sizes import PROFILES

    sizes, shown = replace(PROFILES[profile], steps=STEPS), data.demonstrations(8, 0)
    frame, inputs, targets = features.prepare(shown, sizes.horizon)
    history = features.windows(shown, sizes.horizon)[0][:1]
    if ours:
        stamps, generator = Stamps(), np.random.default_rng(0)
        trained = model.train_policy(shown, sizes, 0, stamps)
        draw = repeated(lambda: trained.plan(history, generator), 40)
        return {"step": stamps.between("training the flow policy"), "draw": draw}
    network = model.Velocity(targets.shape[1], inputs.shape[1], sizes.width, sizes.depth).to(device())
    tensors = [torch.from_numpy(values).to(device()) for values in (targets, inputs)]
    step = recipes.plain_loop(
        network, recipes.batches(tensors, sizes.batch), partial(recipes.straight_loss, network), STEPS
    )

    def decide() -> None:
        seen = torch.from_numpy(frame.inputs(history)).to(device())
        chunk = recipes.diffusers_walk(lambda x, t: network(x, t, seen), targets[:1].shape, sizes.sampling)
        frame.actions(history, chunk.cpu().numpy())

    return {"step": step, "draw": repeated(decide, 40)}


def agrifood(ours: bool, profile: str) -> Times:
    """Draw years of weather: a plain PyTorch loop, and diffusers' scheduler."""

    from genai4eu.usecases.generative.training import device
    from genai4eu.usecases.irrigation import data, generator, model, train
    from genai4eu.usecases.irrigation.sizes import PROFILES

    sizes, weather = replace(PROFILES[profile], steps=STEPS, adapt=1), data.station("tunis")
    if ours:
        stamps = Stamps()
        base = train.pretrain([weather], sizes, 0, stamps)
        generator.draw(train.adapt(base, weather, sizes, 0), 4 * generator.BATCH, 0, stamps)
        return {"step": stamps.between("other stations"), "draw": stamps.between("drawing years")}
    network, corpus = model.WeatherNet(sizes.width, sizes.dilations).to(device()), train.Corpus([weather], 0)
    cut = [values[..., : sizes.window] for values in (corpus.scores, corpus.conditions)]
    step = recipes.plain_loop(
        network, recipes.batches(cut, sizes.batch), partial(recipes.straight_loss, network), STEPS
    )
    given = corpus.conditions[: generator.BATCH]
    shape = (len(given), *corpus.scores.shape[1:])
    walk = partial(recipes.diffusers_walk, lambda x, t: network(x, t, given), shape, 2 * sizes.sampling)
    return {"step": step, "draw": repeated(walk, 4)}


def materials(ours: bool, profile: str) -> Times:
    """Train the crystal flow on cells of one number of atoms: FlowMM's loop in plain PyTorch."""
    import torch

    from genai4eu.usecases.generative.training import device
    from genai4eu.usecases.materials import crystal, model, train
    from genai4eu.usecases.materials.sizes import PROFILES

    sizes, known = replace(PROFILES[profile], steps=STEPS), train.training_frames()
    usual = Counter(len(frame.structure) for frame in known).most_common(1)[0][0]
    chosen = [frame for frame in known if len(frame.structure) == usual]
    if ours:
        stamps = Stamps()
        train.train_generator(chosen, sizes, 0, stamps)
        return {"step": stamps.between("training the flow")}
    (stack,) = train.stacks(chosen).values()
    network = model.CrystalFlow(sizes.width, sizes.blocks, stack.shape.mean(0), stack.shape.std(0)).to(device())
    generator = torch.Generator(device()).manual_seed(0)

    def loss(*batch: torch.Tensor) -> torch.Tensor:
        return sum(model.flow_losses(network, crystal.Stack(*batch), generator), torch.zeros((), device=device()))

    data = recipes.batches([value.to(device()) for value in vars(stack).values()], train._batch(usual, sizes.batch))
    return {"step": recipes.plain_loop(network, data, loss, STEPS)}


SECTORS = {f.__name__: f for f in (health, materials, climate, robotics, agrifood)}


def timed(sector: str, ours: bool, profile: str) -> Times:
    """Time one side in a fresh process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
        times = alone.submit(SECTORS[sector], ours, profile).result()
    return {"step": times["step"][WARM:]} | {k: v for k, v in times.items() if k == "draw"}


def main() -> None:
    """Time both sides in turns and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sectors", nargs="+", choices=SECTORS, default=list(SECTORS), help="which (default: all)")
    parser.add_argument("--profile", default="default", help="sizes of network and batch (default: default)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side (default: 3)")
    options = parser.parse_args()
    print(f"{'sector':10} {'what':5} {'ours [ms]':>10} {'reference [ms]':>15} {'ratio':>6}  ratio by round")
    for sector in options.sectors:
        found: dict[bool, list[Times]] = {True: [], False: []}
        for turn in range(options.rounds):
            for ours in (True, False) if turn % 2 else (False, True):
                print(f"\r{sector}, round {turn + 1} of {options.rounds}", end="\r", file=sys.stderr, flush=True)
                found[ours].append(timed(sector, ours, options.profile))
        for what in found[True][0]:
            mine, theirs = ([statistics.median(t[what]) for t in found[side]] for side in (True, False))
            each = " ".join(f"{b / a:.2f}" for a, b in zip(mine, theirs, strict=True))
            a, b = statistics.median(mine), statistics.median(theirs)
            print(f"{sector:10} {what:5} {a * 1e3:10.1f} {b * 1e3:15.1f} {b / a:6.2f}  {each}", flush=True)


if __name__ == "__main__":
    main()
