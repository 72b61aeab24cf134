"""Named tokens: what is kept of them, and the commands that make and end them."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from tinyagent.cli import token as token_commands
from tinyagent.cli.failures import Commands
from tinyagent.cli.options import GlobalOptions
from tinyagent.daemon import security
from tinyagent.errors import ConfigurationError, Conflict, InvalidRequest, NotFound, StorageFull
from tinyagent.home import read_token, rotate_owner_token
from tinyagent.settings import Settings, load_settings
from tinyagent.tokens import (
    MAX_TOKENS,
    NamedToken,
    Watched,
    create_token,
    named_tokens,
    revoke_token,
    rotate_token,
    tokens_file,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home")


def only(settings: Settings) -> NamedToken:
    (kept,) = named_tokens(settings)
    return kept


# --- what is kept ----------------------------------------------------------------------------


def test_of_a_token_only_its_digest_is_kept_in_a_file_for_the_owner_alone(settings: Settings) -> None:
    secret = create_token(settings, "editor", ["run", "read", "run"])
    kept = only(settings)
    assert (kept.name, kept.scopes, kept.expires) == ("editor", ("read", "run"), None)
    assert kept.digest == hashlib.sha256(secret.encode()).hexdigest()
    assert len(secret) >= 43
    path = tokens_file(settings)
    assert path.stat().st_mode & 0o777 == 0o600
    for file in settings.home.rglob("*"):
        assert file.is_dir() or secret not in file.read_text()


def test_a_token_may_have_an_end(settings: Settings) -> None:
    create_token(settings, "guest", ["read"], timedelta(days=30))
    kept = only(settings)
    assert kept.expires == kept.created + timedelta(days=30)
    assert not kept.expired()
    assert kept.model_copy(update={"expires": datetime.now(UTC)}).expired()


def test_two_tokens_have_two_secrets_and_one_name_has_one_token(settings: Settings) -> None:
    assert create_token(settings, "a", ["read"]) != create_token(settings, "b", ["read"])
    with pytest.raises(Conflict, match="already"):
        create_token(settings, "a", ["run"])
    assert [token.name for token in named_tokens(settings)] == ["a", "b"]


@pytest.mark.parametrize(
    "name", ["", "owner", "worker", "Editor", "a b", "a\nb", "../x", "-rf", ".hidden", "é", "a" * 65, "a\x00"]
)
def test_names_are_plain_and_those_of_other_tokens_are_reserved(settings: Settings, name: str) -> None:
    with pytest.raises(InvalidRequest):
        create_token(settings, name, ["read"])
    assert named_tokens(settings) == ()


def test_revoked_tokens_are_forgotten_and_unknown_ones_are_named(settings: Settings) -> None:
    create_token(settings, "editor", ["run"])
    for change in (revoke_token, rotate_token):
        with pytest.raises(NotFound, match=r"'edtor'.*editor"):
            change(settings, "edtor")
    revoke_token(settings, "editor")
    assert named_tokens(settings) == ()


def test_a_new_secret_leaves_the_rest_as_it_was(settings: Settings) -> None:
    first = create_token(settings, "editor", ["run"], timedelta(days=1))
    before = only(settings)
    second = rotate_token(settings, "editor")
    after = only(settings)
    assert first != second
    assert after.digest == hashlib.sha256(second.encode()).hexdigest()
    assert after.model_copy(update={"digest": before.digest}) == before


def test_there_is_a_most_number_of_tokens(settings: Settings) -> None:
    settings.home.mkdir()
    kept = [
        {"name": f"t{number}", "scopes": ["read"], "digest": "0" * 64, "created": "2026-01-01T00:00:00Z"}
        for number in range(MAX_TOKENS)
    ]
    tokens_file(settings).write_text(json.dumps({"tokens": kept}))
    with pytest.raises(Conflict, match="Revoke"):
        create_token(settings, "one-more", ["read"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"tokens": [{"name": "a"}]}',
        b'{"tokens": [{"name": "a", "scopes": ["root"], "digest": "%s", "created": "2026-01-01T00:00:00Z"}]}'
        % (b"0" * 64),
        b'{"tokens": [{"name": "a", "scopes": [], "digest": "%s", "created": "2026-01-01T00:00:00Z"}]}'
        % (b"0" * 64),
    ],
)
def test_a_damaged_file_lets_nobody_in_and_is_not_written_over(
    settings: Settings, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    settings.home.mkdir()
    tokens_file(settings).write_bytes(content)
    for use in (named_tokens, lambda known: create_token(known, "a", ["run"])):
        with pytest.raises(ConfigurationError, match="damaged"):
            use(settings)
    assert tokens_file(settings).read_bytes() == content
    known = security(settings, 8765, read_token(settings)).more_tokens
    assert [token.name for token in known() if token.strong] == ["owner"]
    assert [token.name for token in known() if token.strong] == ["owner"]
    assert caplog.text.count("is damaged") == 1


def test_tokens_made_at_once_are_all_kept(settings: Settings) -> None:
    makers = [threading.Thread(target=create_token, args=(settings, f"t{n}", ["read"])) for n in range(12)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert sorted(token.name for token in named_tokens(settings)) == sorted(f"t{n}" for n in range(12))


def test_a_folder_that_cannot_be_written_is_an_error_in_words(settings: Settings) -> None:
    settings.home.parent.mkdir(exist_ok=True)
    settings.home.write_text("a file")
    with pytest.raises(ConfigurationError, match="cannot be made"):
        create_token(settings, "a", ["read"])


# --- what a running server knows -------------------------------------------------------------


def test_a_file_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    path, reads = tmp_path / "file", []

    def read() -> str:
        reads.append(1)
        return path.read_text() if path.exists() else ""

    watched = Watched(path, read)
    assert (watched.value(), watched.value(), len(reads)) == ("", "", 1)
    path.write_text("one")
    assert (watched.value(), watched.value(), len(reads)) == ("one", "one", 2)
    other = tmp_path / "other"
    other.write_text("two")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)
    assert (watched.value(), len(reads)) == ("two", 3)
    path.unlink()
    assert (watched.value(), len(reads)) == ("", 4)


def test_a_running_server_knows_the_tokens_of_its_home_as_they_are_now(settings: Settings) -> None:
    first = read_token(settings)
    known = security(settings, 8765, first).more_tokens

    def names() -> dict[str, bytes]:
        return {token.name: token.digest for token in known() if token.strong}

    assert names() == {"owner": hashlib.sha256(first.encode()).digest()}
    second = rotate_owner_token(settings)
    assert first != second == read_token(settings)
    assert names()["owner"] == hashlib.sha256(second.encode()).digest()
    create_token(settings, "editor", ["run"])
    assert sorted(names()) == ["editor", "owner"]
    revoke_token(settings, "editor")
    assert sorted(names()) == ["owner"]


def test_an_expired_token_is_known_no_more(settings: Settings) -> None:
    create_token(settings, "guest", ["read"], timedelta(days=1))
    known = security(settings, 8765, read_token(settings)).more_tokens
    assert "guest" in [token.name for token in known()]
    text = tokens_file(settings).read_text()
    end = only(settings).model_dump(mode="json")["expires"]
    tokens_file(settings).write_text(text.replace(end, "2026-01-01T00:00:00Z"))
    assert "guest" not in [token.name for token in known()]


def test_a_configured_token_stays_for_the_life_of_the_server(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, token="a-long-random-text")
    (tmp_path / "token").write_text("another-long-random-text")
    known = security(settings, 8765, read_token(settings))
    assert [token.secret for token in known.tokens] == ["a-long-random-text"]
    assert [token.name for token in known.more_tokens() if token.strong] == []
    with pytest.raises(InvalidRequest, match="TINYAGENT_TOKEN"):
        rotate_owner_token(settings)


def test_a_token_that_anybody_could_guess_is_refused_at_the_start(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="shorter than 16"):
        security(settings, 8765, "short")


# --- files that are not as they should be ----------------------------------------------------


def known_names(settings: Settings) -> Callable[[], list[str]]:
    """The names that a server knows, which was started with the files as they are now."""
    known = security(settings, 8765, read_token(settings)).more_tokens
    return lambda: [token.name for token in known() if token.strong]


def test_an_end_without_a_time_zone_is_damage_and_fails_no_request(settings: Settings) -> None:
    create_token(settings, "guest", ["read"], timedelta(days=1))
    names = known_names(settings)
    text = tokens_file(settings).read_text()
    end = only(settings).model_dump(mode="json")["expires"]
    tokens_file(settings).write_text(text.replace(end, "2036-01-01T00:00:00"))
    assert names() == ["owner"]
    with pytest.raises(ConfigurationError, match="damaged"):
        named_tokens(settings)


def test_files_that_could_not_be_read_for_a_moment_are_read_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The files are as they were; it was this process that had too many open at the time."""
    create_token(settings, "guest", ["read"])
    names = known_names(settings)
    opened = os.open

    def too_many(path: Any, *arguments: Any, **options: Any) -> int:
        if Path(path).is_relative_to(settings.home):
            raise OSError(errno.EMFILE, "too many open files")
        return opened(path, *arguments, **options)

    with monkeypatch.context() as limits:
        limits.setattr("os.open", too_many)
        assert names() == []
        assert names() == []
    assert sorted(names()) == ["guest", "owner"]
    assert 1 <= caplog.text.count("tokens.json is accepted") <= 2


