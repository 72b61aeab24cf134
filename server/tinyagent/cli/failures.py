"""How commands fail: a sentence and what to do, never a traceback; the exit code says which kind."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from typing import Any

import typer
from typer.core import TyperGroup

from tinyagent.cli import INTERRUPTED
from tinyagent.cli.options import GlobalOptions, hoist_options
from tinyagent.cli.terminal import diagnostics, printable
from tinyagent.errors import StorageFull, TinyAgentError

FAILED = 1
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

DEBUG_VARIABLE = "TINYAGENT_DEBUG"


class Commands(TyperGroup):
    """The root of all commands: turns exceptions into messages and exit codes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, hoist_options(args))

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except TinyAgentError as error:
            show_error(error)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            _close_output()
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if os.environ.get(DEBUG_VARIABLE) or type(error).__module__.startswith(("typer.", "click.")):
                raise
            show_error(_unexpected(error, ctx.obj))
        raise typer.Exit(FAILED)


def show_error(error: TinyAgentError) -> None:
    """Print what happened and what to do, on standard error."""
    from rich.panel import Panel
    from rich.text import Text

    lines = [printable(error.message), *(f"  • {printable(candidate)}" for candidate in error.candidates)]
    console = diagnostics()
    if not console.is_terminal:
        console.print(
            Text("\n".join([f"error: {lines[0]}", *lines[1:], *([error.hint] if error.hint else [])]))
        )
        return
    text = Text("\n".join(lines))
    if error.hint:
        text.append(f"\n{printable(error.hint)}", style="dim")
    console.print(
        Panel(text, title=Text(error.code.replace("_", " ")), title_align="left", border_style="red")
    )


def _unexpected(error: Exception, options: GlobalOptions | None) -> TinyAgentError:
    """Keep the place of an unexpected failure in a log; its message may hold private text and stays out."""
    if isinstance(error, OSError) and error.errno in FULL:
        return StorageFull("The output cannot be written: the disk is full.", hint="Free some space.")
    name = type(error).__name__
    hint = f"{DEBUG_VARIABLE}=1 shows where."
    if options is not None:
        log = options.log_file
        frames = "\n".join(
            f"  {frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        )
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("a", encoding="utf-8") as file:
                file.write(f"{name}\n{frames}\n")
        except OSError:
            pass
        else:
            hint = f"Where it happened is noted in {log}; {hint}"
    return TinyAgentError(f"This should not have happened ({name}).", hint=hint)


def _close_output() -> None:
    """The reader of a pipe has gone: nothing is left to say, not even by the interpreter at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
