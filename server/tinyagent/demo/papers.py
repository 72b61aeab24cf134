"""The documents of the demo."""

from __future__ import annotations

from tinyagent.demo.office import docx, pdf, png, xlsx

_LIBRARY = {
    "The year in brief": (
        "Harbour Library lent more books in 2025 than in any year since it moved into the old customs "
        "house. Visits rose by eleven percent to 184,000, and one visitor in three was younger than "
        "eighteen. The late opening on Thursdays, which began as a trial, now brings in a fifth of the "
        "week's visitors.",
        "Not everything went well. The roof above the reading room leaked twice in autumn, and the room "
        "had to be closed for nine weeks. Repairs cost 62,000 euros, most of which the insurance has "
        "paid. The reading room opens again in January 2026.",
    ),
    "Collections and lending": (
        "The collection grew to 96,400 volumes. Comics and cookery books were borrowed most often per "
        "copy, while the shelf of travel guides shrank by half because readers prefer newer ones online. "
        "The library sold the old guides at the summer market and bought language courses with the "
        "proceeds.",
        "Electronic lending doubled again, from 21,000 to 43,000 loans. Licences are expensive: an "
        "electronic book costs the library three times as much as a printed one and has to be bought anew "
        "after two years. The board therefore decided to share licences with four neighbouring libraries "
        "from 2026 on.",
        "A test of self-service returns took place in one week of November. Of 312 returns, 41 needed "
        "help from the staff, mostly because the sign next to the slot was hard to see. The test is "
        "repeated in spring.",
    ),
    "Money and outlook": (
        "The library spent 1.24 million euros, two percent less than planned. Salaries made up 61 "
        "percent, media 17 percent and the building 15 percent. The city paid four fifths of the budget; "
        "fees, donations and the friends' association brought in the rest.",
        "Three things matter most in 2026. The reading room must reopen on time, the side entrance needs "
        "a ramp, and the children's corner gets new shelves. The ramp depends on a decision of the "
        "council, which is expected at the end of November.",
    ),
}

_TURBINE = {
    "Why regular inspection pays": (
        "A small wind turbine runs for twenty years if it is looked after and for five if it is not. Most "
        "failures announce themselves months before: a bearing hums, a bolt loosens, a blade edge "
        "roughens. An inspection twice a year, in spring and in late autumn, finds almost all of them "
        "while they are still cheap to mend.",
        "Never work on a turbine that can turn. Apply the brake, lock the rotor, and disconnect the "
        "generator before anybody climbs the mast. Wind above eight metres a second is a reason to come "
        "back another day.",
    ),
    "Blades, bearings and bolts": (
        "Begin with the blades. Clean them with water and a soft cloth, then look for cracks near the "
        "root and for worn paint on the leading edge. Hairline cracks in the paint are harmless, but a "
        "crack that catches a fingernail means that the blade must be replaced. Blades are balanced in "
        "sets, so replace all three.",
        "Turn the rotor by hand and listen. A healthy main bearing is silent; a grinding noise or any "
        "play means that it should be changed within a month. Grease it with the lithium grease that the "
        "maker names, two strokes of the gun and no more, because too much grease heats the bearing.",
        "Tighten the bolts of the hub and of the mast with a torque wrench, in the order of a star. Write "
        "the values down. A bolt that loosens twice in a row has stretched and must not be used again.",
    ),
    "Electrics and records": (
        "Measure the voltage of the battery bank at rest and under load. Corroded terminals are the most "
        "common cause of lost power and take ten minutes to clean. Check that the dump load becomes warm "
        "when the batteries are full; without it the rotor may run too fast in a storm.",
        "Keep one page of records for each inspection: date, wind, hours of operation, what was found and "
        "what was done. The records make the next inspection shorter and are required by most insurers.",
    ),
}

_LEASE = {
    "Parties and rooms": (
        "This agreement is made between Elif Yildiz, the landlord, and Robin Ashdown, the tenant. It "
        "concerns the flat on the second floor of 14 Alder Street with three rooms, a kitchen, a bathroom "
        "and a share of the garden. The lease begins on 1 March 2024 and has no fixed end.",
        "The tenant may sublet one room with the landlord's written consent, which must not be refused "
        "without a good reason. Pets that live in cages need no consent; a dog or a cat does.",
    ),
    "Rent and costs": (
        "The rent is 1,180 euros a month and is due on the third working day. Heating and water are paid "
        "in advance with 140 euros a month and settled each June against the meters. The deposit is three "
        "months' rent and bears interest for the tenant.",
        "The landlord may raise the rent once in fifteen months, and by no more than eight percent in "
        "three years. A rise must be announced in writing two months before it takes effect.",
    ),
    "Repairs and notice": (
        "The landlord keeps the building, the boiler and the windows in order. Small repairs up to 100 "
        "euros each, and no more than 300 euros in a year, are paid by the tenant. The boiler is "
        "inspected every November, and the tenant gives access after an announcement of one week.",
        "The tenant may give notice of three months at any time. For the landlord the notice is three "
        "months in the first five years and six months after that, and it needs a reason that the law "
        "accepts.",
    ),
}

_BUDGET = (
    ("Item", "Planned", "Spent"),
    ("Rent", 1180, 1180),
    ("Heating and water", 140, 140),
    ("Food", 420, 463),
    ("Travel", 150, 97),
    ("Books", 40, 58),
)

_OFFSITE = (
    "Team Offsite Agenda",
    "09:30 Walk to the lighthouse",
    "11:00 What readers asked for in 2026",
    "13:00 Lunch at the harbour",
    "14:00 Budget and the self-service trial",
    "16:30 End",
)

_PACKING = "passport\nrain jacket\ncharger\nwalking shoes\nthe book for the book club\n"


def papers() -> dict[str, bytes]:
    """The documents by their paths in the documents folder; two plans share one name."""
    return {
        "Reports/Library Annual Report 2025.pdf": pdf("Library Annual Report 2025", _LIBRARY),
        "Manuals/Wind Turbine Maintenance.pdf": pdf("Wind Turbine Maintenance", _TURBINE),
        "Home/Lease Agreement.pdf": pdf("Lease Agreement", _LEASE),
        "Home/Household Budget 2026.xlsx": xlsx(_BUDGET),
        "Home/Floor Plan.png": png(_floor_plan()),
        "Work/Team Offsite Agenda.docx": docx(_OFFSITE),
        "Projects/Ramp/Project Plan.docx": docx(("Project Plan", "A ramp at the side entrance by May.")),
        "Projects/Garden/Project Plan.docx": docx(("Project Plan", "Raised beds behind the house by April.")),
        "Packing List.txt": _PACKING.encode(),
    }


def _floor_plan() -> list[bytes]:
    """Black walls around two rooms of white."""
    wall, inside = bytes(160), b"\x00\x00" + b"\xff" * 76 + b"\x00\x00\x00\x00" + b"\xff" * 76 + b"\x00\x00"
    return [wall] * 2 + [inside] * 96 + [wall] * 2
