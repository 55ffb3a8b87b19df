"""The composition root: builds every part once and joins them. The only place that knows which is which."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..credentials import KeyStore
from ..database.connection import Library
from ..database.facts import library_id
from ..database.images import Images
from ..database.jobs import Jobs
from ..database.paid_calls import PaidCalls
from ..database.styles import Styles as OwnStyles
from ..database.thumbnails import Thumbnails
from ..domain import devices
from ..domain.job import Job
from ..imaging.decode import Decoder
from ..paths import Home, resources
from ..protocol.messages import Start
from ..providers.base import Provider
from ..providers.cloud import Surroundings
from ..providers.engines import Engines
from ..providers.local import EVERY_STEP, LocalProvider
from ..providers.prompt_writer import PromptWriter
from ..providers.registry import ENDPOINT_VARIABLES, cloud_providers
from ..settings import Settings
from ..storage.local import LocalStorage
from ..storage.wildcard_files import WildcardFiles
from .announce import Announcer, EngineChanged, Notice, SettingsChanged
from .answers import Answers
from .assign import Assigner
from .compose import Composer
from .courtesy import Courtesy
from .downloads import ModelDownloads
from .draft import Draft
from .driving import Driver, Keeping, Learning
from .enhance import Enhancer
from .forecast import Forecast
from .gallery import Gallery
from .holds import Holds
from .housekeeping import Housekeeping
from .kits import KitFetcher
from .ledger import PARTIAL_IMAGES, Ledger
from .model_bin import ModelBin
from .model_library import ModelLibrary
from .neighbours import Neighbours
from .owners import process_owner
from .paid import PaidWork
from .provider_health import ProviderDesk
from .putting_right import PuttingRight
from .queue import Queue
from .queue_edits import QueueEdits
from .reading import Reader
from .recovery import Recovery
from .reserve import open_with_reserve
from .runner import Runner
from .saver import Saver
from .sheets import Sheets
from .snapshots import Snapshots
from .sources import Sources
from .starts import Starts
from .styles import Styles
from .underway import Underway
from .undo import Undo

if TYPE_CHECKING:
    from ..providers.hub import Hub

_CAREFUL = "The program ended twice right after its start, so the queue waits."

#: How long a job may take to reach its next step boundary and write its snapshot when we close.
_PAUSING_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything a face needs. `begin` puts right what earlier processes left behind (run it off the window's thread,
    before the first job; who does not calls `putting_right.finish` and `recover`); `close` ends it all, waiting for
    what is being saved."""

    home: Home
    announce: Announcer
    settings: Settings
    styles: Styles
    models: ModelLibrary
    downloads: ModelDownloads
    kits: KitFetcher
    model_bin: ModelBin
    compose: Composer
    reader: Reader
    sources: Sources
    draft: Draft
    queue: Queue
    queue_edits: QueueEdits
    sheets: Sheets
    runner: Runner
    gallery: Gallery
    forecast: Forecast
    housekeeping: Housekeeping
    putting_right: PuttingRight
    undo: Undo
    keys: KeyStore
    desk: ProviderDesk
    enhancer: Enhancer
    ledger: Ledger
    holds: Holds
    engines: Engines
    providers: Mapping[str, Provider]
    recover: Callable[[], list[Job]]
    begin: Callable[[], None]
    close: Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class _Ground:
    """What the services stand on. What has to be closed is put on `ending` where it is made; the last made is
    closed first."""

    home: Home
    settings: Settings
    keys: KeyStore
    surroundings: Surroundings
    announce: Announcer
    library: Library
    images: Images
    thumbnails: Thumbnails
    storage: LocalStorage
    keep_reserve: Callable[[], None]
    decoder: Decoder
    undo: Undo
    ending: ExitStack


@dataclass(frozen=True, kw_only=True)
class _ModelParts:
    """Which models there are, and how they come and go."""

    library: ModelLibrary
    downloads: ModelDownloads
    kits: KitFetcher
    bin: ModelBin


@dataclass(frozen=True, kw_only=True)
class _Work:
    """From a waiting job to a saved picture."""

    queue: Queue
    edits: QueueEdits
    sheets: Sheets
    runner: Runner
    recovery: Recovery
    forecast: Forecast
    ledger: Ledger
    holds: Holds


