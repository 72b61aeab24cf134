"""`POST /v1/embeddings` by the bundled encoder."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
