"""Pictures jobs start from: decoded once in a throw-away worker, kept by us, brought to a job's size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..domain.errors import BadInput, DiskProblem
from ..domain.request import GenerationRequest, SourceImage
from ..imaging.decode import Decoder
from ..imaging.encode import encode_png
from ..imaging.picture import Picture, fit
from ..storage.local import LocalStorage


class Sources:
    """Source images and masks, content-addressed below the home's `inputs/`; a job never loses its own."""

    def __init__(self, storage: LocalStorage, decoder: Decoder) -> None:
        self._storage = storage
        self._decoder = decoder

    def keep(self, image: Path | bytes, name: str = "") -> SourceImage:
        """Decodes and keeps a picture; raises BadInput for what is none, DiskProblem when it cannot be kept."""
        picture = self._decoder.decode(image, name=name)
        return self.keep_picture(picture, name or (image.name if isinstance(image, Path) else ""))

    def keep_picture(self, picture: Picture, name: str = "") -> SourceImage:
        data = encode_png(picture)
        kept = self._storage.keep_source(data)
        return SourceImage(sha256=kept.sha256, width=picture.width, height=picture.height, name=name[:200])

    def file(self, source: SourceImage) -> Path:
        return self._storage.source_path(source.sha256)

    def pixels(self, source: SourceImage, request: GenerationRequest) -> bytes:
        """RGB rows of exactly the request's size, cropped to its proportions when they differ."""
        return self._fitted(source, request).rgb

    def mask(self, source: SourceImage, request: GenerationRequest) -> bytes:
        """One byte a pixel, 255 where to paint: the mask's brightness."""
        rgb = self._fitted(source, request).rgb
        return bytes(
            (299 * r + 587 * g + 114 * b) // 1000 for r, g, b in zip(rgb[::3], rgb[1::3], rgb[2::3], strict=True)
        )

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
        path = self.file(source)
        if not path.exists():
            raise DiskProblem(f"The picture this job starts from is gone: {path}.", "Start it again from the picture.")
        if request.width is None or request.height is None:
            raise BadInput("size", None, "a completed request has one")
        return fit(self._decoder.decode(path), request.width, request.height, "cover")
