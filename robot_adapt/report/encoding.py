"""Encoding: pictures in a row as a GIF, an MP4 or PNGs, as the file's name says. What they show is not known here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image

from robot_adapt.errors import UserError

SUFFIXES = (".gif", ".mp4", ".png", "")


def check_format(path: Path) -> None:
    """Raises UserError when no picture can be written there, before any is made."""
    if path.suffix not in SUFFIXES:
        raise UserError(f"{path}: should end in .gif, .mp4 or .png, or be a folder for single pictures")
    if path.suffix == "" and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UserError(f"{path}: is there already: name a new folder")
    if path.suffix == ".mp4":
        _av()


def write(frames: Sequence[Image.Image], path: Path, frame_ms: int) -> None:
    """All frames as `path` is named; a PNG is the one in the middle. Frames are equally large, with even edges (MP4)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gif":
        write_gif(frames, path, frame_ms)
    elif path.suffix == ".mp4":
        _write_mp4(frames, path, frame_ms)
    elif path.suffix == ".png":
        frames[len(frames) // 2].save(path)
    else:
        path.mkdir(exist_ok=True)
        for number, frame in enumerate(frames):
            frame.save(path / f"{number:04d}.png")


def write_gif(frames: Sequence[Image.Image], path: Path, frame_ms: int) -> None:
    """One palette for all frames: no flicker, a third of the size."""
    palette = frames[len(frames) // 2].quantize(128)
    small = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    small[0].save(path, save_all=True, append_images=small[1:], duration=frame_ms, loop=0, optimize=True)


def _write_mp4(frames: Sequence[Image.Image], path: Path, frame_ms: int) -> None:
    """H.264 in the pixel format that browsers and telephones play."""
    av = _av()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=round(1000 / frame_ms), options={"crf": "20"})
        stream.width, stream.height = frames[0].size
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(frame), format="rgb24")))
        container.mux(stream.encode())


def _av() -> ModuleType:
    try:
        import av
    except ImportError:
        raise UserError("MP4 needs PyAV: pip install 'robot-adapt[video]', or write a .gif") from None
    return av
