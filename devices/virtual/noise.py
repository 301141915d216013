"""A bay's history as a bad sensor tells it: cars that really come and go, and all that is not a car.

Made from a seed, so that a test, a bench and whoever doubts them see the same thousand words. What is not a car: a
lorry that passes (a magnetic field for a few seconds), a sensor at the edge of its threshold that flaps while a car
manoeuvres, rain and leaves before an ultrasonic probe (one reading in twelve is wrong), no echo at all; and what the
air does: words that come twice, and words that overtake each other.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass

#: The trace that the tests are about.
SEED = 20_261_122
#: A word that is sent again for want of an answer is no later than this (LoRaWAN: 1 to 3 s).
SOON_S = 1.5


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the sensor. ``at_s`` is when it is heard, ``truth`` whether a car really stands there then."""

    at_s: float
    seq: int
    occupied: bool
    distance_mm: int
    truth: bool


def magnetic(events: int = 1000, seed: int = SEED) -> list[Word]:
    """Speaks when something changes, and every ten minutes."""
    dice = random.Random(seed)
    words: list[Word] = []
    now_s, truth, seq = 0.0, False, 0

    def say(occupied: bool) -> None:
        nonlocal seq
        seq += 1
        words.append(Word(now_s, seq, occupied, 0, truth))

    say(truth)
    while len(words) < events:
        now_s += dice.uniform(60, 600)
        what = dice.random()
        if what < 0.25:  # a car comes or goes, to and fro, for a while
            truth = not truth
            for _ in range(dice.randrange(1, 6)):
                say(truth)
                now_s += dice.uniform(0.5, 4)
                say(not truth)
                now_s += dice.uniform(0.5, 4)
            say(truth)
        elif what < 0.75:  # a lorry passes; each flicker is over within eight seconds
            for _ in range(dice.randrange(1, 5)):
                say(not truth)
                now_s += dice.uniform(0.2, 8)
                say(truth)
                now_s += dice.uniform(0.2, 8)
        else:
            say(truth)
    return _through_the_air(words[:events], dice)


def ultrasonic(events: int = 1000, seed: int = SEED) -> list[Word]:
    """Speaks every twenty seconds; a roof is 900 mm away, the floor 2,400."""
    dice = random.Random(seed)
    words: list[Word] = []
    truth, left = False, 30
    for seq in range(1, events + 1):
        if left == 0:
            truth, left = not truth, dice.randrange(20, 90)
        left -= 1
        wrong = dice.random() < 1 / 12
        occupied = truth is not wrong
        near_mm = 0 if wrong and dice.random() < 0.2 else int(dice.gauss(900 if occupied else 2400, 40))
        words.append(Word(seq * 20.0, seq, occupied, near_mm, truth))
    return _through_the_air(words, dice)


def flips(truth: list[bool]) -> int:
    """How often it really changed."""
    return sum(before != after for before, after in itertools.pairwise(truth))


def _through_the_air(words: list[Word], dice: random.Random) -> list[Word]:
    """One in twenty comes twice, one in thirty is overtaken by a word said soon after it. As many words as before."""
    heard: list[Word] = []
    for word in words:
        heard.append(word)
        if dice.random() < 1 / 20:
            heard.append(Word(word.at_s + 0.1, word.seq, word.occupied, word.distance_mm, word.truth))
    for place in range(1, len(heard)):
        if dice.random() < 1 / 30:
            first, second = heard[place - 1], heard[place]
            if second.at_s - first.at_s <= SOON_S:
                late = Word(second.at_s + 0.05, first.seq, first.occupied, first.distance_mm, second.truth)
                heard[place - 1 : place + 1] = [second, late]
    return heard[: len(words)]
