"""The landscape of `noisy_scene.png`, painted back to front at three times its size, then exposed by a simulated camera.

Colours are (red, green, blue) from 0 to 1. Points are (column, row) in pixels of the final image, the order of
OpenCV's drawing functions.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

ROWS, COLUMNS = 432, 576
FINER = 3  # subpixels per pixel and axis while painting
SUN = (452, 92)
HAZE = np.array((0.83, 0.80, 0.76))

Colour = Sequence[float]
Point = tuple[float, float]


def fractal(rng: np.random.Generator, rows: int, columns: int, cells: tuple[int, int], octaves: int) -> np.ndarray:
    """Return smooth noise of shape (rows, columns), mean 0 and deviation 1; each octave is twice as fine and 0.55 as strong."""
    total = np.zeros((rows, columns), np.float32)
    for octave in range(octaves):
        grid = rng.standard_normal((cells[0] * 2**octave, cells[1] * 2**octave)).astype(np.float32)
        total += 0.55**octave * cv2.resize(grid, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return (total - total.mean()) / total.std()


def fill(canvas: np.ndarray, points: Sequence[Point], colour: Colour) -> None:
    cv2.fillPoly(canvas, [np.rint(np.array(points) * FINER).astype(np.int32)], tuple(map(float, colour)))


def cover(canvas: np.ndarray, where: np.ndarray, colour: np.ndarray | Colour) -> None:
    """Blend a colour (one, or one per pixel) over the canvas with the opacity `where`, shape (H, W), from 0 to 1."""
    canvas += where[..., None].astype(np.float32) * (np.asarray(colour, np.float32) - canvas)


def inside(points: Sequence[Point], like: np.ndarray) -> np.ndarray:
    mask = np.zeros(like.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(np.array(points) * FINER).astype(np.int32)], 1)
    return mask > 0


def paint_sky(canvas: np.ndarray, rng: np.random.Generator, row: np.ndarray, column: np.ndarray) -> None:
    height = np.clip(row / 250, 0, 1)[..., None]
    canvas[:] = (1 - height) * np.array((0.28, 0.47, 0.76)) + height * np.array((0.93, 0.86, 0.76))
    far = np.hypot(row - SUN[1], column - SUN[0])
    cover(canvas, 0.75 * np.exp(-far / 60), (1.0, 0.93, 0.74))
    cover(canvas, np.clip(17.5 - far, 0, 1), (1.0, 0.98, 0.90))
    billows = fractal(rng, *canvas.shape[:2], (7, 3), 7) - 0.5 * np.abs(row - 95) / 60
    cover(canvas, 0.85 * np.clip(0.75 * billows - 0.1, 0, 1), (0.98, 0.96, 0.94))
    # Undersides of clouds: pixels where the cloud is thicker above than at the pixel itself.
    above = np.roll(billows, 7 * FINER, axis=0)
    cover(canvas, 0.35 * np.clip(0.8 * billows, 0, 1) * np.clip(above - billows + 0.3, 0, 1), (0.60, 0.62, 0.70))


def paint_ridges(canvas: np.ndarray, rng: np.random.Generator, row: np.ndarray, column: np.ndarray) -> None:
    rows, columns = canvas.shape[:2]
    for base, relief, cells, near, colour in (
        (205, 24, 4, 0.30, (0.36, 0.42, 0.55)),
        (236, 17, 5, 0.55, (0.27, 0.38, 0.38)),
        (262, 11, 4, 0.80, (0.25, 0.38, 0.20)),
    ):
        crest = base + relief * fractal(rng, 4, columns, (1, cells), 6)[1]
        # Coarse noise gives lit slopes, fine noise the texture of woods and rock.
        slope = fractal(rng, rows, columns, (10, 14), 6)
        light = 1 + 0.16 * near * slope + 0.10 * near * fractal(rng, rows, columns, (60, 120), 3)
        shade = near * np.asarray(colour) * light[..., None] + (1 - near) * HAZE
        mist = np.clip((row - crest) / 90, 0, 1)[..., None] * (1 - near)
        cover(canvas, np.clip((row - crest) * FINER, 0, 1), shade + mist * (HAZE - shade))


def paint_meadow(canvas: np.ndarray, rng: np.random.Generator, row: np.ndarray, column: np.ndarray) -> None:
    crest = 284 + 9 * np.sin(column / 95 + 0.6) + 4 * np.sin(column / 37)
    depth = np.clip((row - 270) / (ROWS - 270), 0, 1)
    patches = fractal(rng, *canvas.shape[:2], (9, 7), 6)
    green = np.array((0.33, 0.47, 0.17)) + depth[..., None] * np.array((-0.09, -0.09, -0.07))
    cover(canvas, np.clip((row - crest) * FINER, 0, 1), green * (1 + 0.13 * patches)[..., None])
    for _ in range(9000):
        foot = rng.uniform(286, ROWS + 8)
        near = (foot - 270) / (ROWS - 270)
        left, tall, lean = rng.uniform(0, COLUMNS), rng.uniform(3, 9) * near + 1, rng.normal(0, 2.2) * near
        tone = rng.uniform(0.55, 1.45)
        blade = ((left, foot), (left + 0.5 + 0.7 * near, foot), (left + lean, foot - tall))
        if foot - tall > 284 + 9 * np.sin(left / 95 + 0.6) + 4 * np.sin(left / 37):
            fill(canvas, blade, np.array((0.33, 0.46, 0.15)) * tone)
    for _ in range(260):
        at = np.array((rng.uniform(0, COLUMNS), rng.uniform(320, ROWS)))
        size = 0.6 + 1.6 * (at[1] - 300) / 130
        colour = ((0.95, 0.93, 0.86), (0.93, 0.78, 0.20), (0.80, 0.25, 0.22))[rng.integers(3)]
        cv2.circle(canvas, tuple(np.rint(at * FINER).astype(int).tolist()), round(size * FINER), colour, -1)


def paint_path(canvas: np.ndarray, rng: np.random.Generator, row: np.ndarray, column: np.ndarray) -> None:
    depth = np.clip((row - 322) / (ROWS - 322), 0, 1)
    middle = 214 + 92 * depth**1.5 + 10 * np.sin(depth * 5)
    edge = 6 + 34 * depth + 2.5 * fractal(rng, *canvas.shape[:2], (40, 40), 4)
    where = np.clip((edge - np.abs(column - middle)) / 3, 0, 1) * (row > 322)
    gravel = 1 + 0.09 * fractal(rng, *canvas.shape[:2], (150, 170), 3)
    cover(canvas, 0.92 * where, np.array((0.66, 0.57, 0.44)) * gravel[..., None])


def paint_shadow(canvas: np.ndarray, middle: Point, radii: Point, strength: float) -> None:
    row, column = np.indices(canvas.shape[:2]) / FINER
    far = np.hypot((column - middle[0]) / radii[0], (row - middle[1]) / radii[1])
    cover(canvas, strength * np.clip(1.6 * (1 - far), 0, 1), (0.08, 0.13, 0.10))


def paint_house(canvas: np.ndarray, rng: np.random.Generator) -> None:
    paint_shadow(canvas, (150, 326), (105, 16), 0.75)
    grain = fractal(rng, *canvas.shape[:2], (90, 120), 3)
    row, column = np.indices(canvas.shape[:2]) / FINER
    # The gable faces the viewer; the sunlit long side recedes to the right.
    gable = [(98, 238), (134, 194), (170, 238), (170, 326), (98, 326)]
    side = [(170, 238), (262, 236), (262, 316), (170, 326)]
    # Bricks: courses of 4 pixels, every other one shifted by half a brick, with mortar between them.
    course = np.floor(row / 4)
    brick = np.floor((column + 4.5 * (course % 2)) / 9)
    tint = 1 + 0.16 * np.sin(course * 12.9898 + brick * 78.233) + 0.05 * grain
    mortar = ((row % 4) < 0.8) | (((column + 4.5 * (course % 2)) % 9) < 0.8)
    for wall, light in ((gable, 0.72), (side, 1.0)):
        wash = np.where(mortar[..., None], np.array((0.72, 0.66, 0.58)), np.array((0.66, 0.34, 0.24)) * tint[..., None])
        cover(canvas, inside(wall, canvas).astype(np.float32), light * wash)
    # Roof: rows of tiles, each darker towards its lower edge.
    roof = [(134, 188), (238, 190), (270, 241), (170, 243)]
    lane = (row - 190) / 5.5
    tile = (column - 0.65 * row + 4 * (np.floor(lane) % 2)) / 8
    tiles = 1.08 - 0.30 * (lane % 1) ** 3 - 0.22 * ((tile % 1) < 0.14) + 0.06 * np.sin(np.floor(tile) * 7.1) + 0.04 * grain
    cover(canvas, inside(roof, canvas).astype(np.float32), np.array((0.50, 0.22, 0.17)) * tiles[..., None])
    fill(canvas, [(134, 187), (91, 240), (96, 243), (134, 196), (168, 243), (173, 240)], (0.90, 0.87, 0.80))
    fill(canvas, [(204, 168), (220, 168), (220, 200), (204, 198)], (0.50, 0.29, 0.22))
    fill(canvas, [(201, 163), (223, 163), (223, 169), (201, 169)], (0.74, 0.70, 0.63))
    paint_window(canvas, 112, 256, 18, 24)
    paint_window(canvas, 125, 214, 18, 18)
    for left in (184, 234):
        paint_window(canvas, left, 258, 18, 26)
    fill(canvas, [(207, 257), (228, 257), (228, 320), (207, 322)], (0.92, 0.89, 0.83))
    fill(canvas, [(209, 259), (226, 259), (226, 319.5), (209, 321)], (0.16, 0.33, 0.36))
    for top in (264, 291):
        fill(canvas, [(212, top), (223, top), (223, top + 20), (212, top + 20)], (0.22, 0.42, 0.44))
    cv2.circle(canvas, (223 * FINER, 289 * FINER), 4, (0.93, 0.80, 0.40), -1)
    fill(canvas, [(144, 272), (163, 272), (163, 326), (144, 326)], (0.30, 0.20, 0.14))
    for plank in range(146, 163, 4):
        fill(canvas, [(plank, 274), (plank + 3, 274), (plank + 3, 325), (plank, 325)], (0.42, 0.29, 0.19))


def paint_window(canvas: np.ndarray, left: int, top: int, wide: int, tall: int) -> None:
    def box(x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        fill(canvas, [(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour)

    box(left - 2, top - 2, left + wide + 2, top + tall + 2, (0.94, 0.92, 0.87))
    box(left, top, left + wide, top + tall, (0.15, 0.20, 0.27))
    fill(canvas, [(left, top), (left + wide, top), (left, top + tall * 0.8)], (0.42, 0.54, 0.66))
    box(left + wide / 2 - 0.8, top, left + wide / 2 + 0.8, top + tall, (0.94, 0.92, 0.87))
    box(left, top + tall / 2 - 0.8, left + wide, top + tall / 2 + 0.8, (0.94, 0.92, 0.87))
    box(left - 4, top + tall + 2, left + wide + 4, top + tall + 4, (0.70, 0.67, 0.62))


def paint_tree(canvas: np.ndarray, rng: np.random.Generator, foot: Point, size: float, colour: Colour) -> None:
    """Paint a broad-leaved tree `size` pixels tall: the trunk, then the leaves from shaded to sunlit."""
    x, y = foot
    paint_shadow(canvas, (x - 0.15 * size, y), (0.42 * size, 0.075 * size), 0.8)
    wide = 0.035 * size
    fill(
        canvas,
        [(x - wide * 1.4, y), (x - wide, y - 0.45 * size), (x + wide, y - 0.45 * size), (x + wide * 1.5, y)],
        (0.24, 0.18, 0.13),
    )
    fill(
        canvas,
        [(x + wide * 0.2, y), (x + wide * 0.3, y - 0.45 * size), (x + wide, y - 0.45 * size), (x + wide * 1.5, y)],
        (0.40, 0.31, 0.22),
    )
    # Clumps of leaves scattered at random over an oval crown.
    leaves = []
    for turn in np.arange(15) * 2.4 + rng.uniform(0, 6):
        out = np.sqrt(rng.uniform(0.05, 1))
        right, up = 0.27 * out * np.cos(turn), -0.64 + 0.25 * out * np.sin(turn)
        radius = rng.uniform(0.09, 0.16)
        for _ in range(430):
            angle, far = rng.uniform(0, 2 * np.pi), radius * np.sqrt(rng.uniform())
            at = (x + size * (right + far * np.cos(angle)), y + size * (up + 0.85 * far * np.sin(angle)))
            # The sun is at the upper right.
            facing = (far / radius) * np.cos(angle + np.pi / 4) + 0.7 * right - 0.5 * (up + 0.66)
            leaves.append((facing + rng.normal(0, 0.35), at))
    for light, at in sorted(leaves):
        tone = np.clip(0.78 + 0.42 * light, 0.30, 1.55)
        turn, length = rng.uniform(0, 180), rng.uniform(1.0, 2.3) * size / 150
        axes = (max(1, round(length * FINER)), max(1, round(0.55 * length * FINER)))
        centre = (round(at[0] * FINER), round(at[1] * FINER))
        cv2.ellipse(canvas, centre, axes, turn, 0, 360, tuple((np.asarray(colour) * tone).tolist()), -1)


def paint_fir(canvas: np.ndarray, rng: np.random.Generator, foot: Point, size: float) -> None:
    """Paint a conifer `size` pixels tall: twigs along the stem from the foot to the tip."""
    x, y = foot
    paint_shadow(canvas, (x - 0.1 * size, y), (0.28 * size, 0.045 * size), 0.7)
    fill(canvas, [(x - 0.02 * size, y), (x, y - size), (x + 0.02 * size, y)], (0.20, 0.15, 0.11))
    for up in np.sort(rng.uniform(0.07, 1.0, 1500)):
        reach = rng.uniform(-1, 1) * 0.21 * size * (1 - up) * (0.72 + 0.28 * np.cos(up * 55))
        tone = np.clip(0.85 + 1.9 * reach / size + rng.normal(0, 0.22), 0.4, 1.7)
        start, droop = y - up * size, 0.30 * abs(reach) + 0.016 * size
        twig = [(x + 0.4 * reach, start), (x + reach, start + droop), (x + 0.7 * reach, start + 0.5 * droop + 1.6)]
        fill(canvas, twig, np.array((0.13, 0.27, 0.18)) * tone)


def paint_fence(canvas: np.ndarray) -> None:
    """Paint a fence of pickets with rails behind them, nearer towards the right, with a gap for the path."""
    left = -6.0
    while left < COLUMNS:
        near = left / COLUMNS
        tall, wide, foot = 34 + 34 * near, 4.2 + 4.0 * near, 366 + 44 * near
        step = wide * 1.9
        if not 226 < left + wide < 316:
            for up in (0.32, 0.72):
                fill(
                    canvas,
                    [
                        (left - 1, foot - up * tall),
                        (left + step, foot - up * tall),
                        (left + step, foot - (up - 0.08) * tall),
                        (left - 1, foot - (up - 0.08) * tall),
                    ],
                    (0.62, 0.60, 0.57),
                )
            fill(
                canvas,
                [(left - wide * 1.3, foot + 3), (left, foot), (left + wide, foot), (left - wide * 0.2, foot + 4)],
                (0.13, 0.18, 0.09),
            )
            fill(
                canvas,
                [
                    (left, foot),
                    (left, foot - tall * 0.88),
                    (left + wide / 2, foot - tall),
                    (left + wide, foot - tall * 0.88),
                    (left + wide, foot),
                ],
                (0.93, 0.91, 0.87),
            )
            fill(
                canvas,
                [
                    (left, foot),
                    (left, foot - tall * 0.88),
                    (left + wide * 0.25, foot - tall * 0.94),
                    (left + wide * 0.25, foot),
                ],
                (0.66, 0.66, 0.67),
            )
        left += step


def expose(rng: np.random.Generator, painted: np.ndarray) -> np.ndarray:
    """Return the painting as seen by a slightly defocused camera, with photon noise and uniform read noise."""
    seen = cv2.GaussianBlur(painted, (0, 0), 0.6 * FINER)
    seen = cv2.resize(seen, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA).astype(np.float64)
    light = np.clip(seen, 0, 1) ** 2.2
    light = light + rng.normal(0, 1, light.shape) * np.sqrt(0.00026 * light + 0.000003)
    return np.rint(255 * np.clip(light, 0, 1) ** (1 / 2.2)).astype(np.uint8)


def draw_scene(seed: int = 1855) -> np.ndarray:
    """Return the painted landscape, shape (432, 576, 3), uint8, in the order blue, green, red of OpenCV."""
    rng = np.random.default_rng(seed)
    canvas = np.zeros((ROWS * FINER, COLUMNS * FINER, 3), np.float32)
    row, column = np.indices(canvas.shape[:2], np.float32) / FINER
    paint_sky(canvas, rng, row, column)
    paint_ridges(canvas, rng, row, column)
    paint_meadow(canvas, rng, row, column)
    paint_path(canvas, rng, row, column)
    for foot, size in (((30, 302), 96), ((62, 306), 120), ((8, 312), 130), ((318, 296), 70), ((344, 299), 88)):
        paint_fir(canvas, rng, foot, size)
    paint_house(canvas, rng)
    paint_tree(canvas, rng, (398, 312), 92, (0.42, 0.50, 0.16))
    paint_tree(canvas, rng, (496, 344), 178, (0.30, 0.46, 0.15))
    paint_tree(canvas, rng, (296, 318), 62, (0.60, 0.42, 0.14))
    paint_fence(canvas)
    return expose(rng, canvas)[:, :, ::-1]
