"""The line to the gateway's desk, by what comes through it."""

from pathlib import Path

from herald.desk_line import DeskLine


def test_a_line_that_is_no_answer_is_passed_over(tmp_path: Path) -> None:
    heard: list[str] = []
    line = DeskLine(
        tmp_path / "gateway.sock",
        on_up=lambda: heard.append("up"),
        on_bell=lambda: heard.append("bell"),
        on_answer=lambda order_id, _answer: heard.append(order_id),
    )
    for nonsense in (b'{"re":', b'{"re":' + b"[" * 100_000, b"[" * 100_000):
        line._hear(nonsense)
    line._hear(b'{"re":"hello","ok":true}')
    assert heard == ["up"]
