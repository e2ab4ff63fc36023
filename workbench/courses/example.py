"""The words of the lesson that a new course begins with, by language. Called by ``skeleton``."""

from __future__ import annotations

from collections.abc import Sequence

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "A course to replace",
        "summary": "What it is about, in a sentence.",
        "audience": "Who comes, and what they know already.",
        "topic": "what models cannot know",
        "lesson": "The mean hides who is far off",
        "goal": "say why a mean alone misleads",
        "afterwards": "Afterwards you can",
        "exercise": "## Exercise 1\n\nFind the median of `values` and call it `middle`.",
        "mean": "That is the mean: one value of 40 pulls it up. The median is the middle one.",
        "sort": "Sort the values first: the median is the one in the middle.",
        "hint": "`sorted(values)` puts them in order.",
        "second": "The middle one of five has the number 2: Python counts from 0.",
        "practice": "## What goes wrong in practice\n\nA report gives the mean, and nobody looks at the values.",
    },
    "nl": {
        "title": "Een cursus om te vervangen",
        "summary": "Waar hij over gaat, in één zin.",
        "audience": "Wie er komt, en wat men al weet.",
        "topic": "wat modellen niet kunnen weten",
        "lesson": "Het gemiddelde verbergt wie er ver naast zit",
        "goal": "zeggen waarom een gemiddelde alleen misleidt",
        "afterwards": "Na afloop kunt u",
        "exercise": "## Oefening 1\n\nZoek de mediaan van `values` en noem haar `middle`.",
        "mean": "Dat is het gemiddelde: één waarde van 40 trekt het omhoog. De mediaan is de middelste.",
        "sort": "Zet de waarden eerst op volgorde: de mediaan is die in het midden.",
        "hint": "`sorted(values)` zet ze op volgorde.",
        "second": "De middelste van vijf heeft nummer 2: Python telt vanaf 0.",
        "practice": "## Wat er in de praktijk misgaat\n\nMen noemt het gemiddelde, en niemand bekijkt de waarden.",
    },
    "de": {
        "title": "Ein Kurs zum Ersetzen",
        "summary": "Worum es geht, in einem Satz.",
        "audience": "Wer kommt und was man schon weiß.",
        "topic": "was Modelle nicht wissen können",
        "lesson": "Der Mittelwert verbirgt, wer weit abliegt",
        "goal": "sagen, warum ein Mittelwert allein in die Irre führt",
        "afterwards": "Danach können Sie",
        "exercise": "## Übung 1\n\nBestimmen Sie den Median von `values`, und nennen Sie ihn `middle`.",
        "mean": "Das ist der Mittelwert: Ein einziger Wert von 40 zieht ihn nach oben. Der Median ist der mittlere.",
        "sort": "Ordnen Sie die Werte zuerst: Der Median ist der in der Mitte.",
        "hint": "`sorted(values)` ordnet sie.",
        "second": "Der mittlere von fünf hat die Nummer 2: Python zählt ab 0.",
        "practice": "## Was in der Praxis schiefgeht\n\nMan nennt den Mittelwert, und niemand sieht die Werte an.",
    },
    "fr": {
        "title": "Un cours à remplacer",
        "summary": "De quoi il s'agit, en une phrase.",
        "audience": "Qui vient, et ce que l'on sait déjà.",
        "topic": "ce que les modèles ne peuvent pas savoir",
        "lesson": "La moyenne cache qui en est loin",
        "goal": "dire pourquoi une moyenne seule induit en erreur",
        "afterwards": "Ensuite, vous saurez",
        "exercise": "## Exercice 1\n\nTrouvez la médiane de `values` et nommez-la `middle`.",
        "mean": "C'est la moyenne : une seule valeur de 40 la tire vers le haut. La médiane est celle du milieu.",
        "sort": "Rangez d'abord les valeurs : la médiane est celle du milieu.",
        "hint": "`sorted(values)` les range.",
        "second": "Celle du milieu, sur cinq, porte le numéro 2 : Python compte à partir de 0.",
        "practice": "## Ce qui va mal en pratique\n\nUn rapport donne la moyenne, et personne ne regarde les valeurs.",
    },
}


def words(language: str) -> dict[str, str]:
    """Return the words in a language, or in English where the example is not there in it."""
    return WORDS.get(language, WORDS["en"])


def untranslated(languages: Sequence[str]) -> list[str]:
    """Return those of the languages in which the example stands in English."""
    return [name for name in languages if name not in WORDS]
