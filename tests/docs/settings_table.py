"""The table of settings for `docs/configuration.md`.

`PYTHONPATH=server:. python -m tests.docs.settings_table` writes it into the page.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from tinyagent.settings import (
    ApprovalSettings,
    DavSettings,
    ImapSettings,
    LlamaPlannerSettings,
    McpServerSettings,
    OpenAIPlannerSettings,
    Settings,
    SmtpSettings,
    TelemetrySettings,
    WorkerSettings,
    WriterSettings,
    ZoomSettings,
)

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
TABLES = {
    "settings": Settings,
    "approvals": ApprovalSettings,
    "imap": ImapSettings,
    "smtp": SmtpSettings,
    "dav": DavSettings,
    "zoom": ZoomSettings,
    "llama": LlamaPlannerSettings,
    "openai": OpenAIPlannerSettings,
    "writer": WriterSettings,
    "worker": WorkerSettings,
    "mcp": McpServerSettings,
    "telemetry": TelemetrySettings,
}


def table(model: type[BaseModel]) -> str:
    """Names, defaults and meanings of a section."""
    rows = ["| name | default | meaning |", "| --- | --- | --- |"]
    for name, field in model.model_fields.items():
        if field.description is None:
            continue
        default = (
            "" if field.default in (PydanticUndefined, None, "", [], {}, SecretStr("")) else field.default
        )
        shown = f"`{str(default).lower() if isinstance(default, bool) else default}`" if default != "" else ""
        rows.append(f"| `{name}` | {shown} | {field.description} |")
    return "\n".join(rows)


def filled(page: str) -> str:
    """The page with every generated table as it should be."""
    for name, model in TABLES.items():
        start, end = f"<!-- table {name} -->\n", "<!-- end -->"
        before, rest = page.split(start, 1)
        page = f"{before}{start}{table(model)}\n{end}{rest.split(end, 1)[1]}"
    return page


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text()))
