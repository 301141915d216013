"""The catalogue: 31 services in 3 categories, or a message that names file, line and key."""

from __future__ import annotations

import pytest

from devices.faults import HallFileFault
from kiosk.catalogue import AS_CONFIRMED, Catalogue, load_catalogue
from tests.kiosk.conftest import CATALOGUE

TEXT = CATALOGUE.read_text(encoding="utf-8")
LINES = TEXT.splitlines()


def line_of(beginning: str, nth: int = 1) -> int:
    """The number of the nth line that begins so (after its indent)."""
    found = [number for number, line in enumerate(LINES, 1) if line.lstrip().startswith(beginning)]
    return found[nth - 1]


def test_thirty_one_services_in_three_categories(catalogue: Catalogue) -> None:
    assert [len(catalogue.services_in(one.id)) for one in catalogue.categories] == [7, 16, 8]
    assert len({one.code for one in catalogue.services}) == 31
    assert [one.zh for one in catalogue.categories] == ["党务", "政务", "物业"]


def test_what_nobody_confirmed_is_not_told_as_a_fact(catalogue: Catalogue) -> None:
    dues = catalogue.service("DW-04")
    assert dues is not None
    assert dues.told("promised", "zh") == AS_CONFIRMED["zh"] == "以窗口答复为准"
    assert dues.told("fee", "en") == "as the window confirms"
    assert dues.told("phone", "zh") == "以窗口答复为准"
    assert dues.told("window", "zh") == "党群服务窗口"
    assert "phone" in catalogue.unconfirmed()["DW-04"]
    transfer = catalogue.service("DW-01")
    assert transfer is not None
    assert transfer.told("fee", "zh") == "免费"


CODE_2 = line_of("- code: DW-02")


@pytest.mark.parametrize(
    ("was", "becomes", "complaint"),
    [
        (
            "- code: DW-02",
            "- code: DW-01",
            f"line {CODE_2}: services[2].code: code 'DW-01' is already used on line {line_of('- code: DW-01')}",
        ),
        ("- code: DW-02", "- code: dw2", f"line {CODE_2}: services[2].code: must look like ZW-01, not 'dw2'"),
        (
            "    name_en: Registration of mobile Party members",
            "    nmae_en: Registration",
            (
                f"line {line_of('name_en: Registration of mobile')}: services[2].nmae_en: "
                "unknown key 'nmae_en'; did you mean 'name_en'?"
            ),
        ),
        (
            "    name_en: Registration of mobile Party members\n",
            "",
            f"line {CODE_2}: services[2]: needs 'name_en'",
        ),
        (
            "    needs_ticket: true",
            "    needs_ticket: 'yes'",
            f"line {line_of('needs_ticket')}: services[1].needs_ticket: must be true or false, not 'yes'",
        ),
        (
            "    window: W1\n",
            "    window: W9\n",
            f"line {line_of('window: W1')}: services[1].window: unknown window 'W9'; did you mean 'W7'?",
        ),
        (
            "    category: party\n",
            "    category: partie\n",
            (
                f"line {line_of('category: party')}: services[1].category: "
                "unknown category 'partie'; did you mean 'party'?"
            ),
        ),
        (
            "    kind: ticket\n",
            "    kind: tickets\n",
            (
                f"line {line_of('kind: ticket')}: services[1].kind: "
                "must be one of ticket, request, report, consult, not 'tickets'"
            ),
        ),
        (
            "    pinyin: liu dong",
            "    pinyin: a\n    pinyin: liu dong",
            f"line {line_of('pinyin: liu dong dang yuan bao') + 1}: services[2].pinyin: key 'pinyin' is given twice",
        ),
        (
            "        value: 5\n",
            "        value: five\n",
            f"line {line_of('value: 5')}: services[1].time_limit.promised.value: must be a whole number, not 'five'",
        ),
        (
            "  total: 31",
            "  total: 30",
            f"line {line_of('total: 31')}: counts.total: says 30, but there are 31",
        ),
        ("schema: 1", "schema: 2", f"line {line_of('schema: 1')}: schema: this Linli reads schema 1, not 2"),
        (
            "  - id: W2\n",
            "  - id: W1\n",
            f"line {line_of('- id: W2')}: windows[2].id: id 'W1' is given twice",
        ),
        (
            "    window_zh: 党群服务窗口\n",
            "    window_zh: 党群窗口\n",
            f"line {line_of('window_zh')}: services[1].window_zh: must be '党群服务窗口' as above, not '党群窗口'",
        ),
    ],
)
def test_a_mistake_is_answered_with_file_line_and_key(was: str, becomes: str, complaint: str) -> None:
    assert was in TEXT
    with pytest.raises(HallFileFault) as refused:
        load_catalogue(TEXT.replace(was, becomes, 1), "services.yaml")
    assert str(refused.value) == f"services.yaml, {complaint}"


def test_thirty_are_not_enough() -> None:
    without_the_last = TEXT[: TEXT.rindex("  - code: ")]
    with pytest.raises(
        HallFileFault, match=r"services\.yaml, line \d+: services: there must be 31 services, not 30"
    ):
        load_catalogue(without_the_last, "services.yaml")


@pytest.mark.parametrize(
    "text", ["", "- a list", "just words", "a: [1", "\0", "a: &x [*x]", "services: {}", "a: " + "[" * 5000]
)
def test_what_is_no_catalogue_is_refused_and_named(text: str) -> None:
    with pytest.raises(HallFileFault, match=r"^services\.yaml"):
        load_catalogue(text, "services.yaml")
