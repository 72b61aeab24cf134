"""`POST /v1/responses`: the agent and function calling as the newer OpenAI API asks for them."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
