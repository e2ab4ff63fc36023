"""The words of the controls in Dutch, German and French. Called by the dashboard part, beside :mod:`.words`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: What they say in English, in the order of the tables below; see :func:`.live.controls`.
_ENGLISH = (
    "Site", "Whose scanner takes the picture; C was never trained on.", "Lesion load",
    "Volume of all lesions in the brain.", "Trained with", "Noise", "Of the brightest tissue; 3 to 5 % is usual.",
    "real slices only", "augmented slices", "randomised slices",
)  # fmt: skip
_FURTHER = {
    "nl": (
        "Locatie", "Wiens scanner de opname maakt; op C is nooit getraind.", "Hoeveelheid laesies",
        "Volume van alle laesies in de hersenen.", "Getraind met", "Ruis",
        "Van het helderste weefsel; 3 tot 5 % is gebruikelijk.",
        "alleen echte sneden", "geaugmenteerde sneden", "gerandomiseerde sneden",
    ),
    "de": (
        "Ort", "Wessen Scanner aufnimmt; an C wurde nie trainiert.", "Menge der Läsionen",
        "Volumen aller Läsionen im Gehirn.", "Trainiert mit", "Rauschen",
        "Des hellsten Gewebes; üblich sind 3 bis 5 %.",
        "nur echte Schichten", "augmentierte Schichten", "randomisierte Schichten",
    ),
    "fr": (
        "Lieu", "Quel scanner prend l’image ; jamais d’entraînement sur C.", "Quantité de lésions",
        "Volume de toutes les lésions du cerveau.", "Entraîné avec", "Bruit",
        "Du tissu le plus clair ; 3 à 5 % est habituel.",
        "coupes réelles seules", "coupes augmentées", "coupes randomisées",
    ),
}  # fmt: skip
#: Of a mix: the option, and the help of the control whose default it is.
_MIXES = {
    "nl": (
        "{mix} synthetisch",
        "Welk bewaard netwerk ernaar kijkt; {mix} synthetisch is {many} door AI gemaakte sneden op elke echte.",
    ),
    "de": (
        "{mix} synthetisch",
        "Welches gespeicherte Netz hinsieht; {mix} synthetisch sind {many} KI-generierte Schichten je echte.",
    ),
    "fr": (
        "{mix} synthétiques",
        "Quel réseau enregistré l’examine ; {mix} synthétiques : {many} coupes générées par IA pour une réelle.",
    ),
}


def words(controls: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return what :func:`.live.controls` says by language, each by what it says in English."""
    trained = controls["method"]
    mixes = [name.removesuffix(" synthetic") for name in trained.options if name.endswith(" synthetic")]
    main = next((mix for mix in mixes if f"; {mix} synthetic is" in trained.help), "")
    shown = {text for control in controls.values() for text in (control.label, *_options(control), control.help)}
    made = {}
    for name, further in _FURTHER.items():
        option, help = _MIXES[name]
        made[name] = {text: said for text, said in zip(_ENGLISH, further, strict=True) if text in shown}
        made[name] |= {f"{mix} synthetic": option.format(mix=mix) for mix in mixes}
        made[name][trained.help] = help.format(mix=main, many=main.partition(":")[0])
    return made


def _options(control: Any) -> Iterable[str]:
    return getattr(control, "options", ())