@pytest.mark.parametrize("kind", ["folder", "pipe", "endless", "long", "dangling"])
@pytest.mark.parametrize("name", ["token", "tokens.json"])
def test_what_is_no_file_of_tokens_lets_nobody_in_and_holds_nobody_up(
    settings: Settings, kind: str, name: str
) -> None:
    create_token(settings, "guest", ["read"])
    names = known_names(settings)
    both = {"token": "owner", "tokens.json": "guest"}
    path = settings.home / name
    kept = path.read_bytes()
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "long":
        path.write_bytes(b"x" * 2_000_000)
    else:
        path.symlink_to("/dev/zero" if kind == "endless" else settings.home / "nowhere")
    (other,) = set(both.values()) - {both[name]}
    assert names() == [other]
    if kind not in ("dangling", "long"):
        with pytest.raises(ConfigurationError, match="cannot be"):
            read_token(settings) if name == "token" else create_token(settings, "a", ["read"])
    path.rmdir() if kind == "folder" else path.unlink()
    path.write_bytes(kept)
    assert sorted(names()) == ["guest", "owner"]


def test_a_link_to_a_file_of_tokens_is_followed_and_a_new_token_takes_the_links_place(
    settings: Settings, tmp_path: Path
) -> None:
    first = read_token(settings)
    elsewhere = tmp_path / "elsewhere"
    settings.token_file.rename(elsewhere)
    settings.token_file.symlink_to(elsewhere)
    assert read_token(settings) == first
    assert known_names(settings)() == ["owner"]
    second = rotate_owner_token(settings)
    assert not settings.token_file.is_symlink()
    assert read_token(settings) == second


