"""The gallery: finished images found, shown, rated, tagged, binned and brought back."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from ..database.images import Images
from ..database.jobs import stamp
from ..database.selection import EVERYTHING, ImageFilter
from ..database.thumbnails import Thumbnails
from ..domain.checks import check_whole
from ..domain.errors import DiskProblem, NotFound, Problem
from ..domain.image import GeneratedImage
from ..imaging.decode import Decoder
from ..imaging.findings import FoundSettings
from ..imaging.thumbnails import thumbnail_of_file
from ..storage.local import LocalStorage
from .announce import Announcer, ImagesChanged
from .exchange import settings_of
from .undo import Act, Deed, Undo


class Gallery:
    """Images by number (newest first) for views, by ID for everything else."""

    def __init__(
        self,
        images: Images,
        thumbnails: Thumbnails,
        storage: LocalStorage,
        decoder: Decoder,
        undo: Undo,
        announce: Announcer,
    ) -> None:
        self._images = images
        self._thumbnails = thumbnails
        self._storage = storage
        self._decoder = decoder
        self._undo = undo
        self._announce = announce
        for name, act in (("rate", self._rate), ("tag", self._tag), ("bin", self._bin), ("restore", self.restore)):
            undo.register(name, act)

    def count(self, query: str = "", filters: ImageFilter = EVERYTHING) -> int:
        return self._images.count(query, filters)

    def numbers(self, query: str = "", filters: ImageFilter = EVERYTHING) -> array[int]:
        return self._images.numbers(query, filters)

    def rows(self, numbers: Sequence[int]) -> list[GeneratedImage]:
        return list(self._images.rows(numbers))

    def page(self, after: int | None = None, limit: int = 100, query: str = "") -> list[GeneratedImage]:
        """The newest images older than number `after`, at most `limit`."""
        check_whole("limit", limit, 1, 1_000_000)
        return list(self._images.page(after, limit, query))

    def get(self, image: str) -> GeneratedImage:
        return self._images.get(image)

    def file(self, image: GeneratedImage) -> Path:
        return self._storage.locate(image.path)

    def thumbnail(self, number: int) -> bytes | None:
        """An encoded picture of at most 256 pixels a side; None when the image cannot be read any more."""
        kept = self._thumbnails.get_many([number]).get(number)
        return kept if kept is not None else self._new_thumbnail(number)

    def settings_of(self, file: Path) -> FoundSettings:
        """The settings inside an image of ours or of another program; raises NotFound when there are none."""
        return settings_of(file)

    def notes(self, image: GeneratedImage) -> tuple[str, ...]:
        """What the file itself says for people: what was changed of the request, what a provider made of the prompt."""
        try:
            recipe = settings_of(self.file(image)).recipe
        except Problem:
            return ()
        return recipe.notes if recipe is not None else ()

    def rate(self, ids: Sequence[str], rating: int) -> None:
        check_whole("rating", rating, 0, 5)
        before = {image: self._images.get(image).rating for image in ids}
        after = dict.fromkeys(ids, rating)
        label = "Rate 1 image" if len(ids) == 1 else f"Rate {len(ids)} images"
        self._undo.do(Deed(label, Act("rate", [before]), Act("rate", [after])))

    def tag(self, ids: Sequence[str], add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        tagged, untagged = [list(ids), list(add), list(remove)], [list(ids), list(remove), list(add)]
        label = "Tag 1 image" if len(ids) == 1 else f"Tag {len(ids)} images"
        self._undo.do(Deed(label, Act("tag", untagged), Act("tag", tagged)))

    def delete(self, ids: Sequence[str]) -> None:
        """Puts images into the bin, where they stay until the artist empties it."""
        label = "Delete 1 image" if len(ids) == 1 else f"Delete {len(ids)} images"
        self._undo.do(Deed(label, Act("restore", [list(ids)]), Act("bin", [list(ids)])))

    def restore(self, ids: Sequence[str]) -> None:
        """Brings images back from the bin; raises NotFound."""
        for image in (self._images.get(image) for image in ids):
            if image.deleted and not self.file(image).exists():
                with suppress(NotFound):  # it was gone before it was deleted: back as the missing image it was
                    self._storage.restore_from_bin(image.path)
        self._images.restore(ids)
        self._say(added=ids)

    def _bin(self, ids: Sequence[str]) -> None:
        images = [self._images.get(image) for image in ids]
        self._images.bin(ids, stamp(datetime.now(UTC)))
        for image in images:
            if not image.deleted and self.file(image).exists():
                with suppress(DiskProblem):  # the row decides; on a full disk the file stays where it is
                    self._storage.move_to_bin(image.path)
        self._say(removed=ids)

    def _rate(self, ratings: dict[str, int]) -> None:
        for image, rating in ratings.items():
            self._images.rate([image], rating)
        self._say(changed=list(ratings))

    def _tag(self, ids: Sequence[str], add: Sequence[str], remove: Sequence[str]) -> None:
        self._images.tag(ids, add, remove)
        self._say(changed=ids)

    def _new_thumbnail(self, number: int) -> bytes | None:
        found = self._images.rows([number])
        if not found:
            return None
        try:
            data = thumbnail_of_file(self.file(found[0]), self._decoder)
        except Problem:
            return None
        self._thumbnails.put(number, data)
        return data

    def _say(self, added: Sequence[str] = (), changed: Sequence[str] = (), removed: Sequence[str] = ()) -> None:
        self._announce.publish(ImagesChanged(added=tuple(added), changed=tuple(changed), removed=tuple(removed)))
