"""`tinyagent doctor`: can it work here, and what to do if not?"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from tinyagent.cli.failures import FAILED
from tinyagent.cli.options import GlobalOptions
from tinyagent.cli.terminal import output, print_json, printable

if TYPE_CHECKING:
    from tinyagent.cli.findings import Finding, Verdict

SIGNS: dict[Verdict, tuple[str, str]] = {
    "ok": ("✓", "green"),
    "advice": ("!", "yellow"),
    "fault": ("✗", "red"),
}


def doctor(
    ctx: typer.Context, json: Annotated[bool, typer.Option("--json", help="The findings as JSON.")] = False
) -> None:
    """Check what tinyagent needs here, from Python to models, accounts and, on a Mac, permissions.

    The exit code is 1 when something essential is missing.
    """
    findings = asyncio.run(_examine(ctx.obj, show=not json))
    if json:
        print_json([asdict(finding) for finding in findings])
    if any(finding.verdict == "fault" for finding in findings):
        raise typer.Exit(FAILED)


async def _examine(options: GlobalOptions, show: bool) -> list[Finding]:
    from tinyagent.cli.checks import examine

    findings: list[Finding] = []
    async for finding in examine(options):
        findings.append(finding)
        if show:
            _print(finding)
    return findings


def _print(finding: Finding) -> None:
    from rich.text import Text

    sign, style = SIGNS[finding.verdict]
    line = Text.assemble((f"{sign} ", style), (f"{finding.check}: ", "bold"), printable(finding.detail))
    if finding.hint:
        line.append(f"\n  → {printable(finding.hint)}", style="dim" if finding.verdict == "ok" else "")
    output().print(line)
