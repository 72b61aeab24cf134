"""Names of people and places that a model copied too short are made whole."""

from __future__ import annotations

import pytest

from tinyagent.planners.names import looked_up_name, whole_place


@pytest.mark.parametrize(
    ("copied", "query", "whole"),
    [
        ("Efua Mensah", "invite the author, Efua Mensah-Bright, on Friday", "Efua Mensah-Bright"),
        ("Bright", "mail Efua Mensah-Bright the map", "Efua Mensah-Bright"),
        ("Bursar", "mail Bursar Pettigrew the invoice", "Bursar Pettigrew"),
        ("Ann", "text Ann Monday is fine", "Ann"),
        ("Ann", "text Ann I am late", "Ann"),
        ("Ann", "mail Ann Budget.xlsx", "Ann"),
        ("my cousin Bahram", "text my cousin Bahram hello", "Bahram"),
        ("noor", "text noor Salam", "noor"),
    ],
)
def test_a_name_is_looked_up_whole(copied: str, query: str, whole: str) -> None:
    assert looked_up_name(copied, query) == whole


@pytest.mark.parametrize(
    ("copied", "query", "whole"),
    [
        ("Lido", "how do I bus it to Tooting Bec Lido", "Tooting Bec Lido"),
        ("Lido", "Lido Parade is the place", "Lido Parade"),
        ("Lido", "how do I get from Zoom Lido", "Lido"),
        ("station", "walk me to Falmer station", "station"),
        ("12 Quay Rd", "pin 12 Quay Rd please", "12 Quay Rd"),
        ("", "directions please", ""),
    ],
)
def test_a_place_is_taken_with_its_capitalised_words(copied: str, query: str, whole: str) -> None:
    assert whole_place(copied, query) == whole
