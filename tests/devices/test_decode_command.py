"""``linli decode``: one line out for every line in, in order, whatever the line."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from linli.decode import decode_lines, main

CAPTURED = Path(__file__).parents[1] / "data" / "devices.jsonl"
CORE = ["id", "event", "alarm", "occupied", "battery_pct"]


def run(text: str | bytes) -> list[dict[str, Any]]:
    """Feeds the command as a shell would: UTF-8 bytes beneath a text stream."""
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    out = io.BytesIO()
    stdout = io.TextIOWrapper(out, encoding="ascii")  # a poor locale must not matter
    assert main(io.TextIOWrapper(io.BytesIO(raw), encoding="ascii"), stdout) == 0
    return [json.loads(line) for line in out.getvalue().decode("utf-8").splitlines()]


def test_the_captured_file_gives_a_line_for_a_line_in_order() -> None:
    rows = [json.loads(line) for line in CAPTURED.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        del row["expect"]
    answers = run("\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    assert [answer["id"] for answer in answers] == [row["id"] for row in rows]
    assert all(list(answer)[:5] == CORE for answer in answers)
    assert all(answer["event"] != "undecodable" for answer in answers)


def test_a_press_as_a_technician_types_it() -> None:
    line = '{"id": 1, "topic": "zigbee2mqtt/门铃", "payload": {"action": "single", "battery": 80.0}}'
    assert run(line) == [
        {
            "id": 1,
            "event": "press",
            "alarm": True,
            "occupied": None,
            "battery_pct": 80,
            "press_type": "single",
        }
    ]


def test_a_whole_battery_is_written_as_a_whole_number() -> None:
    lines = [
        '{"topic":"zigbee2mqtt/b","payload":{"battery":80.0}}',
        '{"topic":"zigbee2mqtt/b","payload":{"battery":80.5}}',
    ]
    assert [line.split('"battery_pct": ')[1].split("}")[0] for line in decode_lines(lines)] == ["80", "80.5"]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("not json", "line 2: not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("", "line 2: not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("[1]", "line 2: not a JSON object"),
        ("null", "line 2: not a JSON object"),
        ("[" * 100_000, "line 2: not JSON: nested too deep"),
        (
            '{"transport": "raw_lorawan", "payload": "zz"}',
            "line 2: the payload cannot be put back on the wire: not hexadecimal",
        ),
    ],
)
def test_a_broken_line_is_named_and_the_next_is_read(line: str, error: str) -> None:
    good = '{"id": "ok", "topic": "zigbee2mqtt/b", "payload": {"action": "single"}}'
    before, broken, after = run(f"{good}\n{line}\n{good}\n")
    assert before["event"] == after["event"] == "press"
    assert broken == {
        "id": None,
        "event": "undecodable",
        "alarm": False,
        "occupied": None,
        "battery_pct": None,
        "error": error,
    }


def test_bytes_that_are_not_utf8_cost_one_line() -> None:
    answers = run(b'\xff\xfe\n{"id": 2, "topic": "info/heart", "payload": {"battery": 80}}\n')
    assert [answer["event"] for answer in answers] == ["undecodable", "heartbeat"]


@pytest.mark.parametrize(
    "row",
    [
        {"id": {"a": 1}, "topic": 7, "payload": 7, "fport": "x", "vendor": [], "model": None, "cls": {}},
        {"topic": None, "payload": None, "transport": None},
        {"topic": "\ud800", "payload": "\ud800", "id": "\ud800"},
        {"topic": "zigbee2mqtt/b", "payload": [1, 2]},
        {"topic": "zigbee2mqtt/b", "payload": True, "fport": True},
    ],
)
def test_strange_values_give_a_line_too(row: dict[str, object]) -> None:
    (answer,) = run(json.dumps(row))
    assert answer["event"] == "undecodable"
    assert list(answer)[:5] == CORE


def test_text_streams_without_bytes_beneath_work_as_well() -> None:
    out = io.StringIO()
    assert main(io.StringIO('{"id": 1, "topic": "info/heart", "payload": {"battery": 80}}\n'), out) == 0
    assert json.loads(out.getvalue())["battery_pct"] == 80


def test_it_answers_each_line_before_the_next_is_there() -> None:
    """In a pipe from a live log the technician sees each message as it comes."""
    read_so_far: list[int] = []

    def live() -> Any:
        for index in range(3):
            read_so_far.append(index)
            yield '{"topic": "info/heart", "payload": {"battery": 80}}'

    answers = iter(decode_lines(live()))
    seen = []
    for _ in range(3):
        next(answers)
        seen.append(len(read_so_far))
    assert seen == [1, 2, 3]


@pytest.mark.slow
def test_as_a_process_in_a_pipe() -> None:
    line = '{"id": "铃", "topic": "shellies/b/input_event/0", "payload": {"event": "S", "event_cnt": 12}}\n'
    done = subprocess.run(
        [sys.executable, "-m", "linli.decode"],
        input=line.encode(),
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": ".", "LC_ALL": "C"},
        timeout=30,
    )
    answer = json.loads(done.stdout)
    assert (answer["id"], answer["event"], answer["counter"]) == ("铃", "press", 12)
    assert done.stderr == b""
