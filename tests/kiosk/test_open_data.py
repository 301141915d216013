"""The open data against the Smart Data Models' own schemas; the schemas against their own examples."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from referencing import Registry, Resource

from devices.plan import OpenData, Plan, Printer
from gateway.hall.parking_rows import BayPlan, BayTag, Site, SiteSaid, ZonePlan
from gateway.hall.state import Bay, Change, Device, Zone
from gateway.house import House
from gateway.notebook import Notebook
from gateway.store import write_changes
from kiosk.core import Core
from kiosk.gateway_link import GatewayLink
from tests.kiosk.conftest import TEN_O_CLOCK_MS as NOW_MS
from tests.kiosk.one_app import app_over

Json = dict[str, Any]
MODELS = Path(__file__).parent.parent / "data" / "ngsi"
GATEWAY = Path(__file__).parent.parent.parent / "gateway" / "schema"
SITE = "urn:ngsi-ld:OffStreetParking:linli:site"


def model(name: str) -> Draft202012Validator:
    """The official schema, with what it refers to; formats are checked, too."""
    common = json.loads((MODELS / "common-schema.json").read_text(encoding="utf-8"))
    registry: Registry[Any] = Registry().with_resource(common["$id"], Resource.from_contents(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **common}
    ))
    schema = json.loads((MODELS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return Draft202012Validator(schema, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER)


SPOT, SITES = model("ParkingSpot"), model("OffStreetParking")


def plain(entity: Json) -> Json:
    """A normalised entity, of either version, as plain values: what the schemas describe."""
    made: Json = {}
    for name, attribute in entity.items():
        if name in ("id", "type"):
            made[name] = attribute
        elif name != "@context":
            value = attribute["object"] if "object" in attribute else attribute["value"]
            made[name] = value["@value"] if isinstance(value, dict) and "@value" in value else value
    return made


def zone(zone_id: str, bays: list[Bay], **more: Any) -> list[Change]:
    states = [bay.state for bay in bays]
    counts = {name: states.count(name) for name in ("free", "taken", "unknown", "closed")}
    return [Zone(zone_id, "东区", "East", **counts, since_ms=NOW_MS - 5_000), ZonePlan(zone_id, **more), *bays]


def bay(bay_id: str, state: str, zone_id: str = "east") -> Bay:
    return Bay(bay_id, zone_id, state, "", NOW_MS - 60_000, NOW_MS - 2_000)  # type: ignore[arg-type]


@pytest.fixture
def house(tmp_path: Path) -> House:
    plan = Plan(printers=(Printer(id="hall"),), open_data=OpenData(on=True))
    return House(tmp_path, tmp_path / "run", plan, "")


@pytest.fixture
def notebook(house: House) -> Iterator[Notebook]:
    book = Notebook(house.gateway_db, GATEWAY)
    yield book
    book.close()


@pytest.fixture(autouse=True)
def heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway runs, as far as the kiosk knows: without it nothing is known (the last story)."""
    monkeypatch.setattr(GatewayLink, "connected", True)


def put(book: Notebook, *changes: Change) -> None:
    book.write(lambda c: write_changes(c, changes))


COMPOUND = [
    Site("site", "示例小区停车场", "Example compound", 12, 31.2304, 121.4737, "示例路 1 号"),
    *zone("east", [bay("E-1", "free"), bay("E-2", "taken"), bay("E-3", "free"), bay("E 4/甲", "closed"),
                   bay("E-5", "taken"), bay("E-6", "unknown")]),
    BayPlan("E-1", "east", "general", "E01", 0.0, 10.0),
    BayPlan("E-2", "east", "disabled", "E02", 100.0, 10.0, permits=("TAG-7781",)),
    BayTag("E-2", "TAG-7781", NOW_MS),
]  # fmt: skip


def get(client: FlaskClient, path: str, **head: str) -> Any:
    answer = client.get(path, headers=head)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.json


