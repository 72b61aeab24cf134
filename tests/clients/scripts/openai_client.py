"""The openai package, from its first 1.x to the newest."""

from __future__ import annotations

import asyncio
import base64
import inspect
from typing import Any

import openai
import steps
from openai import AsyncOpenAI, OpenAI
from steps import BASE_URL, MAX_TURNS, TOKEN

try:
    import httpx2 as httpx
except ImportError:
    import httpx


def client(**options: Any) -> OpenAI:
    return OpenAI(**{"base_url": BASE_URL, "api_key": TOKEN, **options})


def known(create: Any, body: dict[str, Any]) -> dict[str, Any]:
    """The parameters; those that this version has no word for go into the body as they are."""
    names = inspect.signature(create).parameters
    own = {name: value for name, value in body.items() if name in names}
    rest = {name: value for name, value in body.items() if name not in names}
    return {**own, "extra_body": rest} if rest else own


def create(body: dict[str, Any], options: dict[str, Any] | None = None) -> Any:
    completions = client(**(options or {})).chat.completions
    return completions.create(**known(completions.create, body))


def version() -> str:
    return openai.__version__


def answer(**body: Any) -> dict[str, Any]:
    return create(body).model_dump(mode="json")


def stream(**body: Any) -> list[dict[str, Any]]:
    return [chunk.model_dump(mode="json") for chunk in create({**body, "stream": True})]


def answer_async(**body: Any) -> dict[str, Any]:
    async def ask() -> Any:
        async with AsyncOpenAI(base_url=BASE_URL, api_key=TOKEN) as there:
            return await there.chat.completions.create(**known(there.chat.completions.create, body))

    return asyncio.run(ask()).model_dump(mode="json")


def stream_async(**body: Any) -> list[dict[str, Any]]:
    async def ask() -> list[dict[str, Any]]:
        async with AsyncOpenAI(base_url=BASE_URL, api_key=TOKEN) as there:
            completions = there.chat.completions
            chunks = await completions.create(**known(completions.create, {**body, "stream": True}))
            return [chunk.model_dump(mode="json") async for chunk in chunks]

    return asyncio.run(ask())


def accumulate(**body: Any) -> dict[str, Any]:
    """What the package's own stream helper makes of the chunks, and the events that it saw."""
    with client().chat.completions.stream(**body) as events:
        kinds = [event.type for event in events]
        return {"completion": events.get_final_completion().model_dump(mode="json"), "events": kinds}


def attempt(options: dict[str, Any], **body: Any) -> dict[str, Any]:
    """An answer by a client with these options."""
    return create(body, options).model_dump(mode="json")


def attempts(options: dict[str, Any], **body: Any) -> dict[str, Any]:
    """How an answer comes about: the retry count of each request that the package sends."""
    sent: list[str | None] = []

    def note(request: Any) -> None:
        sent.append(request.headers.get("x-stainless-retry-count"))

    with httpx.Client(event_hooks={"request": [note]}) as transport:
        try:
            told = {"result": create(body, {**options, "http_client": transport}).model_dump(mode="json")}
        except openai.APIError as error:
            told = {"failure": steps.failure(error)}
    return {**told, "sent": sent}


def leave(after: str, **body: Any) -> str:
    """Close a stream once an event of this type was seen; the run."""
    chunks = create({**body, "stream": True})
    for chunk in chunks:
        event = (chunk.model_extra or {}).get("tinyagent")
        if event and event["type"] == after:
            chunks.response.close()
            return event["run"]
    raise AssertionError(f"no {after}")


