"""A picture made larger for outpainting: the old pixels untouched, the new ones of its own colours, masked."""

from __future__ import annotations

from PIL import Image

from imagegen_desktop.imaging.extend import Border, extended, extension_mask
from imagegen_desktop.imaging.picture import Picture, to_pillow

WIDTH, HEIGHT = 160, 128
BORDER = Border(64, 0, 32, 16)


def photo() -> Picture:
    image = Image.new("RGB", (WIDTH, HEIGHT), (40, 90, 200))
    image.paste((30, 160, 60), (0, HEIGHT // 2, WIDTH, HEIGHT))
    return Picture(width=WIDTH, height=HEIGHT, rgb=image.tobytes())


def test_old_pixels_stay_and_new_ones_go_on_with_the_edge() -> None:
    larger = to_pillow(extended(photo(), BORDER))
    assert larger.size == (WIDTH + 96, HEIGHT + 16)
    assert larger.crop((64, 0, 64 + WIDTH, HEIGHT)).tobytes() == photo().rgb
    for place, colour in (((10, 20), (40, 90, 200)), ((WIDTH + 90, 100), (30, 160, 60)), ((5, 140), (30, 160, 60))):
        seen = larger.resize((1, 1), Image.Resampling.BOX, box=(*place, place[0] + 4, place[1] + 4)).getpixel((0, 0))
        assert all(abs(a - b) < 20 for a, b in zip(seen, colour, strict=True)), (place, seen)
    assert extended(photo(), BORDER) == extended(photo(), BORDER)


def test_the_mask_is_the_new_part_with_a_soft_edge_inside() -> None:
    mask = Image.frombytes("L", (WIDTH + 96, HEIGHT + 16), extension_mask(WIDTH, HEIGHT, BORDER))
    assert [mask.getpixel(place) for place in ((0, 0), (63, 100), (64 + WIDTH, 5), (100, HEIGHT))] == [255] * 4
    row = [mask.getpixel((64 + x, 40)) for x in range(48)]
    assert row == sorted(row, reverse=True)
    assert row[-1] == 0
    assert any(0 < level < 255 for level in row)
    assert mask.getpixel((64 + WIDTH // 2, 0)) == 0


def test_what_had_been_painted_stays_painted() -> None:
    painted = Image.new("L", (WIDTH, HEIGHT), 0)
    painted.paste(255, (80, 40, 100, 60))
    mask = extension_mask(WIDTH, HEIGHT, BORDER, painted.tobytes())
    joined = Image.frombytes("L", (WIDTH + 96, HEIGHT + 16), mask)
    assert [joined.getpixel((64 + 90, 50)), joined.getpixel((64 + 70, 50)), joined.getpixel((0, 50))] == [255, 0, 255]