def test_a_full_disk_leaves_the_tokens_as_they_were(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_token(settings, "guest", ["read"])
    owner, before = read_token(settings), tokens_file(settings).read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as disk:
        disk.setattr("os.fsync", full)
        for change in (
            lambda: create_token(settings, "a", ["read"]),
            lambda: rotate_token(settings, "guest"),
            lambda: revoke_token(settings, "guest"),
            lambda: rotate_owner_token(settings),
        ):
            with pytest.raises(StorageFull):
                change()
    assert (read_token(settings), tokens_file(settings).read_bytes()) == (owner, before)
    assert rotate_owner_token(settings) != owner


# --- the commands ----------------------------------------------------------------------------


def run(settings: Settings, *arguments: str) -> Result:
    root = typer.Typer(cls=Commands)
    root.add_typer(token_commands.app, name="token")

    @root.callback()
    def options(ctx: typer.Context) -> None:
        ctx.obj = GlobalOptions(settings.home, None)

    assert options is not None
    return CliRunner().invoke(root, ["token", *arguments])


def test_a_secret_is_printed_once_and_never_listed(settings: Settings) -> None:
    made = run(settings, "create", "editor", "--scope", "run", "--scope", "read", "--expires", "30d")
    assert made.exit_code == 0, made.stderr
    secret = made.stdout.strip()
    assert only(settings).digest == hashlib.sha256(secret.encode()).hexdigest()
    listed = run(settings, "list")
    assert listed.stdout.startswith("editor\tread, run\t")
    (entry,) = json.loads(run(settings, "list", "--json").stdout)
    assert sorted(entry) == ["created", "expires", "name", "scopes"]
    for shown in (listed.stdout, json.dumps(entry)):
        assert secret not in shown
        assert only(settings).digest not in shown


def test_secrets_come_as_json_too(settings: Settings) -> None:
    made: dict[str, Any] = json.loads(run(settings, "create", "a", "--scope", "read", "--json").stdout)
    rotated: dict[str, Any] = json.loads(run(settings, "rotate", "a", "--json").stdout)
    assert (made["name"], rotated["name"]) == ("a", "a")
    assert made["token"] != rotated["token"]


def test_ending_a_token_says_so(settings: Settings) -> None:
    run(settings, "create", "a", "--scope", "read")
    assert run(settings, "revoke", "a").stdout == "The token a is revoked.\n"
    again = run(settings, "revoke", "a")
    assert (again.exit_code, "There is no token 'a'" in again.stderr) == (1, True)
    assert "no named tokens" in run(settings, "list").stderr


def test_the_owners_token_is_printed_and_replaced(settings: Settings) -> None:
    first = run(settings).stdout.strip()
    second = run(settings, "rotate").stdout.strip()
    assert first != second == run(settings).stdout.strip()
    assert settings.token_file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "a"),
        ("create", "a", "--scope", "root"),
        ("create", "--scope", "read"),
        ("create", "a", "--scope", "read", "--expires", "soon"),
        ("create", "a", "--scope", "read", "--expires", "0d"),
        ("create", "a", "--scope", "read", "--expires", "-1d"),
        ("create", "a", "--scope", "read", "--expires", "9999999d"),
        ("create", "a", "--scope", "read", "--expires", "30"),
        ("revoke",),
    ],
)
def test_wrong_usage_makes_nothing(settings: Settings, arguments: tuple[str, ...]) -> None:
    assert run(settings, *arguments).exit_code == 2
    assert named_tokens(settings) == ()


def test_an_expired_token_is_listed_as_such(settings: Settings) -> None:
    create_token(settings, "guest", ["read"], timedelta(microseconds=1))
    assert run(settings, "list").stdout.rstrip().endswith("expired")
