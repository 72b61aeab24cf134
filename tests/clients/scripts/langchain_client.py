"""LangChain: chat models, bound tools, an agent loop, structured answers, embeddings."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import steps
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import StructuredTool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from steps import BASE_URL, MAX_TURNS, TOKEN

REMINDER = {
    "title": "Reminder",
    "type": "object",
    "properties": {
        "kind": {"type": "string", "enum": ["call", "write"]},
        "urgent": {"type": "boolean"},
    },
    "required": ["kind", "urgent"],
    "additionalProperties": False,
}


def chat(model: str, **options: Any) -> ChatOpenAI:
    return ChatOpenAI(model=model, base_url=BASE_URL, api_key=TOKEN, max_retries=0, **options)


def told(message: Any) -> dict[str, Any]:
    return {
        "content": message.content,
        "finish_reason": message.response_metadata.get("finish_reason"),
        "usage": message.usage_metadata,
        "calls": [calls_of(call) for call in getattr(message, "tool_calls", [])],
    }


def calls_of(call: Any) -> dict[str, str]:
    return {"id": call["id"], "name": call["name"], "arguments": json.dumps(call["args"])}


def answer(
    model: str, messages: list[Any], tools: list[dict[str, Any]] | None = None, tool_choice: Any = None
) -> dict[str, Any]:
    asked: Any = chat(model)
    if tools:
        asked = asked.bind_tools(tools, tool_choice=tool_choice)
    return told(asked.invoke(messages))


def answer_async(model: str, messages: list[Any]) -> dict[str, Any]:
    return told(asyncio.run(chat(model).ainvoke(messages)))


def accumulate(model: str, messages: list[Any]) -> dict[str, Any]:
    """The sum of the streamed pieces."""
    whole: Any = None
    for piece in chat(model, stream_usage=True).stream(messages):
        whole = piece if whole is None else whole + piece
    return told(whole)


def tools_loop(body: dict[str, Any], results: dict[str, str], streamed: bool = False) -> dict[str, Any]:
    """A model with bound tools, asked until it answers in words."""
    options = {name: body[name] for name in ("tool_choice", "parallel_tool_calls") if name in body}
    bound = chat(body["model"]).bind_tools(body["tools"], **options)
    messages: list[Any] = list(body["messages"])
    waves: list[list[dict[str, str]]] = []
    for _ in range(MAX_TURNS):
        if streamed:
            message: Any = None
            for piece in bound.stream(messages):
                message = piece if message is None else message + piece
        else:
            message = bound.invoke(messages)
        calls = [calls_of(call) for call in message.tool_calls]
        if not calls:
            return {"waves": waves, "content": message.content}
        waves.append(calls)
        made = steps.results_of(calls, results)
        messages += [
            message,
            *(ToolMessage(item["content"], tool_call_id=item["tool_call_id"]) for item in made),
        ]
    raise AssertionError(f"no final message: {waves}")


def agent(model: str, request: str, tools: list[dict[str, Any]], results: dict[str, str]) -> dict[str, Any]:
    """LangChain's own agent, with tools that note their calls."""
    called: list[dict[str, Any]] = []

    def tool(described: dict[str, Any]) -> StructuredTool:
        function = described["function"]

        def carry_out(**arguments: Any) -> str:
            called.append({"name": function["name"], "arguments": arguments})
            return results[function["name"]].format(**arguments)

        return StructuredTool.from_function(
            carry_out,
            name=function["name"],
            description=function["description"],
            args_schema=function["parameters"],
        )

    made = create_agent(chat(model), [tool(described) for described in tools])
    state = made.invoke({"messages": [{"role": "user", "content": request}]})
    rounds = [len(message.tool_calls) for message in state["messages"] if isinstance(message, AIMessage)]
    return {"called": called, "rounds": rounds, "content": state["messages"][-1].content}


def structured(model: str, messages: list[Any]) -> dict[str, Any]:
    return (
        chat(model, max_completion_tokens=200)
        .with_structured_output(REMINDER, method="json_schema")
        .invoke(messages)
    )


def embed(model: str, texts: list[str]) -> list[list[float]]:
    made = OpenAIEmbeddings(model=model, base_url=BASE_URL, api_key=TOKEN, check_embedding_ctx_length=False)
    return made.embed_documents(texts)


STEPS = (answer, answer_async, accumulate, tools_loop, agent, structured, embed)

if __name__ == "__main__":
    steps.serve({step.__name__: step for step in STEPS})