@pytest.mark.parametrize("validator", [SPOT, SITES], ids=["ParkingSpot", "OffStreetParking"])
def test_the_official_examples_are_valid_and_spoiled_ones_are_not(validator: Draft202012Validator) -> None:
    name = validator.schema["$id"].split("/")[-2]
    for file in ("example.json", "example.jsonld"):
        good = json.loads((MODELS / f"{name}.{file}").read_text(encoding="utf-8"))
        validator.validate(good)
        for spoil in (
            {"type": "Carpark"},
            {"category": ["moon"]},
            {"location": {"type": "Point", "coordinates": "here"}},
            {"status": "vacant" if name == "ParkingSpot" else ["vacant"]},
            {"dateModified": 7},
        ):
            assert not validator.is_valid({**good, **spoil}), spoil
        for needed in validator.schema["required"]:
            lacking = copy.deepcopy(good)
            del lacking[needed]
            assert not validator.is_valid(lacking), needed
    for file in ("example-normalized.json", "example-normalized.jsonld"):
        validator.validate(plain(json.loads((MODELS / f"{name}.{file}").read_text(encoding="utf-8"))))


@pytest.mark.parametrize("kind", ["ParkingSpot", "OffStreetParking"])
def test_every_form_of_every_entity_fits_the_model(core: Core, notebook: Notebook, kind: str) -> None:
    put(notebook, *COMPOUND)
    client, validator = app_over(core).test_client(), SPOT if kind == "ParkingSpot" else SITES
    linked = get(client, f"/ngsi-ld/v1/entities?type={kind}")
    short = get(client, f"/ngsi-ld/v1/entities?type={kind}&options=keyValues")
    second = get(client, f"/api/parking/ngsi?type={kind}")
    second_short = get(client, f"/api/parking/ngsi?type={kind}&options=keyValues")
    assert len(linked) == (6 if kind == "ParkingSpot" else 1)
    assert [plain(one) for one in linked] == short == second_short == [plain(one) for one in second]
    for one in short:
        validator.validate(one)
        official = json.loads((MODELS / f"{kind}.example-normalized.json").read_text(encoding="utf-8"))
        types = {name: value["type"] for name, value in official.items() if name not in ("id", "type")}
        ours = next(two for two in second if two["id"] == one["id"])
        for name in types.keys() & ours.keys():
            assert ours[name]["type"] == types[name], name


def test_a_bay_says_what_is_known_of_it_and_nothing_of_a_person(core: Core, notebook: Notebook) -> None:
    put(notebook, *COMPOUND)
    client = app_over(core).test_client()
    told = get(client, "/ngsi-ld/v1/entities?type=ParkingSpot&options=keyValues")
    spots = {one["id"].rsplit(":", 1)[1]: one for one in told}
    assert {name: one["status"] for name, one in spots.items()} == {
        "E-1": "free", "E-2": "occupied", "E-3": "free",
        "E%204%2F%E7%94%B2": "closed", "E-5": "occupied", "E-6": "unknown",
    }  # fmt: skip
    # A hundred metres to the right on the plan are a hundred to the east, about the site's own place in the middle.
    west, east = (spots[name]["location"]["coordinates"] for name in ("E-1", "E-2"))
    assert (west[0] + east[0]) / 2 == pytest.approx(121.4737, abs=1e-6)
    assert west[1] == east[1] == 31.2304
    assert (east[0] - west[0]) * 111_320 * 0.8551 == pytest.approx(100, rel=1e-3)
    assert spots["E-3"]["location"]["coordinates"] == [121.4737, 31.2304]
    assert (spots["E-1"]["name"], spots["E-3"]["name"]) == ("E01", "E-3")
    one = get(client, "/ngsi-ld/v1/entities/urn:ngsi-ld:ParkingSpot:linli:E-1")
    assert one["status"]["observedAt"] == "2026-11-22T01:59:58.000Z"
    assert one["refParkingSite"] == {"type": "Relationship", "object": SITE}
    everything = client.get("/api/parking/ngsi?limit=1000").get_data(as_text=True)
    assert "TAG-7781" not in everything


