"""Files are found by name within the open folders; two that match are a question, never a guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.desktop.mac_world import MacWorld
from tests.contracts.desktop.worlds import World
from tinyagent.errors import AccessDenied, Ambiguous, NoMatch, ToolError

pytestmark = pytest.mark.app("files")


def put(world: World, name: str) -> Path:
    path = world.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("content")
    return path


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ("Lease.pdf", "lease"),
        ("Lease.pdf", "lease.PDF"),
        ("Q3_Budget-Review.xlsx", "q3 budget review"),
        ("Résumé Zoë.docx", "resume zoe"),
        ("AnnualReport2025.pdf", "annual report2025"),
        ("Annual Report.pdf", "AnnualReport"),
        ("Library Annual Report 2025.pdf", "annual report"),
        ("Library Annual Report 2025.pdf", "the annual library report pdf"),
        ("Maintenance.pdf", "maintenence.pdf"),
        ("Maintenance Guide.pdf", "maintenance giude"),
        ("日程表.pdf", "日程表"),
        ("отчёт.pdf", "Отчет"),
        ("-rf.txt", "-rf"),
        ('it\'s "quoted".txt', 'it\'s "quoted".txt'),
        ("🎉.txt", "🎉.txt"),
        ("deep/er/and/deeper/Plan.txt", "plan"),
        ("Ramp/Plan.txt", "ramp/Plan.txt"),
    ],
)
async def test_a_file_is_found_as_people_say_its_name(world: World, stored: str, said: str) -> None:
    path = put(world, stored)
    put(world, "Something else.md")

    assert await world.desktop.files.find(said) == path


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("Ramp/Plan.txt", "Garden/Plan.txt"), "Plan.txt"),
        (("Plan.txt", "Plan.docx"), "plan"),
        (("Budget 2025.xlsx", "Budget 2026.xlsx"), "budget"),
        (("AnnualReport.docx", "Annual Report.pdf"), "annual report"),
        (("Resume.txt", "Résumé.pdf"), "my resume file"),
        (("Minutes May.txt", "Minutes Mai.txt"), "minutes maj"),
    ],
)
async def test_two_matching_files_are_a_question(world: World, names: tuple[str, str], said: str) -> None:
    paths = {str(put(world, name)) for name in names}

    with pytest.raises(Ambiguous) as question:
        await world.desktop.files.find(said)

    assert set(question.value.candidates) == paths


async def test_a_folder_in_the_name_settles_which_file_is_meant(world: World) -> None:
    put(world, "Garden/Plan.txt")
    path = put(world, "Ramp/Plan.txt")

    assert await world.desktop.files.find("Ramp/Plan.txt") == path


@pytest.mark.parametrize("name", ["Nothing.pdf", "", "*", '" || true || "'])
async def test_what_is_not_there_is_an_error(world: World, name: str) -> None:
    put(world, "Lease.pdf")

    with pytest.raises(NoMatch):
        await world.desktop.files.find(name)


@pytest.mark.parametrize(
    "hidden", [".secret/Plan.txt", "node_modules/Plan.txt", "Tool.app/Contents/Plan.txt"]
)
async def test_hidden_places_are_not_searched(world: World, hidden: str) -> None:
    put(world, hidden)

    with pytest.raises(NoMatch):
        await world.desktop.files.find("Plan")


async def test_a_link_out_of_the_folders_is_not_followed(world: World, tmp_path: Path) -> None:
    (tmp_path / "Private plan.txt").write_text("secret")
    (world.folder / "Private plan.txt").symlink_to(tmp_path / "Private plan.txt")

    with pytest.raises(NoMatch):
        await world.desktop.files.find("private plan")


@pytest.mark.parametrize("path", ["/etc/passwd", "~/.ssh/id_rsa", "../../etc/passwd"])
async def test_what_lies_outside_cannot_be_read(world: World, path: str) -> None:
    with pytest.raises(ToolError):
        await world.desktop.files.find(path)
    with pytest.raises((AccessDenied, NoMatch)):
        await world.desktop.files.check(path)


async def test_spotlight_is_asked_before_the_folders_are_walked_through(mac: MacWorld) -> None:
    path = put(mac, "deep/Lease.pdf")

    assert await mac.desktop.files.find("lease") == path
    (asked,) = mac.mac.calls("mdfind")
    assert asked["argv"] == ["-0", "-onlyin", str(mac.folder), 'kMDItemFSName == "*lease*"cd']


@pytest.mark.parametrize("order", [{"exit": 1}, {"stdout_bytes": 8 * 2**20}, {"stdout": "garbage"}])
async def test_where_spotlight_is_of_no_help_the_folders_are_walked_through(
    mac: MacWorld, order: dict[str, int]
) -> None:
    path = put(mac, "Lease.pdf")
    mac.mac.plan("mdfind", order)

    assert await mac.desktop.files.find("lease") == path


async def test_a_volume_without_an_index_is_walked_through(mac: MacWorld) -> None:
    path = put(mac, "Lease.pdf")
    mac.mac.change(lambda data: data.update(unindexed=True))

    assert await mac.desktop.files.find("lease") == path


async def test_a_file_is_shown_in_its_program(mac: MacWorld) -> None:
    path = put(mac, "-n Lease.pdf")

    await mac.desktop.files.show(path)

    assert [call["argv"] for call in mac.mac.calls("open")] == [[str(path)]]


async def test_a_file_without_a_program_is_shown_where_it_lies(mac: MacWorld) -> None:
    path = put(mac, "Lease.xyz")
    mac.mac.plan("open", {"exit": 1})

    await mac.desktop.files.show(path)

    assert [call["argv"] for call in mac.mac.calls("open")] == [[str(path)], ["-R", str(path)]]


async def test_the_finder_is_told_of_a_file_that_cannot_be_opened(mac: MacWorld) -> None:
    path = put(mac, "Lease.xyz")
    mac.mac.plan("open", {"exit": 1, "always": True})

    await mac.desktop.files.show(path)

    assert mac.mac.operations() == ["files_reveal"]
    assert mac.mac.faults() == []


@pytest.mark.parametrize(
    "name", ["Setup.app", "run.command", "a.sh", "b.scpt", "c.webloc", "d.PKG", "e.workflow"]
)
async def test_programs_are_not_opened(mac: MacWorld, name: str) -> None:
    path = put(mac, name)

    with pytest.raises(AccessDenied, match="programs"):
        await mac.desktop.files.show(path)

    assert mac.mac.calls("open") == []


@pytest.mark.parametrize(
    ("meant", "other", "said"),
    [
        ("Straße.pdf", "Strasse old.pdf", "Straße"),
        ("Søren.pdf", "Soren old.pdf", "søren"),
        ("O'Brien.pdf", "OBrien old.pdf", "o'brien"),
    ],
)
async def test_a_file_whose_letters_spotlight_does_not_know_is_found_before_one_that_is_alike(
    mac: MacWorld, meant: str, other: str, said: str
) -> None:
    path = put(mac, meant)
    mac.mac.plan("mdfind", {"stdout": f"{put(mac, other)}\0"})

    assert await mac.desktop.files.find(said) == path
