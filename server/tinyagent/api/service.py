"""Tools and health."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from tinyagent.api.failures import error_response
from tinyagent.api.schemas import ToolBody, ToolList
from tinyagent.api.serving import ServingHere
from tinyagent.engine.readiness import Check
from tinyagent.errors import ModelUnavailable

router = APIRouter()


@router.get("/v1/tools")
async def list_tools(serving: ServingHere) -> ToolList:
    """All tools, with the reason where one is disabled."""
    return ToolList(data=[ToolBody.of(status) for status in serving.runs.tools()])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Whether the process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(serving: ServingHere) -> JSONResponse:
    """Whether every part can work now."""
    return _readiness(await serving.runs.ready())


def _readiness(checks: dict[str, Check]) -> JSONResponse:
    shown = {name: {"ok": check.ok, "detail": check.detail} for name, check in checks.items()}
    failing = [f"{name} ({check.detail})" for name, check in checks.items() if not check.ok]
    if not failing:
        return JSONResponse({"status": "ready", "checks": shown})
    error = ModelUnavailable(f"Not ready: {'; '.join(failing)}.")
    return error_response(error, status="unready", checks=shown)
