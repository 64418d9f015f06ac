from __future__ import annotations

import pytest

from hardware.imu.vectornav_text import Sentence, Sentences, checksum, crc16, sentence

MAKERS_EXAMPLE = b"".join(
    [
        b"$VNYMR,+100.949,-007.330,+000.715,-00.0049,-00.2449,+00.5397,",
        b"-01.258,-00.100,-09.701,-00.000018,+00.001122,-00.000551*69\r\n",
    ]
)


def test_checksums_are_those_of_the_manual() -> None:
    assert sentence("VNRRG,11") == b"$VNRRG,11*73\r\n"
    assert checksum(b"VNERR,12") == 0x72
    assert crc16(b"123456789") == 0x31C3


def test_a_sentence_of_a_real_unit_is_intact() -> None:
    [(fields, intact)] = Sentences().feed(MAKERS_EXAMPLE)
    assert intact
    assert fields[0] == "VNYMR"
    assert len(fields) == 13


def test_a_turned_bit_is_no_longer_intact() -> None:
    [found] = Sentences().feed(MAKERS_EXAMPLE.replace(b"+100", b"+101"))
    assert not found.intact


def test_a_sentence_may_have_a_crc_or_xs_in_place_of_the_checksum() -> None:
    body = b"VNRRG,01"
    sentences = Sentences()
    assert sentences.feed(b"$%s*%04X\r\n" % (body, crc16(body))) == [Sentence(("VNRRG", "01"), True)]
    assert sentences.feed(b"$VNRRG,01*XX\n") == [Sentence(("VNRRG", "01"), True)]
    assert sentences.feed(b"$VNRRG,01*X3\n") == [Sentence(("VNRRG", "01"), False)]


@pytest.mark.parametrize("split", range(1, 14))
def test_a_sentence_may_come_in_pieces_and_between_binary(split: int) -> None:
    stream = b"\xfa\x01\x30*$\x01" + sentence("VNASY,0") + b"\xfa\x01"
    sentences = Sentences()
    assert sentences.feed(stream[:split]) + sentences.feed(stream[split:]) == [Sentence(("VNASY", "0"), True)]


def test_what_never_ends_is_not_kept() -> None:
    sentences = Sentences()
    for _ in range(100):
        assert sentences.feed(b"$" + b"A" * 100) == []
    assert sentences.feed(b"A" * 100_000) == []
    assert len(vars(sentences)["_kept"]) < 300
    assert sentences.feed(sentence("VNASY,1")) == [Sentence(("VNASY", "1"), True)]
