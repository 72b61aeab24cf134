"""Every address book finds the person who is meant, and says so when it cannot know."""

from __future__ import annotations

import pytest

from tests.contracts.desktop.mac_world import MacWorld
from tests.contracts.desktop.worlds import World

pytestmark = pytest.mark.app("contacts")


async def test_a_name_means_its_contact_with_numbers_and_addresses(world: World) -> None:
    world.add_contact("Sid Meier", phones=[("mobile", "+14155550142")], emails=["sid@x.example"])
    world.add_contact("Alex Kim", emails=["kim@x.example"])

    (found,) = await world.desktop.contacts.find("sid")

    assert (found.name, found.phones, found.emails) == ("Sid Meier", ("+14155550142",), ("sid@x.example",))


async def test_a_name_of_two_people_means_both(world: World) -> None:
    world.add_contact("Alex Kim")
    world.add_contact("Alex Novak")

    assert {contact.name for contact in await world.desktop.contacts.find("Alex")} == {
        "Alex Kim",
        "Alex Novak",
    }


@pytest.mark.parametrize("asked", ["Ossi", "Asa", "åsa lindqvist", "Lindkvist", "LINDQVIST, Åsa"])
async def test_nicknames_accents_and_slips_still_mean_the_person(world: World, asked: str) -> None:
    world.add_contact("Åsa Lindqvist", nickname="Ossi")
    world.add_contact("Bo Berg")

    assert [contact.name for contact in await world.desktop.contacts.find(asked)] == ["Åsa Lindqvist"]


async def test_an_accent_does_not_hide_that_two_people_are_meant(world: World) -> None:
    world.add_contact("Jose Martin")
    world.add_contact("José Garcia")

    assert len(await world.desktop.contacts.find("Jose")) == 2


@pytest.mark.parametrize("asked", ["Nobody", "", "  ", "*", "Si"])
async def test_a_name_that_nobody_has_means_nobody(world: World, asked: str) -> None:
    world.add_contact("Sid Meier")

    assert await world.desktop.contacts.find(asked) == []


async def test_mobile_numbers_come_before_others_and_fax_numbers_never(world: World) -> None:
    phones = [("fax", "111 2222"), ("home", "333 4444"), ("mobile", "555 6666")]
    world.add_contact("Sid Meier", phones=phones)
    world.add_contact("Alex Kim", phones=phones[:2])

    (sid,), (alex,) = [await world.desktop.contacts.find(name) for name in ("Sid", "Alex")]

    assert (sid.phones, alex.phones) == (("555 6666",), ("333 4444",))


async def test_somebody_who_was_added_just_now_is_found(world: World) -> None:
    world.add_contact("Sid Meier")
    assert await world.desktop.contacts.find("Alex") == []

    world.add_contact("Alex Kim")

    assert [contact.name for contact in await world.desktop.contacts.find("Alex")] == ["Alex Kim"]


async def test_all_contacts_are_listed(world: World) -> None:
    world.add_contact("Sid Meier")
    world.add_contact("Alex Kim")

    everyone = await world.desktop.contacts.all()

    assert {contact.name for contact in everyone} == {"Sid Meier", "Alex Kim"}
    assert all(contact in everyone for contact in await world.desktop.contacts.find("Alex"))


async def test_an_empty_address_book_has_nobody(world: World) -> None:
    assert await world.desktop.contacts.find("Sid") == []
    assert await world.desktop.contacts.all() == []


async def test_names_that_nobody_has_do_not_read_the_address_book_again_and_again(mac: MacWorld) -> None:
    mac.add_contact("Sid Meier")

    for name in ("Alex", "Ben", "Cleo"):
        assert await mac.desktop.contacts.find(name) == []

    assert mac.mac.operations() == ["contacts_all"]
