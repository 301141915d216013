"""FIWARE NGSI: how many Chinese and European smart-city platforms describe a bay.

Smart Data Models, "dataModel.Parking": ``ParkingSpot`` has ``status`` ``free``, ``occupied``, ``closed`` or
``unknown``; ``OffStreetParking``/``OnStreetParking`` count whole sites. Attributes come plain
(``"status": "free"``) or normalised (``"status": {"value": "free"}``). A closed bay is unknown to us:
nobody may be sent there, and nobody is in it.
"""

from __future__ import annotations

from devices.codecs._shared import Json, child, is_object, known, load, percent, taken, text, whole
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
    if body.get("type") == "Feature":  # the same as GeoJSON
        body = {**child(body, "properties"), "id": body.get("id")}
    device = text(body.get("id"))
    if "totalSpotNumber" in body or "availableSpotNumber" in body:
        capacity = whole(_value(body, "totalSpotNumber"))
        free = whole(_value(body, "availableSpotNumber"))
        full = whole(_value(body, "occupiedSpotNumber"))
        unknown = None
        if capacity is not None and free is not None and full is not None:
            unknown = max(capacity - free - full, 0)
        return Reading(
            "site", device=device, extras=known(capacity=capacity, free=free, taken=full, unknown=unknown)
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
