"""Starting the program that shows a file or a link."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence

from tinyagent.errors import AppFailed


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