def assemble(
    home: Home,
    *,
    engine: bool = True,
    providers: Mapping[str, Provider] | None = None,
    engine_command: list[str] | None = None,
    owner: Callable[[], str] | None = None,
) -> Parts:
    """Opens a home and joins the parts. With `engine` the child is started at once, so that it is warm when
    the first job comes. Raises a Problem when the home cannot be used. Tests bring `providers` or an
    `engine_command` of their own."""
    home.prepare()
    announce = Announcer()
    settings = Settings(home.settings)
    keys = KeyStore(home.root / "keys.locked")
    settings.on_change = lambda name: announce.publish(SettingsChanged(names=(name,)))
    snapshots = Snapshots(home.snapshots)
    engines = _engines(home, settings, announce, engine_command)
    if engine and providers is None:
        engines.start()
    local = LocalProvider(engines, snapshots.place, lambda: settings.number("snapshot_seconds") or EVERY_STEP)
    surroundings = _surroundings(settings, keys)
    makers = dict(providers or {"local": local, **cloud_providers(surroundings)})
    ground = _ground(home, settings, keys, surroundings, announce)
    return _joined(ground, snapshots, engines, makers, owner or functools.cache(process_owner))


def _engines(home: Home, settings: Settings, announce: Announcer, command: list[str] | None) -> Engines:
    start = Start(
        threads=int(settings.number("threads")),
        snapshots=str(home.snapshots),
        preview_every=int(settings.number("preview_every")),
        memory=settings.text("memory"),
    )
    engines = Engines(start, devices.listed(settings.text("device")), command)
    engines.on_status = lambda status: announce.publish(EngineChanged(status=status))
    return engines


def _surroundings(settings: Settings, keys: KeyStore) -> Surroundings:
    return Surroundings(
        key=keys.get,
        endpoint=lambda name: os.environ.get(ENDPOINT_VARIABLES.get(name, ""), ""),
        silence_seconds=lambda: settings.number("cloud_timeout_seconds"),
        previews=lambda: PARTIAL_IMAGES if settings.number("preview_every") else 0,
    )


def _hub(surroundings: Surroundings) -> Hub:
    from ..providers.hub import Hub

    return Hub(surroundings)


def _ground(home: Home, settings: Settings, keys: KeyStore, surroundings: Surroundings, announce: Announcer) -> _Ground:
    ending = ExitStack()
    library, keep_reserve = open_with_reserve(home, announce)
    ending.callback(library.close)
    thumbnails = Thumbnails(home.thumbnails, library_id(library))
    ending.callback(thumbnails.close)
    decoder = Decoder()
    ending.callback(decoder.close)
    return _Ground(
        home=home,
        settings=settings,
        keys=keys,
        surroundings=surroundings,
        announce=announce,
        library=library,
        images=Images(library),
        thumbnails=thumbnails,
        storage=LocalStorage(home.root),
        keep_reserve=keep_reserve,
        decoder=decoder,
        undo=Undo(library, announce),
        ending=ending,
    )


def _model_parts(ground: _Ground, engines: Engines) -> _ModelParts:
    home, settings, announce = ground.home, ground.settings, ground.announce
    shipped = resources()
    models = ModelLibrary(shipped / "models", home.models, settings)
    hub = functools.cache(lambda: _hub(ground.surroundings))
    kits_table = shipped / "models" / "kits.toml"

    def has_gpu() -> bool:
        known = engines.first.status().device or settings.text("device")
        return not known.startswith("cpu") if known != "auto" else shutil.which("nvidia-smi") is not None

    return _ModelParts(
        library=models,
        downloads=ModelDownloads(hub, home.models, announce, models.refresh, has_gpu),
        kits=KitFetcher(hub, home.models, shipped / "configs", kits_table, announce, models.refresh),
        bin=ModelBin(home.root, models, ground.undo, announce),
    )


def _work(
    ground: _Ground,
    models: ModelLibrary,
    composer: Composer,
    sources: Sources,
    snapshots: Snapshots,
    providers: dict[str, Provider],
    owner: Callable[[], str],
) -> _Work:
    library, images, announce = ground.library, ground.images, ground.announce
    jobs, forecast, holds = Jobs(library), Forecast(library), Holds(announce)
    saver = Saver(ground.storage, images, ground.thumbnails, announce)
    ground.ending.callback(saver.close)
    ledger = Ledger(PaidCalls(library), ground.settings, providers)
    paid = PaidWork(ledger, providers, ground.home.root / "received", ground.decoder, saver, images, announce)
    queue = Queue(library, jobs, composer, paid, ground.undo, announce)
    assigner = Assigner(models, sources, snapshots, composer, paid)
    keeping = Keeping(saver=saver, snapshots=snapshots, paid=paid)
    learning = Learning(forecast=forecast, answers=Answers(library, images, models))
    driver = Driver(owner, jobs, assigner, keeping, learning, holds, announce)
    underway = Underway(owner, jobs, Neighbours(library, announce))
    runner = Runner(underway, jobs, queue, providers, driver, holds, announce)
    queue.interrupt, queue.work_added = underway.interrupt, runner.wake
    edits = QueueEdits(queue, jobs, composer, paid, ground.undo, announce)
    return _Work(
        queue=queue,
        edits=edits,
        sheets=Sheets(queue, composer, snapshots),
        runner=runner,
        recovery=Recovery(library, jobs, providers, paid, snapshots, announce),
        forecast=forecast,
        ledger=ledger,
        holds=holds,
    )


