"""The use-case card: what a use case says of itself, and what a run of it found, in Markdown and as data.

A use case keeps its part in a TOML file that its entry point names; a run copies it into its record, so that the card
can be made from the record alone. Sections follow model cards (Mitchell et al. 2019, arXiv:1810.03993) and datasheets
(Gebru et al. 2021, arXiv:1803.09010). Called by the runner, publishing and the command line.
"""

from __future__ import annotations

import importlib.resources
import tomllib
from typing import TYPE_CHECKING, Any

import pydantic

from .errors import WorkbenchError

if TYPE_CHECKING:
    from .catalogue import UseCase
    from .runs.record import Record

#: The record's copy of what the use case says of itself.
FILE = "card.json"
_SHAPE = pydantic.ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, str_min_length=1)


class Data(pydantic.BaseModel):
    """Where data come from, and what may be done with them."""

    model_config = _SHAPE

    name: str
    description: str
    licence: str
    provenance: str
    personal: str


class Model(pydantic.BaseModel):
    """What is trained, how, and whose method it is."""

    model_config = _SHAPE

    description: str
    training: str
    baselines: list[str]
    sources: list[str]


class Generated(pydantic.BaseModel):
    """Something that a generative model makes in a run, so that nobody takes it for a record of something real."""

    model_config = _SHAPE

    what: str
    by: str


class Card(pydantic.BaseModel):
    """What a use case says of itself, whatever a run finds.

    Attributes
    ----------
    question : str
        As the visitor would ask it.
    intended_use, not_for : str, list of str
        What it is made for, and what it must not be used for.
    data : list of Data
        Every source of data.
    model : Model
        The generative model, and what stands beside it.
    generated : list of Generated
        Figures, numbers, data and texts that a generative model makes, and which model.
    metrics : dict
        What the metrics that a run records mean, by name.
    headline : str, optional
        The metric that says most, which the gallery shows.
    limits, objections : list of str
        What the result does not show, and what a scientist of the field would still object to.
    """

    model_config = _SHAPE

    question: str
    intended_use: str
    not_for: list[str]
    data: list[Data]
    model: Model
    generated: list[Generated] = []
    metrics: dict[str, str]
    headline: str | None = None
    limits: list[str]
    objections: list[str]


def declared(usecase: UseCase) -> Card | None:
    """Return what a use case says of itself; None where it has no card.

    Raises
    ------
    WorkbenchError
        If the file its entry point names is missing, or is no such card.
    """
    if usecase.card is None:
        return None
    package, _, file = usecase.card.partition("/")
    try:
        text = importlib.resources.files(package).joinpath(file).read_text(encoding="utf-8")
        return Card(**tomllib.loads(text))
    except (FileNotFoundError, ModuleNotFoundError):
        raise WorkbenchError(
            f"use case {usecase.name!r} has no card at {usecase.card}: reinstall {usecase.install}"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise WorkbenchError(f"the card of use case {usecase.name!r} is no TOML ({error}): ask its author") from None
    except pydantic.ValidationError as error:
        fault = error.errors()[0]
        what = f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
        raise WorkbenchError(f"the card of use case {usecase.name!r} is not valid ({what}): ask its author") from None


def card_of(record: Record) -> dict[str, Any] | None:
    """Return the card of a run as data: what its use case says, and what the run found; None where it has none.

    Raises
    ------
    WorkbenchError
        If a file of the record is damaged.
    """
    if not (record.folder / FILE).exists():
        return None
    info = record.info
    software = record.read("environment.json") if (record.folder / "environment.json").exists() else {}
    kept = ("id", "usecase", "usecase_version", "status", "started", "duration", "target")
    run = {key: info.get(key) for key in kept}
    run["computer"] = info.get("kernel_host") or info.get("host")
    run["python"] = software.get("python")
    energy = {**{k: record.energy.get(k) for k in ("joules", "source", "covers")}, "sentence": record.energy_sentence}
    found = {"run": run, "parameters": record.parameters, "results": record.metrics, "energy": energy}
    return {**record.read(FILE), **found}


def markdown(card: dict[str, Any]) -> str:
    """Write a card, of a run or of a use case, as Markdown."""
    parts = [f"# {card['question']}", f"**Intended use.** {card['intended_use']}"]
    parts += ["**Not for**\n\n" + _list(card["not_for"])] if card["not_for"] else []
    parts.append("## Data")
    for data in card["data"]:
        rows = [(k.capitalize(), data[k]) for k in ("description", "licence", "provenance")]
        parts += [f"### {data['name']}", _table(["What", "Value"], [*rows, ("Personal data", data["personal"])])]
    model = card["model"]
    parts += ["## Model", model["description"], f"**Training.** {model['training']}"]
    parts += ["**Beside it**\n\n" + _list(model["baselines"]), "**Sources**\n\n" + _list(model["sources"])]
    if made := card.get("generated"):  # records of earlier versions do not say
        parts += ["## Made by AI", _table(["What", "By"], [(one["what"], one["by"]) for one in made])]
    parts += ["## Metrics", _metrics(card)]
    parts += ["## Limits", _list(card["limits"]), "## What a scientist of the field would object to"]
    parts.append(_list(card["objections"]))
    return "\n\n".join([*parts, *_run(card)]) + "\n"


def _metrics(card: dict[str, Any]) -> str:
    """Return what the metrics mean; of a run, with what it found."""
    results = card.get("results")
    if results is None:
        return _table(["Metric", "Meaning"], list(card["metrics"].items()))
    rows = [(n, _number(m["value"]), m["unit"], card["metrics"].get(n, "")) for n, m in results.items()]
    return _table(["Metric", "Value", "Unit", "Meaning"], rows) if rows else "The run recorded no metrics."


def _run(card: dict[str, Any]) -> list[str]:
    """Return the sections on the run, where the card is of one."""
    if "run" not in card:
        return []
    run = card["run"]
    rows = [(key.replace("_", " ").capitalize(), value) for key, value in run.items() if value is not None]
    given = [(name, value) for name, value in card["parameters"].items()]
    return ["## The run", _table(["What", "Value"], [*rows, ("Energy", card["energy"]["sentence"])]),
            "## Parameters", _table(["Parameter", "Value"], given)]  # fmt: skip


def _list(items: list[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _table(heads: list[str], rows: list[tuple[Any, ...]]) -> str:
    cells = [["" if v is None else " ".join(str(v).replace("|", "\\|").split()) for v in row] for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in [heads, ["---"] * len(heads), *cells])


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4g}"
