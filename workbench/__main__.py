"""``genai4eu`` and ``python -m genai4eu``: the command line, which is stopped by Ctrl-C from its first moment on."""

import sys


def main() -> None:
    """Run the command line; what it imports takes a second, in which Ctrl-C is heard as well."""
    try:
        from .cli import main as command_line

        command_line()
    except KeyboardInterrupt:
        print("genai4eu: stopped", file=sys.stderr)
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