def _close_makers(runner: Runner, providers: Mapping[str, Provider], engines: Engines) -> None:
    """Ends what makes pictures: running jobs reach their next step boundary first and write their snapshots."""
    runner.stop()
    runner.wait_until_idle(_PAUSING_SECONDS)
    for provider in providers.values():
        provider.close()
    engines.close()
    runner.wait_until_idle()


def _arrange_end(
    ground: _Ground,
    work: _Work,
    models: _ModelParts,
    providers: Mapping[str, Provider],
    engines: Engines,
    starts: Starts,
) -> None:
    ground.ending.callback(_close_makers, work.runner, providers, engines)
    ground.ending.callback(models.downloads.close)
    ground.ending.callback(Courtesy(ground.settings, engines.unload, ground.announce).close)
    ground.ending.callback(starts.proved)


def _begin(
    ground: _Ground,
    starts: Starts,
    work: _Work,
    putting_right: PuttingRight,
    housekeeping: Housekeeping,
    downloads: ModelDownloads,
) -> None:
    if starts.begin():
        work.queue.pause_all()
        ground.announce.publish(Notice(level="warning", text=_CAREFUL, advice="Resume the queue when you are ready."))
    putting_right.finish()
    work.recovery.recover()
    housekeeping.tidy(datetime.now(UTC))
    ground.keep_reserve()
    downloads.begin()


def _order(ground: _Ground, providers: Mapping[str, Provider]) -> tuple[Housekeeping, PuttingRight]:
    housekeeping = Housekeeping(ground.library, ground.images, ground.storage, ground.decoder, ground.announce)

    def is_paid(name: str) -> bool:
        return name in providers and providers[name].capabilities().paid

    jobs = Jobs(ground.library)
    return housekeeping, PuttingRight(ground.library, ground.images, jobs, housekeeping, is_paid, ground.announce)


def _joined(
    ground: _Ground,
    snapshots: Snapshots,
    engines: Engines,
    providers: dict[str, Provider],
    owner: Callable[[], str],
) -> Parts:
    home, settings, announce, undo = ground.home, ground.settings, ground.announce, ground.undo
    styles = Styles(resources() / "styles", OwnStyles(ground.library), announce)
    models = _model_parts(ground, engines)
    wildcards = WildcardFiles(home.wildcards).tables
    composer = Composer(models.library, styles, providers, wildcards)
    sources = Sources(ground.storage, ground.decoder)
    work = _work(ground, models.library, composer, sources, snapshots, providers, owner)
    housekeeping, putting_right = _order(ground, providers)
    starts = Starts(home.root / "starts.json")
    _arrange_end(ground, work, models, providers, engines, starts)
    return Parts(
        home=home,
        announce=announce,
        settings=settings,
        styles=styles,
        models=models.library,
        downloads=models.downloads,
        kits=models.kits,
        model_bin=models.bin,
        compose=composer,
        reader=Reader(composer, models.library, providers.__getitem__, wildcards),
        sources=sources,
        draft=Draft(ground.library, sources, undo, announce),
        queue=work.queue,
        queue_edits=work.edits,
        sheets=work.sheets,
        runner=work.runner,
        gallery=Gallery(ground.images, ground.thumbnails, ground.storage, ground.decoder, undo, announce),
        forecast=work.forecast,
        housekeeping=housekeeping,
        putting_right=putting_right,
        undo=undo,
        keys=ground.keys,
        desk=ProviderDesk(providers, ground.keys, work.holds, work.ledger, announce),
        enhancer=Enhancer(PromptWriter(ground.surroundings), settings, styles, models.library, providers, work.ledger),
        ledger=work.ledger,
        holds=work.holds,
        engines=engines,
        providers=providers,
        recover=work.recovery.recover,
        begin=functools.partial(_begin, ground, starts, work, putting_right, housekeeping, models.downloads),
        close=ground.ending.close,
    )
