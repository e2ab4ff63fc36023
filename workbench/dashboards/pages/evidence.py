"""What a result rests on, as the evidence page shows it: read from the bundle alone. Called by the pages."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from ..bundle import Bundle
from . import chart, crate, values
from .citation import LICENCE, Citation
from .command import command, declared
from .language import translations
from .methods import Measured, measured
from .share import Address

_READ = ("parameters", "sizes", "metrics", "environment", "energy", "card")
#: What of ``environment.json`` says something to a reader; paths and process numbers do not.
_COMPUTER = ("platform", "machine", "processors", "python")
#: Rows that a table on the page may have; all stand in the download.
MOST = 250
#: Pictures of metrics that a page shows.
_PICTURES = 6


def shown(bundle: Bundle, address: Address, language: str) -> dict[str, Any]:
    """Return all that the page of the evidence shows of one version.

    Parameters
    ----------
    address : Address
        Of the dashboard.
    """
    read = {n: bundle.read(f"{n}.json") if (bundle.folder / f"{n}.json").exists() else {} for n in _READ}
    meanings = read["card"].get("metrics", {}) if isinstance(read["card"], dict) else {}
    groups = measured(read["metrics"], meanings)[:_PICTURES]
    citation = Citation.of(bundle, address.cite(f"v/{bundle.number}/"))
    files = _files(bundle)
    return {
        **{name: read[name] for name in ("sizes", "metrics", "energy", "card")},
        "parameters": _parameters(bundle, read["parameters"]),
        "meanings": meanings,
        "pictures": [(group, picture(group, language)) for group in groups],
        "computer": _computer(read["environment"]),
        "software": sorted(read["environment"].get("packages", {}).items()),
        "command": command(bundle),
        "citation": citation,
        "described": described(bundle, citation, address.cite(f"v/{bundle.number}/record.zip")),
        "intervals": any(row.low is not None for group in groups for row in group.rows),
        "licence": LICENCE,
        "most": MOST,
        "files": files[:MOST],
        "more": len(files) - len(files[:MOST]),
        "lacking": crate.lacking(bundle),
        "mark": crate.mark(bundle),
    }


def _parameters(bundle: Bundle, given: Mapping[str, Any]) -> list[tuple[str, Any, str, str]]:
    """Return name, value, unit and meaning of each parameter, the latter two as the notebook declares them."""
    schema = declared(bundle) if given else None
    known = schema.parameters if schema else {}
    about = {name: (p.unit or "", p.help) for name, p in known.items()}
    return [(name, value, *about.get(name, ("", ""))) for name, value in given.items()]


def generated(bundle: Bundle) -> bool:
    """Tell whether the use case says that a generative model made parts of it."""
    return (bundle.folder / "card.json").exists() and bool(bundle.read("card.json").get("model"))


def described(bundle: Bundle, citation: Citation, download: str) -> dict[str, Any]:
    """Return what machines are told of a version, in the words of schema.org."""
    about = bundle.info
    told: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": about["question"],
        "description": about["answer"] or about["question"],
        "url": citation.address,
        "identifier": about["run"],
        "version": str(bundle.number),
        "datePublished": about["published"],
        "license": f"https://spdx.org/licenses/{LICENCE}",
        "inLanguage": about.get("language", "en"),
        "creator": [{"@type": "Person", "name": name} for name in citation.authors],
        "distribution": {"@type": "DataDownload", "encodingFormat": "application/zip", "contentUrl": download},
    }
    if generated(bundle):
        told["digitalSourceType"] = "https://schema.org/CompositeWithTrainedAlgorithmicMediaDigitalSource"
    return told


def picture(group: Measured, language: str) -> tuple[str, str]:
    """Return a picture of one quantity, and in a sentence what it shows."""
    words = translations(language)
    decimal = functools.partial(values.decimal, language=language)
    numbers = [chart.written(group, row.value, decimal) for row in group.rows]
    own, *others = zip(group.rows, numbers, strict=True)
    others.sort(key=lambda pair: pair[0].value)
    said = words.gettext("{own} is at {value}{unit}; the others go from {low} to {high}{unit}.")
    if len(others) == 1:
        said = words.gettext("{own} is at {value}{unit}; {other} is at {low}{unit}.")
    ends = {"low": others[0][1], "high": others[-1][1], "other": others[0][0].method}
    unit = "" if group.unit == "1" else f" {group.unit}"
    sentence = said.format(own=_capital(own[0].method), value=own[1], unit=unit, **ends)
    each = ", ".join(f"{row.method} {number}" for row, number in zip(group.rows, numbers, strict=True))
    return chart.dots(group, f"{sentence} {each}", decimal), sentence


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _computer(environment: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return what computed it, by the names that the page has words for."""
    found = [(name, environment[name]) for name in _COMPUTER if environment.get(name) is not None]
    hardware = environment.get("hardware")
    if isinstance(hardware, dict):
        found += [(name, hardware[name]) for name in ("processor", "memory") if hardware.get(name)]
        gpus = hardware.get("gpus")
        found += [("gpus", ", ".join(map(_gpu, gpus)))] if isinstance(gpus, list) and gpus else []
    return found


def _gpu(gpu: Any) -> str:
    return str(gpu.get("name", gpu)) if isinstance(gpu, dict) else str(gpu)


def _files(bundle: Bundle) -> list[tuple[str, int]]:
    outputs = bundle.folder / "outputs"
    return [(p.relative_to(outputs).as_posix(), p.stat().st_size) for p in sorted(outputs.rglob("*")) if p.is_file()]