def tools_loop(body: dict[str, Any], results: dict[str, str], streamed: bool = False) -> dict[str, Any]:
    """Carry out the calls that come until words come."""
    messages: list[Any] = list(body["messages"])
    waves: list[list[dict[str, str]]] = []
    for _ in range(MAX_TURNS):
        turn = {**body, "messages": messages}
        message = _streamed(turn) if streamed else create(turn).choices[0].message.model_dump(mode="json")
        calls = [
            {"id": call["id"], "name": call["function"]["name"], "arguments": call["function"]["arguments"]}
            for call in message.get("tool_calls") or []
        ]
        if not calls:
            return {"waves": waves, "content": message["content"]}
        waves.append(calls)
        messages += [message, *steps.results_of(calls, results)]
    raise AssertionError(f"no final message: {waves}")


def _streamed(body: dict[str, Any]) -> dict[str, Any]:
    with client().chat.completions.stream(**body) as events:
        for _ in events:
            pass
        return events.get_final_completion().choices[0].message.model_dump(mode="json")


def parse(**body: Any) -> dict[str, Any]:
    """A structured answer, validated by pydantic."""
    parsed = client().chat.completions.parse(**body, response_format=reminder_model())
    return parsed.choices[0].message.parsed.model_dump(mode="json")


def reminder_model() -> Any:
    from typing import Literal

    from pydantic import BaseModel, ConfigDict

    class Reminder(BaseModel):
        model_config = ConfigDict(extra="forbid")
        kind: Literal["call", "write"]
        urgent: bool
        tags: list[Literal["home", "work"]]

    return Reminder


def models() -> list[str]:
    return [model.id for model in client().models.list()]


def model(name: str) -> dict[str, Any]:
    return client().models.retrieve(name).model_dump(mode="json")


def embed(**body: Any) -> dict[str, Any]:
    """Embeddings; a vector that came as base64 is told by its bytes."""
    made = client().embeddings.create(**body).model_dump(mode="json")
    for item in made["data"]:
        if isinstance(item["embedding"], str):
            item["bytes"] = len(base64.b64decode(item["embedding"]))
    return made


def respond(**body: Any) -> dict[str, Any]:
    made = client().responses.create(**body)
    return {**made.model_dump(mode="json"), "text": made.output_text}


def respond_stream(**body: Any) -> list[dict[str, Any]]:
    return [event.model_dump(mode="json") for event in client().responses.create(**body, stream=True)]


def respond_accumulate(**body: Any) -> dict[str, Any]:
    with client().responses.stream(**body) as events:
        kinds = [event.type for event in events]
        made = events.get_final_response()
    return {"text": made.output_text, "status": made.status, "events": kinds}


def respond_parse(**body: Any) -> dict[str, Any]:
    return (
        client().responses.parse(**body, text_format=reminder_model()).output_parsed.model_dump(mode="json")
    )


def respond_loop(body: dict[str, Any], results: dict[str, str], stored: bool = True) -> dict[str, Any]:
    """Carry out the calls that come until words come; with `stored` only what is new is sent."""
    items: list[Any] = [{"role": "user", "content": body["input"]}]
    waves: list[list[dict[str, str]]] = []
    previous: dict[str, str] = {}
    for _ in range(MAX_TURNS):
        made = client().responses.create(**{**body, "input": items, **previous})
        calls = [item for item in made.output if item.type == "function_call"]
        if not calls:
            return {"waves": waves, "content": made.output_text}
        wave = [{"id": call.call_id, "name": call.name, "arguments": call.arguments} for call in calls]
        waves.append(wave)
        outputs = [
            {"type": "function_call_output", "call_id": item["tool_call_id"], "output": item["content"]}
            for item in steps.results_of(wave, results)
        ]
        if stored:
            previous = {"previous_response_id": made.id}
            items = outputs
        else:
            items += [*(item.model_dump(exclude_none=True) for item in made.output), *outputs]
    raise AssertionError(f"no final message: {waves}")


STEPS = (
    version, answer, stream, answer_async, stream_async, accumulate, attempt, attempts, leave, tools_loop,
    parse, models, model, embed, respond, respond_stream, respond_accumulate, respond_parse, respond_loop,
)  # fmt: skip

if __name__ == "__main__":
    steps.serve({step.__name__: step for step in STEPS})
