"""How the training scripts end: a sentence and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from tinyagent.errors import TinyAgentError

FAILED, INTERRUPTED = 1, 130


def tell(line: str) -> None:
    """A line of how it goes, on standard error."""
    print(line, file=sys.stderr, flush=True)


def run(main: Callable[[], int | None]) -> int:
    """The exit code of a script: what `main` returns, 0 for None; failures are told in a sentence."""
    try:
        return main() or 0
    except TinyAgentError as error:
        tell(f"error: {error}")
    except (MemoryError, RuntimeError) as error:
        if not _is_lack_of_memory(error):
            raise
        tell("error: There is not enough memory. Close other programs, or use a machine with more of it.")
    except KeyboardInterrupt:
        tell("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED


def _is_lack_of_memory(error: Exception) -> bool:
    """torch tells of it by a RuntimeError of its own words."""
    return isinstance(error, MemoryError) or any(
        words in str(error) for words in ("allocate memory", "out of memory")
    )