def test_where_too_much_is_unknown_no_number_is_told(core: Core, notebook: Notebook) -> None:
    put(notebook, *COMPOUND)
    client = app_over(core).test_client()
    path = "/ngsi-ld/v1/entities?type=OffStreetParking&options=keyValues"
    (site,) = get(client, path)
    assert (site["totalSpotNumber"], site["availableSpotNumber"], site["occupiedSpotNumber"]) == (6, 2, 2)
    assert (site["occupancy"], site["status"], site["outOfServiceSlotNumber"]) == (0.5, ["open", "spacesAvailable"], 1)
    free = [bay(f"E-{number}", "free") for number in (3, 5, 6)]
    put(notebook, *zone("east", [bay("E-1", "unknown"), bay("E-2", "unknown"), *free, bay("E 4/甲", "closed")]))
    client = app_over(core).test_client()
    (site,) = get(client, path)
    SITES.validate(site)
    assert not {"availableSpotNumber", "occupiedSpotNumber", "occupancy", "status"} & site.keys()
    assert site["totalSpotNumber"] == 6
    assert "其中 2 个的状态不知道" in site["description"] and "2 of them unknown" in site["description"]


def test_counts_that_cannot_be_are_not_told(core: Core, notebook: Notebook) -> None:
    """Two cars on a site that is said to have one place."""
    put(notebook, *COMPOUND, Site("site", "示例小区停车场", "Example compound", 1, 31.2304, 121.4737))
    (site,) = get(app_over(core).test_client(), f"/ngsi-ld/v1/entities?id={SITE}&options=keyValues")
    assert "availableSpotNumber" not in site and "status" not in site


def test_a_site_without_bays_says_what_its_feed_says_while_that_is_fresh(core: Core, notebook: Notebook) -> None:
    feed = Device("feed-1", "site_feed", every_ms=60_000, first_seen_ms=NOW_MS, last_seen_ms=NOW_MS)
    put(notebook, Site("site", "停车场", "Car park", 40, 31.0, 121.0, "", "feed-1"), feed,
        SiteSaid("feed-1", 12, 28, 40, NOW_MS - 60_000))  # fmt: skip
    path = f"/ngsi-ld/v1/entities/{SITE}?options=keyValues"
    assert get(app_over(core).test_client(), path)["availableSpotNumber"] == 12
    put(notebook, SiteSaid("feed-1", 12, 28, 40, NOW_MS - 16 * 60_000))
    site = get(app_over(core).test_client(), path)
    SITES.validate(site)
    assert site["totalSpotNumber"] == 40
    assert "availableSpotNumber" not in site


def test_a_fire_lane_is_no_place_to_park_in_open_data(core: Core, notebook: Notebook) -> None:
    """A city's map that calls an empty fire lane a free place sends somebody into it."""
    bays = [bay("E-1", "taken"), bay("E-2", "taken"), bay("F-1", "free"), bay("F-2", "free")]
    put(notebook, COMPOUND[0], *zone("east", bays),
        *(BayPlan(name, "east", "fire_lane", x_m=9.0) for name in ("F-1", "F-2")))  # fmt: skip
    client = app_over(core).test_client()
    spots = get(client, "/ngsi-ld/v1/entities?type=ParkingSpot&options=keyValues")
    assert [one["id"].rsplit(":", 1)[1] for one in spots] == ["E-1", "E-2"]
    (site,) = get(client, "/ngsi-ld/v1/entities?type=OffStreetParking&options=keyValues")
    SITES.validate(site)
    assert (site["totalSpotNumber"], site["availableSpotNumber"], site["occupancy"]) == (2, 0, 1.0)
    assert site["status"] == ["open", "full"]
    put(notebook, *zone("east", [bay("E-1", "closed"), bay("E-2", "closed"), *bays[2:]]))
    (site,) = get(app_over(core).test_client(), "/api/parking/ngsi?type=OffStreetParking&options=keyValues")
    SITES.validate(site)
    assert (site["status"], site["outOfServiceSlotNumber"]) == (["closed"], 2)
    assert (site["availableSpotNumber"], "occupancy" in site) == (0, False)


@pytest.mark.parametrize(("capacity", "taken"), [(40, 28), (0, None)])
def test_a_feed_of_free_places_alone_makes_no_empty_site(
    core: Core, notebook: Notebook, capacity: int, taken: int | None
) -> None:
    feed = Device("feed-1", "site_feed", every_ms=60_000, first_seen_ms=NOW_MS, last_seen_ms=NOW_MS)
    put(notebook, Site("site", "停车场", "Car park", capacity, 31.0, 121.0, "", "feed-1"), feed,
        SiteSaid("feed-1", 12, None, None, NOW_MS))  # fmt: skip
    site = get(app_over(core).test_client(), f"/ngsi-ld/v1/entities/{SITE}?options=keyValues")
    SITES.validate(site)
    assert site["availableSpotNumber"] == 12
    assert (site.get("occupiedSpotNumber"), site.get("totalSpotNumber", 0)) == (taken, capacity)


