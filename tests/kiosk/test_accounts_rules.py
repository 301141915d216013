"""The rules of staff accounts, without a clock and without a notebook."""

import pytest

from kiosk.rules import account as rules

S, MIN, H = 1000, 60_000, 3_600_000
NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    ("wrong_ago_ms", "wait_ms"),
    [
        ([], 0),
        ([1 * S, 2 * S], 0),
        ([1 * S, 2 * S, 3 * S], 57 * S),
        ([1 * S, 2 * S, 60 * S], 0),
        ([2 * MIN, 4 * MIN, 6 * MIN, 8 * MIN, 9 * MIN], 1 * MIN),
        ([10 * MIN + n * 5 * MIN for n in range(9)], 0),
        ([10 * MIN + n * 5 * MIN for n in range(10)], 5 * MIN),
    ],
    ids=[
        "none",
        "two",
        "three a minute",
        "two and an old one",
        "five in ten minutes",
        "nine an hour",
        "ten an hour",
    ],
)
def test_how_long_after_wrong_passwords(wrong_ago_ms: list[int], wait_ms: int) -> None:
    times = [NOW - ago for ago in wrong_ago_ms]
    assert rules.wait_before_try_ms(times, times, NOW) == wait_ms


def test_a_clock_set_back_shuts_nobody_out() -> None:
    tomorrow = [NOW + 24 * H + n for n in range(10)]
    assert rules.wait_before_try_ms(tomorrow, tomorrow, NOW) == 0


def test_sixty_names_from_one_address_are_enough() -> None:
    many = [NOW - 30 * MIN] * 60
    assert rules.wait_before_try_ms([], many[:59], NOW) == 0
    assert rules.wait_before_try_ms([], many, NOW) == 30 * MIN


@pytest.mark.parametrize(
    ("idle_ms", "locked"),
    [(0, False), (15 * MIN - 1, False), (15 * MIN, True), (-30 * S, False), (-2 * MIN, True)],
)
def test_when_a_screen_locks(idle_ms: int, locked: bool) -> None:
    assert rules.is_locked(NOW - idle_ms, None, NOW) is locked


def test_a_screen_locked_by_hand_is_locked_at_once() -> None:
    assert rules.is_locked(NOW, NOW, NOW)


@pytest.mark.parametrize(
    ("password", "en"),
    [
        ("", "A password has at least 8 characters, this one has 0. A sentence is fine."),
        ("1234567", "A password has at least 8 characters, this one has 7. A sentence is fine."),
        ("x" * 129, "A password has at most 128 characters."),
        ("wangfang-1970", "The password must not be the name."),
        ("ＷＡＮＧＦＡＮＧ－1970", "The password must not be the name."),
        ("88888888", "Everybody tries this password first; choose another."),
        ("Password", "Everybody tries this password first; choose another."),
        ("啊啊啊啊啊啊啊啊", "Everybody tries this password first; choose another."),
    ],
)
def test_a_password_is_refused_in_words(password: str, en: str) -> None:
    said = rules.what_is_wrong_with_password(password, "WangFang-1970")
    assert said is not None
    assert said.en == en
    assert said.zh


@pytest.mark.parametrize("password", ["床前明月光，疑是地上霜", "k7mh-3xtp", "x7 x7 x7"])
def test_a_sentence_is_a_good_password(password: str) -> None:
    assert rules.what_is_wrong_with_password(password, "王芳") is None


@pytest.mark.parametrize("name", ["", "   ", "a\u202eb", "a\nb", "长" * 33])
def test_a_name_that_cannot_be_read_is_refused(name: str) -> None:
    assert rules.what_is_wrong_with_name(name) is not None


def test_full_width_and_capital_letters_are_the_same_name() -> None:
    assert rules.name_key(" ＷａｎｇFang ") == rules.name_key("wangfang")
