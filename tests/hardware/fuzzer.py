"""Fuzzer: feeds a parser garbage that is nearly right, and looks what becomes of it. The parsers are in parsers.py."""

from __future__ import annotations

import random
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, ModuleType

import numpy as np

CORPUS = Path(__file__).parent / "corpus"
LIMIT_S = 1.0
LIMIT_BYTES = 100_000
_REPEATS = 4
_CHECK_EVERY = 64

Feed = Callable[[bytes], object]


@dataclass(frozen=True)
class Parser:
    """One parser.

    Attributes:
        make: a fresh one, as the function that takes its bytes and returns what it heard: None or something empty for nothing.
        corpus: name of its file.
        reseal: gives a damaged input the length and checksum that fit it, so that what is inside is looked at.
        own_errors: what it may raise.
        extra: the module that it needs and that may be missing.

    """

    make: Callable[[], Feed]
    corpus: str
    reseal: Callable[[bytes], bytes]
    own_errors: tuple[type[Exception], ...] = ()
    extra: str | None = None

    @property
    def inputs(self) -> list[bytes]:
        lines = (CORPUS / f"{self.corpus}.hex").read_text().splitlines()
        return [bytes.fromhex(line.partition("#")[0]) for line in lines if line.partition("#")[0].strip()]


class BrokenParserError(AssertionError):
    """What a parser did, and the input it did it at, in hex."""


@dataclass
class Fuzzer:
    """Feeds one parser garbage and looks what becomes of it. Reproducible from the seed."""

    parser: Parser
    seed: int = 0
    inputs: int = 0
    size: int = 0
    slowest_s: float = 0.0
    most_kept: int = 0
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311
        self._corpus = self.parser.inputs
        self._feed = self.parser.make()

    def step(self) -> None:
        """One input. Raises BrokenParserError."""
        self.feed(pieces(self._random, mutated(self._random, self._corpus, self.parser.reseal)))
        if self.inputs % _CHECK_EVERY == 0:
            self.check()

    def feed(self, parts: Iterable[bytes]) -> object:
        """One input, in pieces; what was heard last. Raises BrokenParserError when it raises or takes too long."""
        data = list(parts)
        heard: object = None
        begin_s = time.process_time()
        try:
            for part in data:
                heard = self._feed(part) or heard
        except self.parser.own_errors:
            pass
        except Exception as error:
            raise BrokenParserError(f"{type(error).__name__}: {error} at {[part.hex() for part in data]}") from error
        self.slowest_s = max(self.slowest_s, time.process_time() - begin_s)
        self.inputs += 1
        self.size += sum(map(len, data))
        return heard

    def check(self) -> None:
        """It keeps little, and still hears what is intact. Raises BrokenParserError."""
        self.most_kept = max(self.most_kept, kept := kept_bytes(self._feed))
        if kept > LIMIT_BYTES:
            raise BrokenParserError(f"keeps {kept} bytes")
        if not any(self.feed([self._corpus[0]]) for _ in range(_REPEATS)):
            raise BrokenParserError(f"no longer hears {self._corpus[0].hex()}")


def mutated(random: random.Random, corpus: list[bytes], reseal: Callable[[bytes], bytes]) -> bytes:
    """A few inputs of the corpus, damaged, some of them with right checksums again; at times nothing but noise."""
    kind = random.random()
    if kind < 0.05:
        return random.randbytes(random.randrange(600))
    if kind < 0.06:
        return random.choice(corpus)[: random.randrange(1, 8)] * random.randrange(1, 1000)
    parts = random.choices(corpus, k=random.randrange(1, 5))
    parts = [reseal(damaged(random, part)) if random.random() < 0.5 else part for part in parts]
    merged = b"".join(parts)
    return damaged(random, merged) if random.random() < 0.5 else merged


def damaged(random: random.Random, whole: bytes) -> bytes:
    """Bits turned, bytes lost, gained and repeated; cut short."""
    data = bytearray(whole)
    for _ in range(random.randrange(6)):
        if not data:
            break
        at, length = random.randrange(len(data)), random.randrange(1, 9)
        match random.randrange(6):
            case 0:
                data[at] ^= 1 << random.randrange(8)
            case 1:
                data[at] = random.choice((0x00, 0x7F, 0x80, 0xAA, 0xFD, 0xFF, *b"$*,\r\n 0", random.randrange(256)))
            case 2:
                del data[at : at + length]
            case 3:
                data[at:at] = random.randbytes(length)
            case 4:
                data[at:at] = data[at : at + 4 * length]
            case 5:
                del data[at:]
    return bytes(data)


def pieces(random: random.Random, data: bytes) -> list[bytes]:
    """The data as it may come: in one, or cut anywhere."""
    cuts = sorted(random.randrange(len(data) + 1) for _ in range(random.choice((0, 0, 1, 2, 5))))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def kept_bytes(root: object) -> int:
    """Bytes, characters and items that are held by an object, a bound method or a closure, all the way down."""
    seen: set[int] = set()
    queue, kept = [root], 0
    while queue:
        value = queue.pop()
        if id(value) in seen or isinstance(value, (type, int, float, ModuleType)):
            continue
        seen.add(id(value))
        if isinstance(value, (bytes, bytearray, str)):
            kept += len(value)
        elif isinstance(value, dict):
            kept += len(value)
            queue += [*value.keys(), *value.values()]
        elif isinstance(value, np.ndarray):
            kept += value.nbytes
        elif isinstance(value, (list, tuple, set, frozenset, deque)):
            queue += (items := list(value))
            kept += len(items)
        else:
            queue += [cell.cell_contents for cell in getattr(value, "__closure__", None) or ()]
            queue += [getattr(value, "__self__", None), *getattr(value, "__dict__", {}).values()]
            queue += [getattr(value, name, None) for name in getattr(type(value), "__slots__", ())]
    return kept


class TimeLimit:
    """Within it, what computes for LIMIT_S between two `again()` is ended by a BrokenParserError; for the main thread.

    It counts the process's own time: on a busy machine nothing but waiting would pass for a hang.
    """

    def __enter__(self) -> TimeLimit:
        self._before = signal.signal(signal.SIGPROF, _hangs)
        self.again()
        return self

    def again(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, LIMIT_S)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, self._before)


def _hangs(_signal: int, _frame: FrameType | None) -> None:
    raise BrokenParserError(f"hangs for {LIMIT_S} s")
