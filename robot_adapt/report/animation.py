"""Animation: trials side by side, with the path walked below each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_MAP_HEIGHT = 70
_MAP_M = 2.0


@dataclass(frozen=True)
class Film:
    """One trial: pictures (height, width, 3) and where the base was (m) at each, all films of one animation equally large."""

    title: str
    color: str
    images: Sequence[NDArray[np.uint8]]
    path_m: Sequence[tuple[float, float]]


def frames(films: Sequence[Film]) -> list[Image.Image]:
    """All films start together; one that ends early (a fall) holds its last picture."""
    return [
        Image.fromarray(np.hstack([_pane(film, min(k, len(film.images) - 1)) for film in films]))
        for k in range(max(len(film.images) for film in films))
    ]


def _pane(film: Film, k: int) -> NDArray[np.uint8]:
    height, width, _ = film.images[k].shape
    pane = Image.new("RGB", (width, height + _MAP_HEIGHT), "white")
    pane.paste(Image.fromarray(film.images[k]), (0, 0))
    draw = ImageDraw.Draw(pane)
    x = film.path_m[k][0]
    draw.text((8, 6), film.title, fill=film.color, font=ImageFont.load_default(18))
    draw.text((8, height + _MAP_HEIGHT - 18), f"{x:.2f} m", fill=film.color, font=ImageFont.load_default(14))
    scale = (width - 20) / max(_MAP_M, *(px for px, _ in film.path_m))
    middle = height + _MAP_HEIGHT // 2 - 6
    draw.line([(10, middle), (width - 10, middle)], fill="#dddddd")
    points = [(10 + px * scale, middle - py * scale) for px, py in film.path_m[: k + 1]]
    if len(points) > 1:
        draw.line(points, fill=film.color, width=3)
    end_x, end_y = points[-1]
    draw.ellipse([end_x - 4, end_y - 4, end_x + 4, end_y + 4], fill=film.color)
    return np.asarray(pane)
