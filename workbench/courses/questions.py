"""Questions in a lesson, drawn by jupyterquiz from a file beside it. Public as ``genai4eu.courses.questions``.

A question is for thinking: the page itself compares answers with what the trainer wrote, and nobody is told. Texts may
be given by language; answers keep their order; nothing is loaded from elsewhere, as jupyterquiz would for formulas.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..dashboards.pages.language import translations
from ..errors import WorkbenchError, together
from .desk import here, text_in

KINDS = ("multiple_choice", "many_choice", "numeric", "string")
_TEXTS = ("question", "answer", "feedback")
#: jupyterquiz's colours in JupyterLab's own, with ones for other frontends.
_COLOURS = {
    **dict.fromkeys(
        ("--jq-multiple-choice-bg", "--jq-many-choice-bg", "--jq-numeric-bg", "--jq-string-bg"),
        "var(--jp-layout-color2, rgba(128,128,128,.15))",
    ),
    "--jq-text-color": "var(--jp-content-font-color1, inherit)",
    "--jq-mc-button-bg": "var(--jp-layout-color1, transparent)",
    "--jq-mc-button-border": "var(--jp-border-color0, rgba(128,128,128,.8))",
    "--jq-mc-button-inset-shadow": "transparent",
    "--jq-numeric-input-bg": "var(--jp-layout-color1, transparent)",
    "--jq-numeric-input-label": "var(--jp-content-font-color1, inherit)",
    "--jq-numeric-input-shadow": "transparent",
    "--jq-incorrect-color": "var(--jp-layout-color2, transparent)",
    "--jq-correct-color": "var(--jp-layout-color2, transparent)",
    "--jq-link-color": "var(--jp-content-link-color, #0b57d0)",
}
_STYLE = """<style>
#{id} .Quiz, #{id} .Feedback, #{id} .MCButton {{ font-size: 1em; line-height: 1.45; margin-left: 0; color: inherit; }}
#{id} .MCButton {{ min-height: 44px; box-sizing: border-box; text-align: start; justify-content: start; gap: .6em;
  color: var(--jp-content-font-color1, inherit); }}
