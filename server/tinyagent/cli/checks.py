"""What `tinyagent doctor` looks at. Each check ends in a finding and never raises."""

from __future__ import annotations

import asyncio
import platform
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from tinyagent.cli.checks_accounts import examine_accounts
from tinyagent.cli.checks_macos import examine_mac, on_a_mac
from tinyagent.cli.checks_services import examine_services
from tinyagent.cli.checks_tools import examine_further_tools
from tinyagent.cli.findings import Finding, from_error
from tinyagent.cli.options import GlobalOptions, server_url
from tinyagent.errors import TinyAgentError

if TYPE_CHECKING:
    from tinyagent.bootstrap import Toolkit
    from tinyagent.engine.catalog import PlannerInfo
    from tinyagent.settings import Settings

OLDEST_PYTHON = (3, 11)
ESSENTIAL_BYTES = 50_000_000
COMFORTABLE_BYTES = 500_000_000
QUICKLY_LOADED_BYTES = 64 << 20
"""Models of planners that are not the default are tried up to this size."""
TRIAL = "Remind me tomorrow at 9 to water the plants"
TRIAL_DEADLINE_S = 60.0
CONNECT_TIMEOUT_S = 1.0


async def examine(options: GlobalOptions) -> AsyncIterator[Finding]:
    """All checks in turn; those that need readable settings are left out without them."""
    yield check_python()
    try:
        settings = options.settings()
    except TinyAgentError as error:
        yield from_error("settings", "fault", error)
        return
    yield Finding("settings", "ok", f"read for {settings.home}")
    yield check_folder(settings)
    yield check_space(settings)
    yield await check_journal(settings)
    yield await check_audit(settings)
    yield check_approvals(settings)
    yield check_zoom(settings)
    yield check_search_folders(settings)
    yield await check_server(options, settings)
    for part in (
        examine_accounts(settings),
        examine_services(options, settings),
        examine_further_tools(settings),
        check_models(settings),
        *([examine_mac(settings)] if on_a_mac(settings) else []),
    ):
        async for finding in part:
            yield finding


def check_python() -> Finding:
    """A Python that is new enough."""
    detail = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return Finding("python", "ok", detail)
    return Finding("python", "fault", detail, "Install Python 3.11 or newer.")


def check_folder(settings: Settings) -> Finding:
    """The home folder can be made and written."""
    from tinyagent.home import prepare_home

    try:
        prepare_home(settings)
        with tempfile.TemporaryFile(dir=settings.data):
            pass
    except TinyAgentError as error:
        return from_error("data folder", "fault", error)
    except OSError as error:
        hint = "Make it writable, or choose another with --home."
        return Finding("data folder", "fault", f"{settings.data} is not writable: {error.strerror}", hint)
    return Finding("data folder", "ok", f"{settings.data} is writable")


def check_space(settings: Settings) -> Finding:
    """Room on the disk for the journal and the data."""
    free = shutil.disk_usage(_existing(settings.home)).free
    detail = f"{free / 1e9:.1f} GB free"
    if free < ESSENTIAL_BYTES:
        return Finding("disk space", "fault", detail, "Free some space: nothing can be stored safely.")
    if free < COMFORTABLE_BYTES:
        return Finding("disk space", "advice", detail, "Free some space soon.")
    return Finding("disk space", "ok", detail)


async def check_journal(settings: Settings) -> Finding:
    """The journal of runs, where there is one, is whole."""
    from tinyagent.journal.sqlite import SqliteJournal

    if not settings.journal.exists():
        return Finding("journal", "ok", "empty")
    journal = SqliteJournal(settings.journal)
    try:
        await journal.runs(1)
    except TinyAgentError as error:
        return from_error("journal", "fault", error)
    finally:
        await journal.close()
    return Finding("journal", "ok", f"{settings.journal} is whole")


async def check_audit(settings: Settings) -> Finding:
    """Nobody changed the record of what was done, as far as its chain shows."""
    from tinyagent.journal.audit import verify

    try:
        verdict = await asyncio.to_thread(verify, settings.audit_file)
    except TinyAgentError as error:
        return from_error("audit log", "fault", error)
    if verdict.ok:
        return Finding("audit log", "ok", f"{verdict.entries} entries, whole")
    place = "" if verdict.line is None else f"line {verdict.line}: "
    hint = "See `tinyagent audit verify`; what was done before cannot be shown beyond doubt."
    return Finding("audit log", "fault", f"{settings.audit_file} is broken: {place}{verdict.fault}", hint)


def check_approvals(settings: Settings) -> Finding:
    """What is sent, and what is asked about first."""
    from tinyagent.bootstrap import build_policy
    from tinyagent.ports import ToolStatus
    from tinyagent.tools.registry import BUILT_IN

    try:
        policy = build_policy(settings)
    except TinyAgentError as error:
        return from_error("approvals", "fault", error)
    rulings = [(tool.spec.name, policy.ruling(ToolStatus(tool.spec, True), None)) for tool in BUILT_IN]
    unasked = [name for name, ruling in rulings if ruling.send and not ruling.ask]
    asked = [name for name, ruling in rulings if ruling.ask]
    sends = any(ruling.send for _, ruling in rulings)
    parts = [
        f"SENT WITHOUT ASKING: {', '.join(unasked)}" if unasked else "",
        f"asked about first: {', '.join(asked)}" if asked else "",
        "" if sends else "mail and messages are only drafted, never sent",
    ]
    hint = 'Set approvals.send = "ask" in config.toml to be asked before anything is sent.' if unasked else ""
    return Finding("approvals", "advice" if unasked else "ok", "; ".join(filter(None, parts)), hint)


