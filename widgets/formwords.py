"""The English words of the form. A page passes others as plain data."""

from __future__ import annotations

from .picker import WORDS

FORM_WORDS = {
    **WORDS,
    "legend": "Run on",
    "run": "Run",
    "running": "Running…",
    "run_title": "Run {title}",
    "progress": "Progress",
    "wrong_one": "Nothing was started. One value will not do: {names}.",
    "wrong_other": "Nothing was started. {count} values will not do: {names}.",
    "stopped": "It was stopped.",
    "failed": "It could not be run: {why}",
    "needs_kernel": "What is entered here is checked, and run, in the workbench: this page shows what can be set.",
    "parameter": "Parameter",
    "value": "Value",
    "allowed": "What may be entered",
    "yes": "yes",
    "no": "no",
    "none": "none",
    "may_be_empty": "may be left empty",
    "or": " or ",
    "or_nothing": ", or nothing",
    "one_of": "one of {values}",
    "with_commas": "values with commas between",
    "each": ", each {what}",
    "from": " from {low}",
    "to": " to {high}",
    "a_secret": "the name of a secret, as secret:NAME, never the secret itself",
    "a_integer": "a whole number",
    "a_number": "a number",
    "a_date": "a date",
    "a_date-time": "a time such as 2026-01-31T12:00",
    "a_path": "a path on the computer where the kernel runs",
}