def test_a_site_whose_place_nobody_has_entered_is_left_out(core: Core, notebook: Notebook) -> None:
    put(notebook, Site("site", "停车场", "Car park"), *COMPOUND[1:])
    client = app_over(core).test_client()
    assert get(client, "/api/parking/ngsi") == []
    missing = client.get(f"/ngsi-ld/v1/entities/{SITE}")
    assert missing.status_code == 404
    assert "latitude" in missing.json["detail"]  # type: ignore[index]


def test_pages_of_entities_and_questions_that_are_none(core: Core, notebook: Notebook) -> None:
    put(notebook, *COMPOUND)
    client = app_over(core).test_client()
    ids = [one["id"] for one in get(client, "/ngsi-ld/v1/entities?type=ParkingSpot")]
    some = [get(client, f"/ngsi-ld/v1/entities?type=ParkingSpot&limit=4&offset={at}") for at in (0, 4, 8)]
    assert [one["id"] for part in some for one in part] == ids
    counted = client.get("/ngsi-ld/v1/entities?type=ParkingSpot&limit=0&count=true")
    assert (counted.json, counted.headers["NGSILD-Results-Count"]) == ([], "6")
    assert client.get("/api/parking/ngsi").headers["Fiware-Total-Count"] == "7"
    assert get(client, "/ngsi-ld/v1/entities?type=Vehicle") == []
    linked = client.get("/ngsi-ld/v1/entities?type=ParkingSpot", headers={"Accept": "application/ld+json"})
    assert linked.mimetype == "application/ld+json"
    assert linked.json[0]["@context"][1].endswith("dataModel.Parking/master/context.jsonld")  # type: ignore[index]
    plain_one = client.get("/ngsi-ld/v1/entities?type=ParkingSpot")
    assert plain_one.mimetype == "application/json"
    assert "json-ld#context" in plain_one.headers["Link"]
    assert "@context" not in plain_one.json[0]  # type: ignore[index]
    for wrong in ("", "id=x&limit=-1", "id=x&limit=1001", "id=x&options=concise", "id=x&offset=x"):
        refused = client.get(f"/ngsi-ld/v1/entities?{wrong}")
        assert (refused.status_code, refused.json["title"]) == (400, "BadRequestData"), wrong  # type: ignore[index]
    assert client.get("/api/parking/ngsi?limit=x").status_code == 400
    assert client.post("/ngsi-ld/v1/entities", json={}).status_code == 405


def test_without_a_gateway_it_says_so_and_off_it_is_not_there(core: Core, tmp_path: Path) -> None:
    away = app_over(core).test_client().get("/ngsi-ld/v1/entities?type=ParkingSpot")
    assert away.status_code == 503
    core.house = House(tmp_path, tmp_path / "run", Plan(printers=(Printer(id="hall"),)), "")
    client = app_over(core).test_client()
    assert client.get("/ngsi-ld/v1/entities?type=ParkingSpot").status_code == 404
    assert client.get("/api/parking/ngsi").status_code == 404


def test_what_a_gateway_said_that_is_gone_is_not_known(
    client: FlaskClient, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(notebook, *COMPOUND)
    monkeypatch.setattr(GatewayLink, "connected", False)
    spots = get(client, "/ngsi-ld/v1/entities?type=ParkingSpot&options=keyValues")
    assert sorted(one["status"] for one in spots) == ["closed", *["unknown"] * 5]
    (site,) = get(client, "/ngsi-ld/v1/entities?type=OffStreetParking&options=keyValues")
    assert not {"availableSpotNumber", "occupiedSpotNumber", "occupancy", "status"} & site.keys()
    assert site["totalSpotNumber"] == 6 and "5 个的状态不知道" in site["description"]
    SPOT.validate(spots[0])
    SITES.validate(site)
