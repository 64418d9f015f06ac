"""Every parser of PARSERS: nothing raised but its own error, nothing hangs, nothing grows, and it hears again after garbage."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hardware.fuzzer import CORPUS, BrokenParserError, Feed, Fuzzer, Parser, TimeLimit, kept_bytes, mutated, pieces
from tests.hardware.parsers import PARSERS


def test_every_corpus_has_its_parser() -> None:
    assert {parser.corpus for parser in PARSERS.values()} <= {path.stem for path in CORPUS.iterdir()}


@pytest.mark.parametrize("name", PARSERS)
def test_it_hears_the_first_input_of_its_corpus_and_survives_the_others(name: str) -> None:
    fuzzer = Fuzzer(PARSERS[name])
    fuzzer.check()
    for data in PARSERS[name].inputs:
        fuzzer.feed([data])
        fuzzer.check()
        fuzzer.feed([data[i : i + 1] for i in range(len(data))])
        fuzzer.check()


@pytest.mark.parametrize("name", PARSERS)
def test_resealing_leaves_an_intact_input_intact_and_never_raises(name: str) -> None:
    parser = PARSERS[name]
    fuzzer, resealed = Fuzzer(parser), parser.reseal(parser.inputs[0])
    assert fuzzer.feed([resealed]) or fuzzer.feed([resealed])  # some hear from the second one on
    for size in range(len(parser.inputs[0])):
        parser.reseal(parser.inputs[0][:size])


@pytest.mark.parametrize("name", PARSERS)
def test_it_survives_hundreds_of_damaged_inputs(name: str) -> None:
    fuzzer = Fuzzer(PARSERS[name], seed=1)
    with TimeLimit() as limit:
        for _ in range(500):
            limit.again()
            fuzzer.step()


@pytest.mark.parametrize("name", PARSERS)
def test_it_survives_whatever_hypothesis_comes_up_with(name: str) -> None:
    parser = PARSERS[name]

    @settings(deadline=None, max_examples=40)
    @given(st.lists(st.one_of(st.binary(max_size=64), st.sampled_from(parser.inputs)), max_size=6))
    def survives(parts: list[bytes]) -> None:
        fuzzer = Fuzzer(parser)
        fuzzer.feed(parts)
        fuzzer.check()

    survives()


class Greedy:
    """Keeps all it gets."""

    def __init__(self) -> None:
        self.kept = b""

    def feed(self, data: bytes) -> bytes:
        self.kept += data
        return data


def _deaf() -> Feed:
    return lambda _: None


def _raising() -> Feed:
    def feed(data: bytes) -> None:
        raise KeyError(data[:1])

    return feed


@pytest.mark.parametrize(
    ("make", "message"), [(lambda: Greedy().feed, "keeps"), (_deaf, "no longer hears"), (_raising, "KeyError: .* at \\['")]
)
def test_the_fuzzer_finds_what_grows_what_goes_deaf_and_what_raises(make: object, message: str) -> None:
    fuzzer = Fuzzer(Parser(make, "bno08x", bytes))  # type: ignore[arg-type]
    with pytest.raises(BrokenParserError, match=message):
        _run(fuzzer)


def _run(fuzzer: Fuzzer) -> None:
    for _ in range(20_000):
        fuzzer.step()


def test_the_fuzzer_lets_a_parser_raise_its_own_error() -> None:
    fuzzer = Fuzzer(Parser(_raising, "bno08x", bytes, (KeyError,)))
    fuzzer.feed([b"x"])


def test_the_fuzzer_ends_what_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.hardware.fuzzer.LIMIT_S", 0.05)
    with pytest.raises(BrokenParserError, match="hangs"), TimeLimit():
        _compute(10.0)


def _compute(seconds: float) -> None:
    begin_s = time.process_time()
    while time.process_time() < begin_s + seconds:
        pass


def test_the_same_seed_gives_the_same_inputs() -> None:
    def inputs(seed: int) -> list[list[bytes]]:
        generator = random.Random(seed)  # noqa: S311
        parser = PARSERS["bno08x frames"]
        return [pieces(generator, mutated(generator, parser.inputs, parser.reseal)) for _ in range(20)]

    assert inputs(1) == inputs(1) != inputs(2)


def test_what_is_kept_is_found_behind_methods_closures_and_containers() -> None:
    greedy = Greedy()
    greedy.feed(bytes(1000))
    assert 1000 <= kept_bytes(greedy.feed) < 1100
    assert 1000 <= kept_bytes(lambda: [greedy]) < 1100
