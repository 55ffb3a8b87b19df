"""NovelAI's texts, in the file and hidden in the pixels."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import pytest
from PIL import Image

from imagegen_desktop.domain.errors import NotFound
from imagegen_desktop.imaging.decode import Decoder
from imagegen_desktop.imaging.encode import encode_png
from imagegen_desktop.imaging.findings import FoundSettings
from imagegen_desktop.imaging.metadata import read_settings
from imagegen_desktop.imaging.picture import Picture

Read = Callable[..., FoundSettings]

NOVEL = {
    "prompt": "a fox",
    "uc": "fog",
    "steps": 28,
    "scale": 5,
    "seed": 9,
    "sampler": "k_euler_ancestral",
    "noise_schedule": "native",
    "width": 832,
    "height": 1216,
    "sm": True,
    "strength": 0.7,
    "request_type": "PromptGenerateRequest",
}
FOX = {
    "prompt": "a fox",
    "negative_prompt": "fog",
    "steps": 28,
    "guidance": 5.0,
    "seed": 9,
    "width": 832,
    "height": 1216,
    "scheduler": "native",
    "sampler": "Euler a",
    "model": "NovelAI Diffusion V3",
}


def test_novelai(read: Read) -> None:
    found = read(Software="NovelAI", Source="NovelAI Diffusion V3", Description="a fox", Comment=json.dumps(NOVEL))
    assert (found.source, found.request, found.ignored) == ("novelai", FOX, ("sm",))


@pytest.mark.parametrize("where", ["alpha", "rgb"])
@pytest.mark.parametrize("packed", [True, False])
def test_settings_hidden_in_the_pixels(decoder: Decoder, where: str, packed: bool) -> None:
    import gzip

    text = json.dumps(
        {"Software": "NovelAI", "Source": "NovelAI Diffusion V3", "Description": "a fox", "Comment": json.dumps(NOVEL)}
    )
    data = gzip.compress(text.encode()) if packed else text.encode()
    signature = f"stealth_{'png' if where == 'alpha' else 'rgb'}{'comp' if packed else 'info'}"
    message = signature.encode() + (len(data) * 8).to_bytes(4, "big") + data
    bits = [byte >> shift & 1 for byte in message for shift in range(7, -1, -1)]
    per_pixel = 1 if where == "alpha" else 3
    image = Image.new("RGBA", (96, 64), (100, 100, 100, 254))
    for start in range(0, len(bits), per_pixel):
        x, y = divmod(start // per_pixel, image.height)
        hidden = bits[start : start + per_pixel]
        if where == "alpha":
            image.putpixel((x, y), (100, 100, 100, 254 | hidden[0]))
        else:
            image.putpixel((x, y), (*(100 | bit for bit in hidden), *(100,) * (3 - len(hidden)), 255))
    out = io.BytesIO()
    (image if where == "alpha" else image.convert("RGB")).save(out, "PNG")
    found = read_settings(out.getvalue(), decoder)
    assert (found.source, found.request) == ("novelai", FOX)
    with pytest.raises(NotFound):
        read_settings(out.getvalue())
    with pytest.raises(NotFound):
        read_settings(encode_png(Picture(width=2, height=2, rgb=bytes(12))), decoder)
