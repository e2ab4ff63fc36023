"""The answer in Dutch, German and French beside English, from the same scores. Called by the dashboard part."""

from __future__ import annotations

import xarray as xr

from . import report
from .sites import UNSEEN_SITE

#: What each language says, whole sentences where the order of words differs: of the unseen site by what happens there,
#: of the training sites, of the other methods, and of the figure.
_SAID: dict[str, dict[str, str]] = {
    "nl": {
        "raise": "Synthetische scans verhogen de nauwkeurigheid op de scanner van het nieuwe ziekenhuis",
        "lower": "Synthetische scans verlagen de nauwkeurigheid op de scanner van het nieuwe ziekenhuis",
        "same": "Synthetische scans veranderen de nauwkeurigheid op de nieuwe scanner niet duidelijk",
        "range": "Dice van {before} naar {after}",
        "interval": "95 % over {cases} testpatiënten, één training",
        "falls": "bij {site} daalt Dice van {before} naar {after}",
        "rises": "bij {site} stijgt Dice van {before} naar {after}",
        "price": "de prijs: ",
        "and": " en ",
        "nothing": "Bij {sites} verandert niets duidelijk.",
        "compared": "Ter vergelijking, bij {site}: {values} (1 is volmaakt).",
        "figure": "punten met 95 %-intervallen over patiënten, Dice van 0 tot 1",
    },
    "de": {
        "raise": "Synthetische Scans erhöhen die Genauigkeit am Scanner der neuen Klinik",
        "lower": "Synthetische Scans senken die Genauigkeit am Scanner der neuen Klinik",
        "same": "Synthetische Scans ändern die Genauigkeit am Scanner der neuen Klinik nicht eindeutig",
        "range": "Dice von {before} auf {after}",
        "interval": "95 % über {cases} Testpatienten, ein Training",
        "falls": "bei {site} fällt Dice von {before} auf {after}",
        "rises": "bei {site} steigt Dice von {before} auf {after}",
        "price": "der Preis: ",
        "and": " und ",
        "nothing": "Bei {sites} ändert sich nichts eindeutig.",
        "compared": "Zum Vergleich, bei {site}: {values} (1 ist vollkommen).",
        "figure": "Punkte mit 95-%-Intervallen über Patienten, Dice von 0 bis 1",
    },
    "fr": {
        "raise": "Les images synthétiques améliorent la précision sur le scanner du nouvel hôpital",
        "lower": "Les images synthétiques réduisent la précision sur le scanner du nouvel hôpital",
        "same": "Les images synthétiques ne changent pas nettement la précision sur le scanner du nouvel hôpital",
        "range": "Dice de {before} à {after}",
        "interval": "95 % sur {cases} patients de test, un seul entraînement",
        "falls": "à {site}, Dice baisse de {before} à {after}",
        "rises": "à {site}, Dice monte de {before} à {after}",
        "price": "le prix : ",
        "and": " et ",
        "nothing": "À {sites}, rien ne change nettement.",
        "compared": "À titre de comparaison, à {site} : {values} (1 est parfait).",
        "figure": "points avec intervalles à 95 % sur les patients, Dice de 0 à 1",
    },
}
_OTHERS = {
    "nl": ("domeinrandomisatie", "een random forest", "een Gaussisch mengsel", "het netwerk zonder augmentatie"),
    "de": ("Domänenrandomisierung", "ein Random Forest", "eine Gaußmischung", "das Netz ohne Augmentierung"),
    "fr": ("randomisation de domaine", "forêt aléatoire", "mélange gaussien", "réseau sans augmentation"),
}  # fmt: skip


_SEMICOLON = {"nl": ";", "de": ";", "fr": " ;"}


def answers(scores: xr.Dataset) -> dict[str, str]:
    """Return the answer by language as Markdown, English first; see :func:`.report.answer`."""
    return {"en": report.answer(scores), **{name: _answer(scores, name) for name in _SAID}}


def alts(scores: xr.Dataset, english: str) -> dict[str, str]:
    """Return the alternative text of the figure of scores by language, the given English one first."""
    found = {name: f"{_found(scores, name)[0]}{_SEMICOLON[name]} {said['figure']}." for name, said in _SAID.items()}
    return {"en": english, **found}


def _answer(scores: xr.Dataset, name: str) -> str:
    found, interval = _found(scores, name)
    parts = f"**{found} ({interval}).**", _elsewhere(scores, name), _compared(scores, name)
    return " ".join(part for part in parts if part)


def _found(scores: xr.Dataset, name: str) -> tuple[str, str]:
    """Return what happens at the unseen site, and the gain with its interval."""
    said = _SAID[name]
    verb, before, after, difference, half = report.change(scores)
    ends = said["range"].format(before=_number(before), after=_number(after))
    interval = said["interval"].format(cases=scores.sizes["case"])
    colon = _SEMICOLON[name].replace(";", ":")
    return f"{said.get(verb, said['same'])}{colon} {ends}", f"{_number(difference, '+z')} ± {_number(half)}, {interval}"


def _elsewhere(scores: xr.Dataset, name: str) -> str:
    said, (falls, rises) = _SAID[name], report.clear_changes(scores)
    parts = [
        said[how].format(site=site, before=_number(before), after=_number(after))
        for how, changed in (("falls", falls), ("rises", rises))
        for site, (before, after) in changed.items()
    ]
    if not parts:
        others = [str(site) for site in scores["site"].values if site != UNSEEN_SITE]
        return said["nothing"].format(sites=said["and"].join(others)) if others else ""
    whole = (said["price"] if falls and report.change(scores)[0] == "raise" else "") + said["and"].join(parts)
    return whole[0].upper() + whole[1:] + "."


def _compared(scores: xr.Dataset, name: str) -> str:
    mean = scores["mean"].sel(site=UNSEEN_SITE)
    there = [
        f"{words} {_number(float(mean.sel(segmenter=method)))}"
        for method, words in zip(report.OTHERS, _OTHERS[name], strict=True)
        if method in mean["segmenter"].values
    ]
    return _SAID[name]["compared"].format(site=UNSEEN_SITE, values=f"{_SEMICOLON[name]} ".join(there)) if there else ""


def _number(value: float, form: str = "") -> str:
    """Return a number with the decimal comma of the three languages."""
    return f"{value:{form}.2f}".replace(".", ",")
