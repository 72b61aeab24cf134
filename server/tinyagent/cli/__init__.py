"""The command line. Commands import what they need when they run, so that help is instant."""

from __future__ import annotations

import sys
from io import TextIOWrapper

INTERRUPTED = 130


def main() -> None:
    """The entry point of the `tinyagent` program. Ctrl-C is quiet from its first moment on."""
    try:
        from tinyagent.cli.app import app
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a sign that the terminal does not know is no reason to fail
            stream.reconfigure(errors="replace")
    app()
