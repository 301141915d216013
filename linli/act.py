"""`linli press`, `park`, `virtual`, `admin-token`: a technician acts as a device, or asks a process.

`press` keeps the button's whole promise (docs/protocol.md, section 1): one key ``(device, boot, seq)``, repeated
every second until the gateway says "written". What it prints is what an elder's button would have known.
"""

from __future__ import annotations

import json
import queue
import secrets
import sys
from collections.abc import Sequence

from devices.clock import mono_s
from devices.faults import DeviceFault, OutsideDown
from linli.talk import ANSWER_WITHIN_S, Json, Line, connect_broker, hang_up, open_running_house

#: A button repeats its press this often (docs/protocol.md), and a person waits about this long for a command.
REPEAT_S, GIVE_UP_S = 1.0, 30.0


def press(hall_file: str | None, device: str, kind: str = "short", button: int = 1) -> int:
    """Press a call button and wait until the gateway has written it. Returns 1 if it never said so."""
    _check_name(device)
    house = open_running_house(hall_file)
    client = connect_broker(house, "linli-press")
    boot, heard = secrets.token_hex(4), queue.SimpleQueue[tuple[float, bytes]]()
    client.on_message = lambda _client, _data, message: heard.put(
        (mono_s(), bytes(message.payload))
    )
    subscribed = queue.SimpleQueue[bool]()
    client.on_subscribe = lambda *_: subscribed.put(True)
    topic = f"linli/v1/button/{device}"
    try:
        client.subscribe(f"{topic}/written", qos=1)
        subscribed.get(timeout=ANSWER_WITHIN_S)
        pressed = mono_s()
        for times in range(1, int(GIVE_UP_S / REPEAT_S) + 1):
            age_ms = int((mono_s() - pressed) * 1000)
            words = {"boot": boot, "seq": 1, "press": kind, "button": button, "age_ms": age_ms}
            client.publish(f"{topic}/press", json.dumps(words), qos=1)
            repeat_at = pressed + times * REPEAT_S
            while (left := repeat_at - mono_s()) > 0:
                try:
                    when, payload = heard.get(timeout=left)
                except queue.Empty:
                    break
                if _key(payload) == (boot, 1):
                    again = f" (said {times} times)" if times > 1 else ""
                    print(f"{device}: written after {(when - pressed) * 1000:.1f} ms{again}   已记录")
                    return 0
    except queue.Empty:
        raise OutsideDown("the broker does not answer. 消息服务没有回答。") from None
    finally:
        hang_up(client)
    print(
        f'{device}: the broker took the press, but the gateway did not say "written" within {GIVE_UP_S:.0f} s.\n'
        "  Is the gateway running? linli doctor   网关没有确认，请运行 linli doctor",
        file=sys.stderr,
    )
    return 1


def park(hall_file: str | None, name: str, *, arrives: bool) -> int:
    """Say as a bay's sensor that a car came or went, and wait until the gateway has written the bay.

    :param name: the sensor's device id, or the bay's own id where a sensor is assigned to it.
    """
    _check_name(name)
    house = open_running_house(hall_file)
    wanted = "taken" if arrives else "free"
    with Line(house.gateway_socket, "the gateway") as line:
        line.ask(id="1", order="hello", who="linli")
        bays = _snapshot(line).get("bays", [])
        bay: Json = next((one for one in bays if name in (one.get("bay_id"), one.get("device_id"))), {})
        device = bay.get("device_id") or name
        client = connect_broker(house, "linli-park")
        try:
            said = mono_s()
            words = {"boot": secrets.token_hex(4), "seq": 1, "occupied": arrives}
            message = client.publish(f"linli/v1/bay/{device}/state", json.dumps(words), qos=1)
            message.wait_for_publish(ANSWER_WITHIN_S)
            if bay.get("state") == wanted:
                print(f"{device}: the bay was already {wanted}; the gateway has nothing to write   状态未变")
                return 0
            until_s = said + ANSWER_WITHIN_S
            while (left := until_s - mono_s()) > 0:
                line.wait_at_most(left)
                fact = line.next()
                changed = fact.get("bay") or {}
                if fact.get("fact") == "BayChanged" and changed.get("device_id") == device:
                    print(
                        f"{device}: bay {changed.get('bay_id')} is {changed.get('state')}, "
                        f"written after {(mono_s() - said) * 1000:.1f} ms   已记录"
                    )
                    return 0
        except OutsideDown:
            pass  # silence: said below, in words that help
        finally:
            hang_up(client)
    print(
        f"{device}: the gateway has changed no bay. Is this sensor assigned to one? Console, devices.   没有车位变化",
        file=sys.stderr,
    )
    return 1


def virtual(hall_file: str | None, device: str, do: str, fields: Sequence[str]) -> int:
    """Tell a virtual device what to do, or list them all."""
    house = open_running_house(hall_file)
    words: Json = {"id": "1", "do": do}
    if device:
        words["device"] = device
    for one in fields:
        name, equals, value = one.partition("=")
        if not equals:
            raise DeviceFault(f'"{one}" is not of the form key=value, for example bps=300')
        words[name] = int(value) if value.lstrip("-").isdigit() else value
    with Line(house.virtual_socket, "the virtual hall") as line:
        answer = line.ask(**words)
    print(
        json.dumps({k: v for k, v in answer.items() if k not in ("re", "ok")}, ensure_ascii=False, indent=1)
    )
    return 0


def admin_token(hall_file: str | None) -> int:
    """Print the one-time token that makes the first administrator; a new one where the old is gone."""
    from gateway.notebook import open_reader
    from kiosk.accounts import make_first_token, needs_first

    house = open_running_house(hall_file)
    connection = open_reader(house.kiosk_db)
    try:
        needed = needs_first(connection)
    finally:
        connection.close()
    if not needed:
        print(
            "There is an administrator already: ask that person for an account. 已有管理员，请联系管理员开通账号。",
            file=sys.stderr,
        )
        return 1
    file = house.first_token
    try:
        if not file.exists():
            file = make_first_token(house.home)
        print(file.read_text(encoding="ascii").strip())
    except PermissionError:
        print(f"{file} is not yours to read: sudo linli admin-token   没有权限，请用 sudo", file=sys.stderr)
        return 1
    http = house.plan.http
    base = http.base_url or f"http://127.0.0.1:{http.port}"
    print(f"Open {base}/console/first and enter it there, once. 在该页面输入一次。", file=sys.stderr)
    return 0


def _check_name(device: str) -> None:
    if not device or any(sign in device for sign in "/+#\0") or len(device) > 100:
        raise DeviceFault(f"{device!r} is no device's name: 1-100 signs without / + #")


def _key(payload: bytes) -> tuple[object, object]:
    try:
        said = json.loads(payload)
        return said.get("boot"), said.get("seq")
    except (ValueError, AttributeError, RecursionError):
        return None, None


def _snapshot(line: Line) -> Json:
    while True:
        fact = line.next()
        if fact.get("fact") == "Snapshot":
            return fact
