"""`tinyagent data`: requests to learn from, made, checked and described."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinyagent.cli.data_examples import examples
from tinyagent.cli.data_folder import DataOption, open_corpus
from tinyagent.cli.terminal import output, printable

if TYPE_CHECKING:
    from tinyagent.training.data_check import FileReport
    from tinyagent.training.teacher.chat import ChatClient
    from tinyagent.training.teacher.run import TeachingRun

app = typer.Typer(help="Requests to learn from: make, check and describe them.", no_args_is_help=True)

KEY_VARIABLES = ("TINYAGENT_TEACHER_KEY", "OPENAI_API_KEY")

app.command()(examples)


@app.command()
def teach(
    out: Annotated[Path, typer.Option(help="JSON lines that accepted requests are appended to.")],
    count: Annotated[int, typer.Option(min=1, help="Requests that the file shall hold in the end.")],
    base_url: Annotated[str, typer.Option(help="An OpenAI-compatible API, http://HOST:PORT/v1.")],
    model: Annotated[str, typer.Option(help="The model to ask.")],
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Questions at once.")] = 4,
    seed: Annotated[int, typer.Option(help="Another seed asks other questions.")] = 0,
    max_tokens: Annotated[int, typer.Option(min=0, help="Limit of an answer; 0 leaves it out.")] = 2048,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for an answer.")] = 120.0,
    price_in: Annotated[float | None, typer.Option(min=0, help="Price of a million prompt tokens.")] = None,
    price_out: Annotated[float | None, typer.Option(min=0, help="Price of a million answer tokens.")] = None,
    data: DataOption = Path("training/data"),
) -> None:
    """Ask a chat model for requests with plans, check them, and keep the good ones.

    The same command goes on where it stopped. The key comes from TINYAGENT_TEACHER_KEY or OPENAI_API_KEY.
    """
    from tinyagent.cli.progress import LateProgress
    from tinyagent.training.teacher.chat import ChatClient, Patience
    from tinyagent.training.teacher.ledger import Ledger
    from tinyagent.training.teacher.prompt import examples_of
    from tinyagent.training.teacher.run import Task, TeachingRun

    corpus = open_corpus(data)
    aside = [request.query for part in ("dev", "test") for request in corpus.requests(part)]
    task = Task(count, seed, concurrency, examples_of(corpus.parts["train"]))
    key = next((value for name in KEY_VARIABLES if (value := os.environ.get(name))), None)
    with Ledger(out, aside) as ledger, LateProgress("asking", count) as progress:
        for _ in range(ledger.rows):
            progress.advance()
        client = ChatClient(base_url, model, key, max_tokens, Patience(timeout))
        try:
            asyncio.run(_teach(TeachingRun(task, client, ledger, progress.advance), client))
        finally:
            _print_report(ledger.write_report(model, price_in, price_out), ledger.report_path)


async def _teach(run: TeachingRun, client: ChatClient) -> None:
    try:
        await run.run()
    finally:
        await client.close()


def _print_report(report: dict[str, Any], path: Path) -> None:
    rejected = ", ".join(f"{reason} {entry['count']}" for reason, entry in report["rejected"].items())
    failed = ", ".join(f"{reason} {times}" for reason, times in report["failed"].items())
    share = "" if report["yield"] is None else f" ({report['yield']:.0%} of what was offered)"
    lines = [
        f"{report['rows']} requests in the file; asked {report['asked']} times, "
        f"{report['answered']} answered, {report['accepted']} accepted{share}.",
        f"rejected: {rejected}" if rejected else "",
        f"without an answer: {failed}" if failed else "",
        f"tokens: {report['prompt_tokens']} asked, {report['completion_tokens']} answered"
        + ("" if report["cost"] is None else f"; cost {report['cost']:.4f}"),
        f"The report is in {path}.",
    ]
    print(printable("\n".join(line for line in lines if line)))


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="JSON lines with plans (.jsonl) or blocks (.txt).")],
) -> None:
    """Check requests and plans row by row; faults end with exit code 1, warnings do not."""
    from tinyagent.training.data_check import check_file

    faulty = False
    for path in files:
        report = check_file(path)
        _print_findings(report)
        faulty = faulty or bool(report.faults)
    if faulty:
        raise typer.Exit(1)


def _print_findings(report: FileReport) -> None:
    path = report.path
    for finding in report.faults:
        print(printable(f"{path}:{finding.line}: {finding.reason}"))
    for finding in report.warnings:
        print(printable(f"{path}:{finding.line}: warning: {finding.reason}"))
    print(
        f"{path}: {report.sound} sound requests ({report.unserved} that no tool serves), "
        f"{len(report.faults)} faults, {len(report.warnings)} warnings"
    )


@app.command()
def make(
    out: Annotated[Path, typer.Option(help="Folder for train.jsonl, dev.jsonl and test.jsonl.")],
    data: DataOption = Path("training/data"),
    train: Annotated[int, typer.Option(min=0, help="Requests to train with.")] = 80_000,
    dev: Annotated[int, typer.Option(min=0, help="Requests to choose weights and rules by.")] = 1000,
    test: Annotated[int, typer.Option(min=0, help="Requests to judge by.")] = 1000,
    seed: Annotated[int, typer.Option(help="Another seed makes other variants.")] = 0,
) -> None:
    """Make a whole data set offline: the project's requests and variants of them, in the form of `eval`.

    The same data, sizes and seed make the same files.
    """
    from tinyagent.cli.progress import LateProgress
    from tinyagent.training.data_files import make_files
    from tinyagent.training.materialise import Sizes, grammar_rows

    corpus = open_corpus(data)
    with LateProgress("making", train + dev + test) as progress:
        made = make_files(corpus, out, Sizes(train, dev, test), seed, grammar_rows(), progress.advance)
    for file in made:
        short = "" if file.rows == file.wanted else f" (no more of {file.wanted} could be made)"
        print(f"{file.path}: {file.rows} requests{short}, sha256 {file.sha256}")


@app.command()
def card(
    out: Annotated[Path, typer.Option(help="The Markdown file to write.")],
    data: DataOption = Path("training/data"),
) -> None:
    """Write the data card: sources, counts, coverage, overlap between parts, checksum."""
    from tinyagent.training.card import write_card
    from tinyagent.training.storage import write_whole

    write_whole(out, write_card(data, open_corpus(data)))
    output().print(f"The card is in {printable(str(out))}.", markup=False)
