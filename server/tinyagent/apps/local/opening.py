"""The program that shows a file or a link."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence

from tinyagent.errors import AppFailed


def desktop_opener(system: str = sys.platform, environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The command that shows a file on this desktop; empty where there is none."""
    if system == "darwin":
        return ("/usr/bin/open",)
    command = shutil.which("xdg-open", path=environ.get("PATH"))
    has_display = bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))
    return (command,) if command and has_display else ()


def start(argv: Sequence[str]) -> None:
    """Start a program and leave it to itself. Raises AppFailed when it cannot be started."""
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise AppFailed(f"{argv[0]} could not be started: {error.strerror}.") from None
    threading.Thread(target=process.wait, daemon=True).start()
