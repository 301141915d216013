"""`linli stats`: what a technician reads over ssh, in 80 seconds or at a glance, and what is said without a gateway."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import unicodedata
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kiosk.figures import read_statistics
from linli.__main__ import main
from linli.stats import WIDTH, tables
from tests.kiosk.fake_gateway import FakeGateway
from tests.kiosk.figures_said import figures, spread
from tests.parts import PATIENCE_S, ROOT, gateway

#: Sunday, 22 November 2026, 10:13 in Shanghai.
NOW_MS = 1_795_313_580_000
SHANGHAI = zoneinfo.ZoneInfo("Asia/Shanghai")


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGateway]:
    """A gateway that says what the protocol words, found by the environment."""
    monkeypatch.setenv("LINLI_HOME", str(tmp_path))
    fake = FakeGateway(tmp_path / "run" / "gateway.sock")
    fake.answers["statistics"] = {"statistics": figures(NOW_MS)}
    yield fake
    fake.stop()


def columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def told(said: object) -> list[str]:
    return list(tables(read_statistics(said), SHANGHAI))


def line_with(words: str, lines: list[str]) -> str:
    found = [one for one in lines if words in one]
    assert found, "\n".join(lines)
    return found[0]


def test_a_technician_sees_how_late_it_is_and_what_was_late(hall: FakeGateway, capsys) -> None:
    assert main(["stats"]) == 0
    lines = capsys.readouterr().out.splitlines()
    call = lines.index(line_with("按钮呼叫 Button calls", lines))
    assert lines[call + 3].split() == [
        "通知", "told", "412", "1.10", "4.00", "131", "11-22", "09:56:12", "press", "from", "btn-0302",
    ]  # fmt: skip
    assert line_with("写盘 one commit", lines).split()[3:7] == ["52,103", "0.30", "2.20", "118"]
    late = lines.index("迟到的事 What was late")
    assert lines[late + 2].split() == [
        "11-22", "09:56:12", "131", "press", "from", "btn-0302", "118", "磁盘", "the", "disk",
    ]  # fmt: skip
    assert "40,210" in line_with("bay-e01  ", lines)
    assert line_with("看不懂的内容", lines).startswith("  ! ")
    assert not line_with("收到的消息", lines).startswith("  !")
    assert "(断过 came back 2)" in line_with("线路 broker", lines)
    assert "38 秒 s" in line_with("下一个 next in", lines)
    assert "31.0 MB" in lines[1]


def test_the_last_hour_is_one_line_a_lane(hall: FakeGateway) -> None:
    lines = told(figures(NOW_MS))
    hour = next(one for one in lines if "按钮呼叫" in one and "·" in one)
    signs = hour.split()[-2]
    assert (len(signs), signs[59 - 17], signs[59 - 18]) == (60, "▆", "·")
    assert hour.endswith("131")


@pytest.mark.parametrize("said", [figures(NOW_MS), {}, None], ids=["whole", "empty", "none"])
def test_it_fits_the_terminal_of_a_pi(said: object) -> None:
    assert max(columns(one) for one in told(said)) <= WIDTH


def test_names_that_are_too_long_lose_their_end_and_nothing_else() -> None:
    name = "press from " + "长" * 90
    said = figures(NOW_MS, commits=spread(3, 1.0, 2.0, 3.0, name, NOW_MS))
    lines = told({**said, "late": [{**said["late"][0], "what": name}]})
    assert max(columns(one) for one in lines) <= WIDTH
    assert line_with("写盘 one commit", lines).endswith("长…")
    assert line_with("11-22 09:56:12      131", lines).endswith("磁盘 the disk")


def test_where_the_gateway_runs_and_what_the_kernel_refuses() -> None:
    assert told(figures(NOW_MS))[-2:] == [
        "核心 processors 1 2 3   和消息服务器分开 apart",
        "呼叫时保持清醒 kept awake while somebody calls: ! 不能 cannot be: Permission denied",
    ]
    alone = figures(NOW_MS, processors={"ours": [0], "why_not_apart": "one processor"}, awake={"why_not": ""})
    assert told(alone)[-2:] == [
        "核心 processors 0   和消息服务器没分开 not apart: one processor",
        "呼叫时保持清醒 kept awake while somebody calls: 可以 yes",
    ]


@pytest.mark.parametrize("key", figures(NOW_MS))
def test_what_the_gateway_does_not_say_is_a_dash(key: str) -> None:
    said = figures(NOW_MS)
    del said[key]
    lines = told(said)
    assert len(lines) > 20
    assert "None" not in "\n".join(lines)


def test_a_clock_beyond_every_calendar_is_a_dash() -> None:
    assert "自 since - " in told({"since_ms": 9 * 10**14, "now_ms": 1})[0]


def test_a_program_is_told_the_answer_untouched(hall: FakeGateway, capsys) -> None:
    hall.answers["statistics"] = {"statistics": {**figures(NOW_MS), "new": [1]}}
    assert main(["stats", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {**figures(NOW_MS), "new": [1]}


def test_prometheus_is_told_in_its_own_words(hall: FakeGateway, capsys) -> None:
    assert main(["stats", "--prometheus"]) == 0
    families = {one.name: one for one in text_string_to_metric_families(capsys.readouterr().out)}
    assert families["linli_lateness_seconds"].type == "histogram"
    assert "btn-0302" not in str(families)


def test_without_a_gateway_it_says_so_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setenv("LINLI_HOME", str(tmp_path))
    for words in (["stats"], ["stats", "--json"], ["stats", "--prometheus"], ["stats", "--watch"]):
        assert main(words) == 1
        said = capsys.readouterr()
        assert (said.out, "the gateway does not listen" in said.err, "没有在运行" in said.err) == (
            "",
            True,
            True,
        )


@pytest.mark.slow
def test_watching_goes_on_while_the_gateway_restarts_and_ends_with_ctrl_c(
    hall: FakeGateway, tmp_path: Path
) -> None:
    quick = "import linli.stats, linli.__main__, sys; linli.stats.WATCH_EVERY_S = 0.02; "
    watching = subprocess.Popen(
        [sys.executable, "-c", quick + "sys.exit(linli.__main__.main(['stats', '--watch']))"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert watching.stdout is not None
    seen: list[str] = []

    def until(words: str) -> None:
        while words not in (line := watching.stdout.readline()):  # type: ignore[union-attr]
            assert line, seen
            seen.append(line)

    until("转 turns 1,234,567")
    hall.stop()
    until("the gateway does not listen")
    back = FakeGateway(tmp_path / "run" / "gateway.sock")
    back.answers["statistics"] = {"statistics": figures(NOW_MS, turns=5)}
    until("转 turns 5")
    watching.send_signal(signal.SIGINT)
    try:
        assert watching.wait(PATIENCE_S) == 0
    finally:
        watching.kill()
    watching.stdout.close()
    back.stop()


@pytest.mark.slow
def test_the_real_gateway_fills_the_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    with gateway(tmp_path / "home") as running:
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        assert main(["press", "btn-0302"]) == 0
        capsys.readouterr()
        assert main(["stats"]) == 0
        lines = capsys.readouterr().out.splitlines()
        call = lines.index(line_with("按钮呼叫 Button calls", lines))
        assert lines[call + 3].split()[:3] == ["通知", "told", "1"]
        assert "press from btn-0302" in lines[call + 3]
        assert main(["stats", "--prometheus"]) == 0
        found = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(capsys.readouterr().out)
            for sample in family.samples
        }
        assert found["linli_lateness_seconds_count", ("lane", "call"), ("stage", "told")] == 1
        assert found["linli_broker_line_up", ("line", "calls")] == 1
