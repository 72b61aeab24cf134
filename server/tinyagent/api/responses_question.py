"""A request for a response with all that it goes on from: what it asks of the engine."""

from __future__ import annotations

from dataclasses import dataclass

from tinyagent.api.modes import Mode
from tinyagent.api.responses_items import Item, text_of, turns_of
from tinyagent.api.responses_request import ResponseRequest, value_or
from tinyagent.api.tool_params import client_tools, schema_of, tool_choice_of
from tinyagent.engine.calling import CallingRequest, Turn, Wording
from tinyagent.engine.exchange import chat_of
from tinyagent.engine.runs import RunRequest
from tinyagent.errors import InvalidRequest
from tinyagent.ports import ChatRequest


@dataclass(frozen=True)
class Question:
    """A request with its input read; `places` are those of the given items. `before` are the items of
    earlier responses that it goes on from, and `follows` the earlier run, in agent mode."""

    body: ResponseRequest
    mode: Mode
    given: tuple[Item, ...]
    places: tuple[str, ...]
    before: tuple[Item, ...] = ()
    follows: str | None = None

    def run_request(self) -> RunRequest:
        """What the agent is asked for. Raises InvalidRequest."""
        self._check_agent()
        messages = [item for item in self.given if item["role"] in ("user", "assistant")]
        if not messages or messages[-1]["role"] != "user" or not text_of(messages[-1]).strip():
            raise InvalidRequest(
                "The last message must be the user's, with text in it.",
                hint="It is the request.",
                param="input",
            )
        system = [text_of(item) for item in self.given if item["role"] in ("system", "developer")]
        return RunRequest(
            query=text_of(messages[-1]),
            planner=self.mode.model,
            instructions="\n\n".join(filter(None, (self.body.instructions, *system))),
            history=tuple((item["role"], text_of(item)) for item in messages[:-1]),
            follows=self.follows,
        )

    def engine_request(self, caller: str) -> CallingRequest | ChatRequest:
        """What function calling, or a chat model, is asked for. Raises InvalidRequest."""
        functions = self.body.tools or []
        choice = tool_choice_of(self.body.tool_choice, {tool.name for tool in functions}, nested=False)
        if self.mode.name == "plain":
            return self._chat_request()
        return CallingRequest(
            self._turns(),
            client_tools(functions, "tools[{}]"),
            self.mode.model,
            choice,
            self.body.parallel_tool_calls is not False,
            self.wording(),
            caller,
        )

    def _chat_request(self) -> ChatRequest:
        messages = chat_of(self._turns())
        if not messages:
            raise InvalidRequest("There is no message in `input`.", param="input")
        return self.wording().of(messages)

    def wording(self) -> Wording:
        """How the answer is to be written. Raises InvalidRequest."""
        usual = 0.0 if self.mode.name == "agent" else 1.0
        return Wording(
            self.body.max_output_tokens,
            value_or(self.body.temperature, usual),
            value_or(self.body.top_p, 1.0),
            schema=schema_of(self.body.text and self.body.text.format, nested=False, param="text.format"),
        )

    def _turns(self) -> tuple[Turn, ...]:
        earlier = (*_system(self.body.instructions), *self.before)
        places = [*("previous_response_id" for _ in earlier), *self.places]
        return turns_of((*earlier, *self.given), places)

    def _check_agent(self) -> None:
        if self.body.store is False:
            raise InvalidRequest(
                "What the agent does is always recorded.",
                hint="Leave `store` out; `DELETE /v1/responses/{id}` forgets a response that has ended.",
                param="store",
            )
        tool_choice_of(self.body.tool_choice, (), nested=False)
        for item, place in zip(self.given, self.places, strict=True):
            if item["type"] != "message":
                raise InvalidRequest(
                    f"`{place}` is an item of function calling, and there are no `tools`.",
                    hint="The agent takes messages; send `tools` to call your own functions.",
                    param=place,
                )


def _system(instructions: str | None) -> tuple[Item, ...]:
    if not instructions:
        return ()
    return ({"type": "message", "role": "system", "content": [{"text": instructions}]},)
