"""Pictures jobs start from: decoded once in a throw-away worker, kept by us, brought to a job's size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..domain.errors import BadInput, DiskProblem
from ..domain.outpainting import Sides
from ..domain.request import REFERENCE_SIDE, Control, GenerationRequest, SourceImage
from ..imaging.decode import Decoder
from ..imaging.encode import encode_grey, encode_png
from ..imaging.extend import Border, extended, extension_mask
from ..imaging.picture import Picture, brightness, fit
from ..imaging.preparations import prepare
from ..storage.local import LocalStorage

_LOOK_SIDE = 384


class Sources:
    """Source images and masks, content-addressed below the home's `inputs/`; a job never loses its own."""

    def __init__(self, storage: LocalStorage, decoder: Decoder) -> None:
        self._storage = storage
        self._decoder = decoder

    def keep(self, image: Path | bytes, name: str = "", origin: str = "") -> SourceImage:
        """Decodes and keeps a picture; raises BadInput for what is none, DiskProblem when it cannot be kept.
        `origin` is its ID where it is one of the library's."""
        picture = self._decoder.decode(image, name=name)
        return self.keep_picture(picture, name or (image.name if isinstance(image, Path) else ""), origin)

    def keep_picture(self, picture: Picture, name: str = "", origin: str = "") -> SourceImage:
        return self.keep_png(encode_png(picture), picture.width, picture.height, name, origin)

    def keep_png(self, data: bytes, width: int, height: int, name: str = "", origin: str = "") -> SourceImage:
        """Keeps a PNG that this program made."""
        kept = self._storage.keep_source(data)
        return SourceImage(sha256=kept.sha256, width=width, height=height, name=name[:200], origin=origin)

    def extend(
        self, image: SourceImage, sides: Sides, mask: SourceImage | None = None
    ) -> tuple[SourceImage, SourceImage]:
        """A larger picture with what is new filled in, and the mask of what is new (with `mask`, that too)."""
        picture = self._decoder.decode(self.file(image))
        border = Border(sides.left, sides.top, sides.right, sides.bottom)
        painted = None
        if mask is not None:
            painted = brightness(fit(self._decoder.decode(self.file(mask)), picture.width, picture.height))
        larger = self.keep_picture(extended(picture, border), image.name, image.origin)
        levels = extension_mask(picture.width, picture.height, border, painted)
        return larger, self.keep_png(encode_grey(larger.width, larger.height, levels), larger.width, larger.height)

    def file(self, source: SourceImage) -> Path:
        return self._storage.source_path(source.sha256)

    def pixels(self, source: SourceImage, request: GenerationRequest) -> bytes:
        """RGB rows of exactly the request's size, cropped to its proportions when they differ."""
        return self._fitted(source, request).rgb

    def whole(self, source: SourceImage) -> bytes:
        """RGB rows at its own size."""
        return self._decoded(source).rgb

    def square(self, source: SourceImage) -> bytes:
        """RGB rows of the square in its middle, as an IP-Adapter is shown it."""
        return fit(self._decoded(source), REFERENCE_SIDE, REFERENCE_SIDE).rgb

    def mask(self, source: SourceImage, request: GenerationRequest) -> bytes:
        """One byte a pixel, 255 where to paint: the mask's brightness."""
        return brightness(self._fitted(source, request))

    def prepared(self, control: Control, request: GenerationRequest) -> Picture:
        """What a ControlNet is shown: the picture at exactly the request's size, prepared."""
        return prepare(self._fitted(control.image, request), control.preparation)

    def look(self, source: SourceImage, preparation: str) -> Picture:
        """A small look at what a ControlNet would be shown."""
        picture = self._decoder.decode(self.file(source))
        scale = min(1.0, _LOOK_SIDE / max(picture.width, picture.height))
        sides = [max(1, round(side * scale)) for side in (picture.width, picture.height)]
        return prepare(fit(picture, sides[0], sides[1]), preparation)

    def image_file(self, source: SourceImage, request: GenerationRequest) -> bytes:
        """A PNG of exactly the request's size."""
        return encode_png(self._fitted(source, request))

    def mask_file(self, source: SourceImage, request: GenerationRequest) -> bytes:
        """The mask as a PNG of exactly the request's size, white where to paint."""
        return encode_png(self._fitted(source, request))

    def cutout_file(self, image: SourceImage, mask: SourceImage, request: GenerationRequest) -> bytes:
        """The image as a PNG that is transparent where to paint."""
        whole = self._fitted(image, request)
        paint = self.mask(mask, request)
        return encode_png(replace(whole, alpha=bytes(255 - level for level in paint)))

    def _fitted(self, source: SourceImage, request: GenerationRequest) -> Picture:
        if request.width is None or request.height is None:
            raise BadInput("size", None, "a completed request has one")
        return fit(self._decoded(source), request.width, request.height, "cover")

    def _decoded(self, source: SourceImage) -> Picture:
        path = self.file(source)
        if not path.exists():
            raise DiskProblem(f"The picture this job starts from is gone: {path}.", "Start it again from the picture.")
        return self._decoder.decode(path)
