"""LiteLLM, to which the server is one more OpenAI-compatible address."""

from __future__ import annotations

import asyncio
import os
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm
import steps
from steps import BASE_URL, MAX_TURNS, TOKEN

litellm.telemetry = False
litellm.suppress_debug_info = True


def full(body: dict[str, Any]) -> dict[str, Any]:
    there = {"api_base": BASE_URL, "api_key": TOKEN, "num_retries": 0}
    return {**there, **body, "model": f"openai/{body['model']}"}


def answer(**body: Any) -> dict[str, Any]:
    return litellm.completion(**full(body)).model_dump(mode="json")


def stream(**body: Any) -> list[dict[str, Any]]:
    return [chunk.model_dump(mode="json") for chunk in litellm.completion(**full(body), stream=True)]


def together(**body: Any) -> Any:
    """What LiteLLM itself puts together from the chunks."""
    return litellm.stream_chunk_builder(list(litellm.completion(**full(body), stream=True)))


def accumulate(**body: Any) -> dict[str, Any]:
    return together(**body).model_dump(mode="json")


def answer_async(**body: Any) -> dict[str, Any]:
    return asyncio.run(litellm.acompletion(**full(body))).model_dump(mode="json")


def tools_loop(body: dict[str, Any], results: dict[str, str], streamed: bool = False) -> dict[str, Any]:
    messages: list[Any] = list(body["messages"])
    waves: list[list[dict[str, str]]] = []
    for _ in range(MAX_TURNS):
        turn = {**body, "messages": messages}
        made = together(**turn) if streamed else litellm.completion(**full(turn))
        message = made.choices[0].message
        calls = [
            {"id": call.id, "name": call.function.name, "arguments": call.function.arguments}
            for call in message.tool_calls or []
        ]
        if not calls:
            return {"waves": waves, "content": message.content}
        waves.append(calls)
        messages += [message, *steps.results_of(calls, results)]
    raise AssertionError(f"no final message: {waves}")


def embed(**body: Any) -> dict[str, Any]:
    return litellm.embedding(**full(body)).model_dump(mode="json")


STEPS = (answer, stream, accumulate, answer_async, tools_loop, embed)

if __name__ == "__main__":
    steps.serve({step.__name__: step for step in STEPS})
