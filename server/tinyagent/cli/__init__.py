"""The command line. Commands import what they need when they run, so that help is instant."""

from __future__ import annotations

import codecs
import os
import sys
from io import TextIOWrapper

INTERRUPTED = 130
PRIVATE = 0o077
"""What is taken from the mode of every file that is written: nobody but its owner gets at it."""
PLAIN = "tinyagent.plain"
PLAIN_SIGNS = dict(zip("✓✗–·•←→│“”’", '+x--*<>|""\'', strict=True)) | {"…": "..."}


def main() -> None:
    """The entry point of the `tinyagent` program. Ctrl-C is quiet from its first moment on."""
    try:
        from tinyagent.cli.app import app
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    os.umask(PRIVATE)
    codecs.register_error(PLAIN, _plainly)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=PLAIN)
    app()


def _plainly(error: UnicodeError) -> tuple[str, int]:
    """What stands for the signs that a terminal does not know: the verdicts stay apart."""
    assert isinstance(error, UnicodeEncodeError)
    unknown = error.object[error.start : error.end]
    return "".join(PLAIN_SIGNS.get(sign, "?") for sign in unknown), error.end
