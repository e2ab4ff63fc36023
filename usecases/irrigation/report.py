"""What the study says, in words, numbers and tables. Called by the template's study and dashboard parts."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from .decide import MARGIN, savings
from .evaluate import crps_table
from .statistics import GOAL, STATISTICS

PRACTICES = ("weekly calendar", "tuned calendar")


def policy(decision: xr.Dataset, name: str) -> xr.Dataset:
    """Return the held-out seasons of one policy."""
    return decision.sel(policy=name)


def saved(decision: xr.Dataset, against: str = "weekly calendar") -> pd.DataFrame:
    """Return what the recommended threshold saves against a practice; see :func:`.decide.savings`."""
    return savings(policy(decision, "recommended"), policy(decision, against))


def thresholds(chosen: pd.DataFrame) -> str:
    """Return the recommended thresholds in words: "50 % TAW", or "40 to 50 % TAW" where folds differ."""
    low, high = int(chosen["recommended"].min()), int(chosen["recommended"].max())
    return f"{low} % TAW" if low == high else f"{low} to {high} % TAW"


def answer(decision: xr.Dataset, chosen: pd.DataFrame) -> str:
    """Return the answer as Markdown, computed: the threshold, what it saves and does to yield, on held-out years."""
    against = saved(decision)
    water, grain = against.loc["water"], against.loc["yield"]
    verb = "saves" if water["low"] > 0 else "does not clearly save"
    return (
        f"**Irrigating at {thresholds(chosen)} {verb} water against a weekly calendar: {_span(water)} less, with "
        f"{_signed(grain)} yield, on {decision.sizes['year']} years that chose nothing (95 % intervals over years).** "
        f"{_tuned(decision)} The weather is generated, the yields are AquaCrop's."
    )


def _tuned(decision: xr.Dataset) -> str:
    water = saved(decision, "tuned calendar").loc["water"]
    if water["low"] <= 0 <= water["high"]:
        return f"Against the best calendar of past years neither clearly uses less water (saved: {_span(water)})."
    return (
        f"Against the best calendar of past years it {'saves' if water['mean'] > 0 else 'takes'} {_span(abs(water))}."
    )


def _span(row: pd.Series) -> str:
    low, high = sorted((row["low"], row["high"]))
    return f"{row['mean']:.0f} % ({low:.0f} to {high:.0f})"


def _signed(row: pd.Series) -> str:
    return f"{row['mean']:+z.1f} % ({row['low']:+z.1f} to {row['high']:+z.1f})"


def finding(decision: xr.Dataset, chosen: pd.DataFrame) -> str:
    """Return the finding in few words computed from the held-out years."""
    water, grain = (float(saved(decision).loc[n, "mean"]) for n in ("water", "yield"))
    return f"{thresholds(chosen)}: {abs(water):.0f} % {'less' if water > 0 else 'more'} water, {grain:+z.1f} % yield"


#: Which way a metric is better, by how its name begins; a ratio to the record is best at 1.
BETTER = {"crps_": "lower", "water_saved_": "higher", "yield_change_": "higher"}


def metrics(table: pd.DataFrame, yields: xr.Dataset, decision: xr.Dataset) -> dict[str, tuple[float, str]]:
    """Return the goals' numbers and units by metric name: ratios of weather, CRPS, water saved and yield changed."""
    made = {f"ratio_{n}": (float(table.loc[n, "flow"] / table.loc[n, "record"]), "1") for n in GOAL}
    for method, short in (("flow", "flow"), ("WGEN", "wgen"), ("year bootstrap", "bootstrap")):
        made[f"crps_{short}"] = (float(yields["crps"].sel(generator=method).mean()), "t/ha")
    for name in PRACTICES:
        against, short = saved(decision, name), name.split()[0]
        made[f"water_saved_{short}"] = (float(against.loc["water", "mean"]), "%")
        made[f"yield_change_{short}"] = (float(against.loc["yield", "mean"]), "%")
    return made


def better(metric: str) -> str | None:
    """Return which way a metric of :func:`metrics` is better, ``"higher"`` or ``"lower"``; None where neither is."""
    return next((way for begins, way in BETTER.items() if metric.startswith(begins)), None)


def weather_shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table of weather: the record with interval, and every method with its ratio to it."""
    shown = pd.DataFrame(index=[f"{n} [{STATISTICS[n][0]}]" for n in table.index])
    shown["record"] = [f"{r['record']:.4g} ({r['low']:.4g} to {r['high']:.4g})" for _, r in table.iterrows()]
    for method in table.columns[3:]:
        ratio = table[method] / table["record"]
        shown[method] = [f"{v:.4g} (× {q:.2f})" if v == v else "" for v, q in zip(table[method], ratio, strict=True)]
    return shown.rename_axis("statistic")


def folds_shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table of held-out years by fold: theirs with interval, and every ratio to them."""
    units = [f"{n} [{STATISTICS[n][0]}]" for n, _ in table.index]
    shown = pd.DataFrame(index=pd.MultiIndex.from_arrays([units, table.index.get_level_values("fold")]))
    shown["held-out years"] = [f"{r['held-out']:.4g} ({r['low']:.4g} to {r['high']:.4g})" for _, r in table.iterrows()]
    for method in table.columns[3:]:
        shown[method] = [f"× {q:.2f}" for q in table[method] / table["held-out"]]
    return shown.rename_axis(["statistic", "fold"])


def yields_shown(yields: xr.Dataset) -> pd.DataFrame:
    """Return the table of CRPS, and by how much the flow's is lower."""
    table = crps_table(yields)
    shown = table[["CRPS [t/ha]", "fair CRPS [t/ha]"]].map(lambda v: f"{v:.3f}")
    gains = [f"{r.iloc[2]:+.1f} ({r['low']:+.1f} to {r['high']:+.1f})" for _, r in table.iterrows()]
    gains = ["" if name == "flow" else gain for name, gain in zip(table.index, gains, strict=True)]
    return shown.assign(**{"flow is lower by [%]": gains})


def decision_shown(decision: xr.Dataset) -> pd.DataFrame:
    """Return the table of policies on held-out years: water, yield, bad years and two water productivities."""
    from .decide import cvar

    rows = {}
    for name in decision["policy"].values:
        one = policy(decision, str(name))
        mean = {n: float(one[n].mean()) for n in ("yield", "irrigation", "et")}
        gained = mean["yield"] - float(policy(decision, "rainfed")["yield"].mean())
        rows[str(name)] = {
            "irrigation [mm]": f"{mean['irrigation']:.0f}",
            "yield [t/ha]": f"{mean['yield']:.2f}",
            "worst tenth [t/ha]": f"{cvar(one['yield'].values):.2f}",
            "per ET [kg/m³]": f"{100 * mean['yield'] / mean['et']:.2f}",
            "gain per irrigation [kg/m³]": f"{100 * gained / mean['irrigation']:.2f}" if mean["irrigation"] else "",
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("held-out years")


def brief(decision: xr.Dataset) -> pd.DataFrame:
    """Return the table of policies that a phone has room for: water, yield and bad years."""
    return decision_shown(decision).iloc[:, :3].rename_axis(None)


def equal_yield(decision: xr.Dataset, against: str = "weekly calendar") -> bool:
    """Return whether the yield on held-out years stays within the margin that counts as equal, on the mean."""
    return bool(saved(decision, against).loc["yield", "mean"] >= -100 * MARGIN)
