"""Executed in a kernel of a lesson before the first cell, as ``PYTHONSTARTUP``: who begins in the middle is told so.

After a restart a lesson's imports are gone, too, so this cannot wait for them. Nothing is imported until it is needed,
and nothing is looked up among a participant's variables: this is executed there, and they may call one ``type``.
"""


def _listen() -> None:
    import sys

    ipython, unknown = sys.modules.get("IPython"), NameError
    shell = ipython and ipython.get_ipython()
    if not shell:  # Python in a terminal
        return

    def remind(result: object) -> None:
        if result.error_in_exec.__class__ is unknown and "genai4eu.courses" not in sys.modules:  # type: ignore[attr-defined]
            from genai4eu.courses.reminding import look_back  # the import lets it look at all cells to come

            look_back(result)

    shell.events.register("post_run_cell", remind)


_listen()
del _listen
