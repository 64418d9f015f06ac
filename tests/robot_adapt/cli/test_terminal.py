from __future__ import annotations

import os
import pty
import sys
import threading

import pytest

from robot_adapt.cli.terminal import Person


def test_what_was_typed_before_a_question_is_no_answer_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second Enter, or one hit in alarm while the robot moved, must not be the one that makes it get up."""
    keyboard, terminal = pty.openpty()
    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        os.write(keyboard, b"stray\n\n")
        threading.Timer(0.3, os.write, (keyboard, b"meant\n")).start()
        assert Person().ask("go? ") == "meant"
    os.close(keyboard)


def test_what_a_pipe_holds_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"one\ntwo\n")
    os.close(writer)
    with os.fdopen(reader) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert [Person().ask("? "), Person().ask("? ")] == ["one", "two"]
        with pytest.raises(KeyboardInterrupt, match="standard input has ended"):
            Person().ask("? ")
