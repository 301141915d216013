"""FIWARE NGSI: how many Chinese and European smart-city platforms describe a bay.

Smart Data Models, "dataModel.Parking": ``ParkingSpot`` has ``status`` ``free``, ``occupied``, ``closed`` or
``unknown``; ``OffStreetParking``/``OnStreetParking`` count whole sites. Attributes come plain
(``"status": "free"``) or normalised (``"status": {"value": "free"}``). A closed bay is unknown to us:
nobody may be sent there, and nobody is in it.
"""

from __future__ import annotations

from devices.codecs._shared import Json, is_object, known, load, percent, taken, text, whole
from devices.reading import Heard, Reading

TRANSPORT = "ngsi"


def read(heard: Heard) -> Reading:
    body = load(heard.payload)
    if is_object(body) and isinstance(body.get("data"), list):  # a notification wraps its entities
        body = body["data"]
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    if not is_object(body):
        raise ValueError("not one NGSI entity")
    device = text(body.get("id"))
    if "totalSpotNumber" in body or "availableSpotNumber" in body:
        return Reading(
            "site",
            device=device,
            extras=known(
                capacity=whole(_value(body, "totalSpotNumber")),
                free=whole(_value(body, "availableSpotNumber")),
                taken=whole(_value(body, "occupiedSpotNumber")),
            ),
        )
    status = text(_value(body, "status"))
    return Reading(
        "status",
        occupied=taken(status) if status in ("free", "occupied") else None,
        battery_pct=percent(_value(body, "batteryLevel")),
        device=device,
        extras=known(status=status or None, measured_at=text(_value(body, "dateObserved")) or None),
    )


def _value(body: Json, key: str) -> object:
    found = body.get(key)
    return found.get("value") if is_object(found) else found
