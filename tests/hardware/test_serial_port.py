from __future__ import annotations

from pathlib import Path

import pytest

from hardware.emulators.line import Line
from hardware.serial_port import latency_timer_ms, open_exclusive, slow_adapter, write_all
from hardware.types import RobotError


def test_a_port_that_is_not_there_is_an_error_that_names_it() -> None:
    with pytest.raises(RobotError, match=r"^/dev/no_such_port: no such device: is it plugged in\?$"):
        open_exclusive("/dev/no_such_port", 115200)


def test_a_port_in_use_is_refused() -> None:
    line = Line(None)
    with open_exclusive(line.path, 115200), pytest.raises(RobotError, match="in use by another program"):
        open_exclusive(line.path, 115200)
    with open_exclusive(line.path, 115200):
        pass  # released with its owner
    line.close()


def test_what_is_no_port_is_refused_as_such(tmp_path: Path) -> None:
    file = tmp_path / "notes"
    file.write_text("x")
    for path in (file, tmp_path, Path("/dev/null")):
        with pytest.raises(RobotError, match=f"^{path}: is no serial port$"):
            open_exclusive(str(path), 115200)


def test_a_read_does_not_wait() -> None:
    line = Line(None)
    with open_exclusive(line.path, 115200) as port:
        assert port.read(10) == b""
    line.close()


def test_the_latency_timer_of_an_ftdi_adapter_is_read_also_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "ttyUSB0").mkdir()
    (tmp_path / "ttyUSB0" / "latency_timer").write_text("16\n")
    device = tmp_path / "dev" / "ttyUSB0"
    device.parent.mkdir()
    device.touch()
    by_id = tmp_path / "usb-FTDI_U2D2"
    by_id.symlink_to(device)
    assert latency_timer_ms(str(by_id), tmp_path) == 16
    assert latency_timer_ms("/dev/ttyACM0", tmp_path) is None


def test_an_adapter_that_holds_bytes_back_is_named_with_the_command_that_mends_it(tmp_path: Path) -> None:
    timer = tmp_path / "ttyUSB7" / "latency_timer"
    timer.parent.mkdir()
    timer.write_text("16\n")
    line = slow_adapter("/dev/ttyUSB7", tmp_path)
    assert line == f"/dev/ttyUSB7: its adapter holds bytes back for up to 16 ms: echo 1 | sudo tee {timer}"
    timer.write_text("1\n")
    assert slow_adapter("/dev/ttyUSB7", tmp_path) is None
    assert slow_adapter("/dev/ttyACM0", tmp_path) is None


def test_everything_is_written_and_a_line_that_takes_no_more_is_an_error() -> None:
    line = Line(None)
    with open_exclusive(line.path, 115200) as port:
        write_all(port, b"abc" * 1000)
        heard = b""
        while len(heard) < 3000:
            heard += line.receive(1.0)
        assert heard == b"abc" * 1000
        with pytest.raises(OSError, match="takes no more bytes"):
            write_all(port, bytes(1 << 20))
    line.close()
