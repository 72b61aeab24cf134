"""Too often: the requests of one token, and tokens that are guessed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.security.wire import Answer, exchange, request
from tests.support.server import Server, serve
from tinyagent.api.rates import WRONG_TOKENS_PER_MINUTE
from tinyagent.settings import load_settings
from tinyagent.tokens import create_token

PER_MINUTE = 12
CHOSEN = "words-that-i-chose"


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("limited") / "home"
    home.mkdir()
    (home / "token").write_text(CHOSEN)
    with serve(home, TINYAGENT_REQUESTS_PER_MINUTE=str(PER_MINUTE)) as started:
        yield started


def token(server: Server, name: str) -> str:
    return create_token(load_settings(home=server.home), name, ["read"], timedelta(hours=1))


def models(server: Server, token: str | None, *headers: str) -> Answer:
    return exchange(server, request(server, "GET /v1/models HTTP/1.1", *headers, token=token))


def refused(answer: Answer) -> None:
    assert (answer.status, answer.error["type"], answer.code) == (429, "rate_limit_error", "overloaded")
    wait_s = int(answer.headers["retry-after"])
    assert 1 <= wait_s <= 60
    assert f"{wait_s} s" in answer.error["message"]


def test_a_token_sends_no_more_than_set_and_others_are_not_held_up_by_it(limited: Server) -> None:
    busy, quiet = token(limited, "busy"), token(limited, "quiet")
    assert [models(limited, busy).status for _ in range(PER_MINUTE)] == [200] * PER_MINUTE
    refused(models(limited, busy))
    refused(models(limited, busy))
    assert models(limited, quiet).status == 200


def test_what_machines_ask_for_again_and_again_is_not_counted(limited: Server) -> None:
    watcher = token(limited, "watcher")
    for path in ("/healthz", "/readyz"):
        for _ in range(PER_MINUTE + 3):
            assert exchange(limited, request(limited, f"GET {path} HTTP/1.1", token=watcher)).status == 200
    assert models(limited, watcher).status == 200


def test_what_a_token_may_not_do_is_counted_too(limited: Server) -> None:
    eager = token(limited, "eager")
    line = "DELETE /v1/runs/run_0 HTTP/1.1"
    for _ in range(PER_MINUTE):
        assert exchange(limited, request(limited, line, token=eager)).status == 403
    refused(exchange(limited, request(limited, line, token=eager)))


def test_tokens_cannot_be_guessed_fast_and_the_right_ones_are_not_shut_out(limited: Server) -> None:
    made = token(limited, "made")
    for number in range(WRONG_TOKENS_PER_MINUTE):
        assert models(limited, f"wrong-token-number-{number:04}").status == 401
    refused(models(limited, "wrong-token-that-is-one-too-many"))
    refused(models(limited, "another", "X-Forwarded-For: 203.0.113.7"))
    refused(models(limited, CHOSEN))  # or guessing would go on: this one a person made up
    assert models(limited, made).status == 200  # this one cannot be guessed
    assert models(limited, None).status == 401  # a page in a browser sends none, and uses up nothing
    assert exchange(limited, request(limited, "GET /healthz HTTP/1.1", token=None)).status == 200