#{id} .MCButton:focus-within, #{id} .Input-text:focus {{ outline: 2px solid var(--jp-brand-color1, #0b57d0); }}
#{id} .correctButton {{ border: 2px solid var(--jp-success-color1, #2da44e); }}
#{id} .incorrectButton {{ border: 2px dashed var(--jp-warn-color1, #bf8700); }}
#{id} .Feedback {{ color: var(--jp-content-font-color1, inherit); text-align: start; padding: 0 .6em; }}
#{id} .Feedback.correct {{ border-left: 6px solid var(--jp-success-color1, #2da44e); }}
#{id} .Feedback.incorrect {{ border-left: 6px solid var(--jp-warn-color1, #bf8700); }}
#{id} .Answer {{ grid-template-columns: 1fr; }}
</style>"""
#: Formulas are not drawn, so that jupyterquiz fetches nothing that draws them; feedback is spoken by a screen
#: reader; a notebook would take the keys.
_SCRIPT = """(() => {{ let MathJax;
{script}
const dress = () => {{
  const told = document.querySelectorAll("#{id} .Feedback");
  if (!told.length) return setTimeout(dress, 200);
  told.forEach((one) => one.setAttribute("role", "status"));
  document.querySelectorAll("#{id} .Input-text").forEach((one) => {{
    one.setAttribute("aria-label", one.closest(".Quiz").firstElementChild.innerText);
  }});
  document.getElementById("{id}").addEventListener("keydown", (event) => event.stopPropagation());
}};
dress();
}})();"""


def questions(ref: str | Sequence[Mapping[str, Any]]) -> None:
    """Ask questions, which the page answers at once.

    Parameters
    ----------
    ref : str or list of dict
        A file beside the lessons (``questions-1.json``), its name without the ending, or the questions themselves, in
        jupyterquiz's form; ``question``, ``answer`` and ``feedback`` may be texts by language.

    Raises
    ------
    WorkbenchError
        If there is no such file, or a question is none; all faults at once.
    """
    desk = here()
    asked = read(desk.folder, ref) if isinstance(ref, str) else list(ref)
    if found := list(faults(asked)):
        raise together(found, "questions")
    spoken = [_in(one, desk.language) for one in asked]
    _show(spoken, _plain(spoken))


def faults(asked: Sequence[Any], languages: Sequence[str] = ()) -> Iterator[str]:
    """Yield what is wrong with questions, each with its remedy. Called before they are asked, and by a course's check.

    Parameters
    ----------
    languages : sequence of str
        In which each text must be there.
    """
    for number, one in enumerate(asked, 1):
        if not isinstance(one, Mapping) or one.get("type") not in KINDS:
            yield f"question {number} has no type: give one of {', '.join(KINDS)}"
        elif not one.get("question") or not isinstance(one.get("answers"), list) or not one["answers"]:
            yield f"question {number} lacks its text or its answers: give 'question' and 'answers'"
        elif not any(isinstance(answer, Mapping) and answer.get("correct") for answer in one["answers"]):
            yield f'question {number} has no right answer: mark one with "correct": true'
        else:
            yield from (f"question {number}: {fault}" for fault in _faults(one, languages))


def _faults(one: Mapping[str, Any], languages: Sequence[str]) -> Iterator[str]:
    for part in (one, *one["answers"]):
        for name in _TEXTS:
            text = part.get(name, "")
            texts = text if isinstance(text, Mapping) else {"": str(text)}
            if any("$" in str(written) for written in texts.values()):
                yield f"the formula in its {name} would not be drawn: write it in words"
            if text and isinstance(text, Mapping):
                yield from (f"its {name} is not there in {lang}" for lang in languages if lang not in text)


def read(folder: Path, name: str) -> list[Any]:
    """Return the questions of a file beside lessons.

    Raises
    ------
    WorkbenchError
        If there is none, or it cannot be read.
    """
    path = folder / (name if name.endswith(".json") else f"{name}.json")
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        there = ", ".join(sorted(p.name for p in folder.glob("*.json"))) or "none"
        raise WorkbenchError(f"{name} is no file of questions beside the lessons: there is {there}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WorkbenchError(f"{path.name} cannot be read: {error}") from None
    if not isinstance(content, list):
        raise WorkbenchError(f"{path.name} holds no list of questions")
    return content


def _in(one: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return a question in the participant's language, with words for every answer: jupyterquiz's own are English."""
    _ = translations(language).gettext

    def spoken(part: Mapping[str, Any]) -> dict[str, Any]:
        return {k: text_in(v, language) if k in _TEXTS and isinstance(v, Mapping) and v else v for k, v in part.items()}

    answers = [{"feedback": _("Right.") if a.get("correct") else _("Not yet."), **spoken(a)} for a in one["answers"]]
    if one["type"] in ("numeric", "string") and not any(answer.get("type") == "default" for answer in answers):
        answers.append({"type": "default", "feedback": _("Not yet.")})
    return {**spoken(one), "answers": answers}


def _plain(asked: Sequence[Mapping[str, Any]]) -> str:
    """Return the questions for a terminal, and for who has no scripts."""
    lines = []
    for number, one in enumerate(asked, 1):
        lines.append(f"{number}. {one['question']}")
        lines += [f"   - {answer['answer']}" for answer in one["answers"] if answer.get("answer")]
    return "\n".join(lines)


def _show(asked: list[dict[str, Any]], text: str) -> None:
    from IPython.display import display
    from jupyterquiz.dynamic import loader, renderer

    name = f"genai4eu{secrets.token_hex(6)}"
    quiz = renderer.render_div(name, False, False, False, len(asked), 720, 6, "left")
    frame = f'<div data-lm-suppress-shortcuts="true">{quiz}</div></div>'  # keys are the quiz's, not JupyterLab's
    prefix, static, url = loader.load_questions_script(asked, name)
    script = renderer.build_script(prefix.replace("</", "<\\/"), static, url, name, True)
    html = frame + renderer.build_styles(name, _COLOURS) + _STYLE.format(id=name)
    display({"text/html": html, "text/plain": text}, raw=True)
    display({"application/javascript": _SCRIPT.format(id=name, script=script), "text/plain": ""}, raw=True)