def _existing(path: Path) -> Path:
    return path if path.exists() or path == path.parent else _existing(path.parent)


def check_zoom(settings: Settings) -> Finding:
    """Credentials for the one service that is not on this computer."""
    from tinyagent.secrets import secret

    zoom = settings.zoom
    key = secret("zoom.client_secret", zoom.client_secret) if zoom.client_id else ""
    given = [bool(value) for value in (zoom.account_id, zoom.client_id, key)]
    if all(given):
        return Finding("zoom", "ok", "credentials are configured")
    hint = (
        "To make meetings, set zoom.account_id and zoom.client_id in config.toml, and zoom.client_secret "
        "by `tinyagent secret set`."
    )
    if any(given):
        return Finding("zoom", "advice", "the credentials are incomplete", hint)
    return Finding("zoom", "advice", "not configured", hint)


def check_search_folders(settings: Settings) -> Finding:
    """The folders that files are looked for in are there."""
    missing = [str(folder) for folder in settings.folders if not folder.expanduser().is_dir()]
    if missing:
        detail = f"there is no folder {', '.join(missing)}"
        return Finding("search folders", "advice", detail, "Mend `folders` in config.toml.")
    return Finding("search folders", "ok", ", ".join(map(str, settings.search_folders)))


async def check_server(options: GlobalOptions, settings: Settings) -> Finding:
    """Our server answers, or its port is free."""
    url = options.url or server_url(settings)
    try:
        async with options.client() as client:
            if await client.alive():
                return Finding("server", "ok", f"answers at {url}")
    except TinyAgentError as error:
        return from_error("server", "fault", error)
    if options.url is not None:
        return Finding("server", "fault", f"no answer at {url}", "Start it with `tinyagent serve`.")
    if _taken(settings.host, settings.port):
        hint = f"Stop it, or set another port: `tinyagent serve --port {settings.port + 1}`."
        return Finding("server", "fault", f"another program listens on port {settings.port}", hint)
    return Finding("server", "ok", f"not running; port {settings.port} is free")


def _taken(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_S):
            return True
    except OSError:
        return False


async def check_models(settings: Settings) -> AsyncIterator[Finding]:
    """Tool RAG, the default planner and small ones work; what the other planners lack is said."""
    try:
        from tinyagent.bootstrap import build_toolkit

        toolkit = build_toolkit(settings)
    except TinyAgentError as error:
        yield from_error("tool rag", "fault", error)
        return
    except ImportError as error:
        hint = "Install tinyagent again, into a fresh environment."
        yield Finding(
            "tool rag", "fault", f"the installation is damaged: {error.name} cannot be loaded", hint
        )
        return
    yield Finding("tool rag", "ok", "loaded")
    yield check_examples(settings)
    async for finding in _check_planners(toolkit):
        yield finding
    await toolkit.planners.close()


def check_examples(settings: Settings) -> Finding:
    """The examples for planners that read instructions; without them such planners work less well."""
    from tinyagent.bootstrap import load_examples

    if not settings.planner_examples:
        return Finding("examples", "ok", "switched off")
    try:
        index = load_examples()
    except TinyAgentError as error:
        return Finding("examples", "advice", error.message, error.hint or "")
    return Finding("examples", "ok", f"{len(index.examples)} solved requests")


async def _check_planners(toolkit: Toolkit) -> AsyncIterator[Finding]:
    try:
        toolkit.planners.resolve(None)
    except TinyAgentError as error:
        yield from_error("default planner", "fault", error)
    for info in toolkit.planners.infos():
        name = f"planner {info.name}"
        if not info.plans:
            continue  # the model for texts is examined with the services
        if not info.available:
            yield Finding(name, "fault" if info.default else "advice", info.reason)
        elif info.default or 0 < (info.size_bytes or 0) <= QUICKLY_LOADED_BYTES:
            yield await _try_planner(toolkit, info)
        else:
            yield Finding(name, "ok", info.description)


async def _try_planner(toolkit: Toolkit, info: PlannerInfo) -> Finding:
    """Plan a trial request: a file may be damaged where only its use shows it."""
    from tinyagent.cli.moments import local_now
    from tinyagent.evaluation.runner import plan_request

    name = f"planner {info.name}"
    try:
        planner = await toolkit.planner(info.name)
        await plan_request(TRIAL, local_now(), toolkit.selector, planner, toolkit.tools, TRIAL_DEADLINE_S)
    except TinyAgentError as error:
        return Finding(name, "fault" if info.default else "advice", error.message, error.hint or "")
    default = "default, " if info.default else ""
    return Finding(name, "ok", f"{info.description} ({default}planned a trial request)")
