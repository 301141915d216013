"""Percentiles are times that somebody really waited: compared with sorting all of them, the plain way."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as some

from kiosk.rules.charts import chart
from kiosk.rules.spreads import SERVED, Tally, pack, rising_line, spread, unpack

SECONDS = some.lists(some.integers(0, 90_000), max_size=300)


def plainly(seconds: list[int], percent: int) -> int:
    """Nearest rank, as a textbook says it: the smallest that at least so many of a hundred do not exceed."""
    return next(
        one
        for one in sorted(seconds)
        if 100 * sum(other <= one for other in seconds) >= percent * len(seconds)
    )


@given(SECONDS)
def test_percentiles_are_the_nearest_rank(seconds: list[int]) -> None:
    told = spread(Counter(seconds))
    assert told.count == len(seconds)
    if not seconds:
        assert (told.p50_s, told.p90_s, told.p99_s, told.max_s) == (None, None, None, None)
    else:
        wanted = [plainly(seconds, percent) for percent in (50, 90, 99)]
        assert [told.p50_s, told.p90_s, told.p99_s, told.max_s] == [*wanted, max(seconds)]


@given(SECONDS, some.integers(0, 90_000))
def test_what_is_kept_in_order_tells_the_same_as_what_is_counted(seconds: list[int], target_s: int) -> None:
    counted = Tally(Counter(done=len(seconds)), Counter(seconds), Counter(seconds))
    kept = unpack(pack(Counter(seconds)))
    assert list(kept) == sorted(seconds)
    assert counted.line("day", "d", target_s) == rising_line(
        "day", "d", counted.outcomes, kept, kept, target_s
    )


@given(
    some.lists(
        some.tuples(
            some.sampled_from(["done", "no_show", "cancelled", "transferred"]), some.integers(0, 10**8)
        )
    )
)
def test_rounding_down_keeps_the_milliseconds_own_percentile(rows: list[tuple[str, int]]) -> None:
    tally = Tally()
    for outcome, wait_ms in rows:
        tally.add(outcome, wait_ms, None)
    served = [wait_ms for outcome, wait_ms in rows if outcome in SERVED]
    line = tally.line("all", "", 60)
    assert (line.total, line.wait.count, line.service.count) == (len(rows), len(served), 0)
    if served:
        assert line.wait.p90_s == plainly(served, 90) // 1000
        assert line.beyond == sum(one // 1000 > 60 for one in served)


def test_shares_count_who_was_called_and_say_nothing_of_nobody() -> None:
    tally = Tally()
    for outcome, count in (("done", 6), ("transferred", 2), ("no_show", 2), ("cancelled", 5)):
        for number in range(count):
            tally.add(outcome, number * 100_000, 1000)
    line = tally.line("all", "", 250)
    assert (line.served, line.total, line.no_show_share) == (8, 15, 0.2)
    assert (line.beyond, line.beyond_share) == (3, 3 / 8)
    nobody = Tally().line("all", "", 250)
    assert (nobody.no_show_share, nobody.beyond_share) == (None, None)


@given(some.lists(some.integers(0, 80_000), min_size=1, max_size=40))
def test_a_charts_marks_stay_within_its_scale(seconds: list[int]) -> None:
    lines = [Tally(Counter(done=1), Counter([one])).line("hour", "9", 900) for one in seconds]
    drawn = chart(lines, 900)
    assert drawn is not None
    assert drawn.grid[0] == (0.0, 0)
    assert drawn.grid[-1][0] == 1.0
    assert len(drawn.grid) <= 7
    for mark, one in zip(drawn.marks, seconds, strict=True):
        assert mark.half == mark.most == mark.nearly_all
        assert 0 <= mark.half <= 1
        assert abs(mark.half * drawn.grid[-1][1] * 60 - one) < 0.001
    assert drawn.target is None or 0 < drawn.target <= 1
    assert chart([], 900) is None
