from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from robot_adapt import array_file
from robot_adapt.errors import UserError

ARRAYS = {"b": np.arange(6.0).reshape(2, 3), "a": np.array([1, 2], dtype=np.int64)}
VALUES = {"z": 1, "name": "x", "nested": {"k": [1.5, None]}}


def test_arrays_and_values_come_back_in_their_order() -> None:
    arrays, values, sha256 = array_file.decode(array_file.encode(ARRAYS, VALUES), "x")
    assert list(values) == list(VALUES)
    assert values == VALUES
    assert sha256 == array_file.digest(ARRAYS, VALUES)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)


def test_the_same_content_gives_the_same_bytes() -> None:
    other_order = dict(reversed(list(ARRAYS.items())))
    assert array_file.encode(ARRAYS, VALUES) == array_file.encode(other_order, VALUES)


def test_a_nan_among_the_values_is_refused() -> None:
    data = array_file.encode(ARRAYS, {"period_s": 1.5}).replace(b"1.5}", b"NaN}")
    with pytest.raises(UserError, match="a file: damaged"):
        array_file.decode(data, "a file")


def test_a_file_cut_short_anywhere_is_refused() -> None:
    data = array_file.encode(ARRAYS, VALUES)
    for length in range(len(data)):
        with pytest.raises(UserError, match="a file: "):
            array_file.decode(data[:length], "a file")


def test_a_flipped_byte_anywhere_is_refused_or_changes_nothing() -> None:
    data = array_file.encode(ARRAYS, VALUES)
    for position in range(len(data)):
        flipped = bytearray(data)
        flipped[position] ^= 0x01
        try:
            arrays, values, _ = array_file.decode(bytes(flipped), "a file")
        except UserError:
            continue
        assert values == VALUES
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(arrays[name], array)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.bin: no such file"):
        array_file.read(tmp_path / "gone.bin")
    with pytest.raises(UserError, match="cannot be read"):
        array_file.read(tmp_path)


def test_a_crash_while_writing_leaves_the_file_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    array_file.write_atomically(path, b"before")

    def crash(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", crash)
    with pytest.raises(OSError, match="no space"):
        array_file.write_atomically(path, b"after")
    assert path.read_bytes() == b"before"
