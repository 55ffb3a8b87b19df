"""The composition root: builds every part once and joins them. The only place that knows which is which."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..credentials import KeyStore
from ..database.connection import Library, open_library
from ..database.facts import library_id
from ..database.images import Images
from ..database.jobs import Jobs
from ..database.paid_calls import PaidCalls
from ..database.styles import Styles as OwnStyles
from ..database.thumbnails import Thumbnails
from ..imaging.decode import Decoder
from ..paths import Home, resources
from ..protocol.messages import Start
from ..providers.base import Provider
from ..providers.cloud import Surroundings
from ..providers.engine_process import EngineProcess
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
from .driving import Driver
from .enhance import Enhancer
from .forecast import Forecast
from .gallery import Gallery
from .holds import Holds
from .housekeeping import Housekeeping
from .kits import KitFetcher
from .ledger import PARTIAL_IMAGES, Ledger
from .model_bin import ModelBin
from .model_library import ModelLibrary
from .owners import process_owner
from .paid import PaidWork
from .provider_health import ProviderDesk
from .queue import Queue
from .reading import Reader
from .runner import Runner
from .saver import Saver
from .sheets import Sheets
from .snapshots import Snapshots
from .sources import Sources
from .starts import Starts
from .styles import Styles
from .undo import Undo

if TYPE_CHECKING:
    from ..providers.hub import Hub

_CAREFUL = "The program ended twice right after its start, so the queue waits."

#: How long a job may take to reach its next step boundary and write its snapshot when we close.
_PAUSING_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything a face needs; `begin` puts right what earlier processes left behind (run it
    off the window's thread, before the first job); `close` ends it all, waiting for what is being saved."""

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
    sheets: Sheets
    runner: Runner
    gallery: Gallery
    forecast: Forecast
    housekeeping: Housekeeping
    undo: Undo
    keys: KeyStore
    desk: ProviderDesk
    enhancer: Enhancer
    ledger: Ledger
    holds: Holds
    engine: EngineProcess
    providers: Mapping[str, Provider]
    begin: Callable[[], None]
    close: Callable[[], None]


@dataclass(frozen=True)
class _Ground:
    """What the services stand on."""

    library: Library
    thumbnails: Thumbnails
    storage: LocalStorage
    announce: Announcer


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
    process = _engine(home, settings, announce, engine_command)
    if engine and providers is None:
        process.start()
    local = LocalProvider(process, snapshots.place, lambda: settings.number("snapshot_seconds") or EVERY_STEP)
    surroundings = _surroundings(settings, keys)
    makers = dict(providers or {"local": local, **cloud_providers(surroundings)})
    library = open_library(home.database, home.backups)
    ground = _Ground(
        library=library,
        thumbnails=Thumbnails(home.thumbnails, library_id(library)),
        storage=LocalStorage(home.root),
        announce=announce,
    )
    return _joined(
        home,
        settings,
        keys,
        ground,
        snapshots,
        process,
        makers,
        PromptWriter(surroundings),
        owner or functools.cache(process_owner),
    )


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


def _downloads(
    home: Home,
    settings: Settings,
    hub: Callable[[], Hub],
    engine: EngineProcess,
    models: ModelLibrary,
    announce: Announcer,
) -> ModelDownloads:
    def has_gpu() -> bool:
        known = engine.status().device or settings.text("device")
        return not known.startswith("cpu") if known != "auto" else shutil.which("nvidia-smi") is not None

    return ModelDownloads(hub, home.models, announce, models.refresh, has_gpu)


def _engine(home: Home, settings: Settings, announce: Announcer, command: list[str] | None) -> EngineProcess:
    start = Start(
        device=settings.text("device"),
        threads=int(settings.number("threads")),
        snapshots=str(home.snapshots),
        preview_every=int(settings.number("preview_every")),
        memory=settings.text("memory"),
    )
    process = EngineProcess(start, command)
    process.on_status = lambda status: announce.publish(EngineChanged(status=status))
    return process


def _begin(
    starts: Starts,
    queue: Queue,
    announce: Announcer,
    runner: Runner,
    housekeeping: Housekeeping,
    downloads: ModelDownloads,
) -> None:
    if starts.begin():
        queue.pause_all()
        announce.publish(Notice(level="warning", text=_CAREFUL, advice="Resume the queue when you are ready."))
    runner.recover()
    housekeeping.tidy(datetime.now(UTC))
    downloads.begin()


def _joined(
    home: Home,
    settings: Settings,
    keys: KeyStore,
    ground: _Ground,
    snapshots: Snapshots,
    engine: EngineProcess,
    providers: dict[str, Provider],
    writer: PromptWriter,
    owner: Callable[[], str],
) -> Parts:
    library, announce = ground.library, ground.announce
    images, jobs = Images(library), Jobs(library)
    shipped = resources()
    undo = Undo(library, announce)
    styles = Styles(shipped / "styles", OwnStyles(library), announce)
    models = ModelLibrary(shipped / "models", home.models, settings)
    hub = functools.cache(lambda: _hub(_surroundings(settings, keys)))
    downloads = _downloads(home, settings, hub, engine, models, announce)
    wildcards = WildcardFiles(home.wildcards).tables
    composer = Composer(models, styles, providers, wildcards)
    forecast, decoder = Forecast(library), Decoder()
    sources = Sources(ground.storage, decoder)
    saver = Saver(ground.storage, images, ground.thumbnails, announce)
    queue = Queue(library, jobs, composer, forecast, undo, announce)
    ledger, holds = Ledger(PaidCalls(library), settings, providers), Holds(announce)
    paid = PaidWork(ledger, providers, home.root / "received", decoder, saver, images, announce)
    assigner = Assigner(models, sources, snapshots, composer, paid)
    answers = Answers(library, images)
    driver = Driver(
        owner, jobs, queue, assigner, saver, snapshots, forecast, announce, paid, holds, models, answers
    )  # fmt: skip
    runner = Runner(owner, library, jobs, queue, providers, driver, snapshots, announce, paid, holds)
    queue.interrupt, queue.work_added, queue.recall = runner.interrupt, runner.wake, paid.recall
    courtesy = Courtesy(settings, engine.unload, announce)
    housekeeping = Housekeeping(library, images, ground.storage, decoder, announce)
    starts = Starts(home.root / "starts.json")

    begin = functools.partial(_begin, starts, queue, announce, runner, housekeeping, downloads)

    def close() -> None:
        starts.proved()
        courtesy.close()
        downloads.close()
        runner.stop()
        runner.wait_until_idle(_PAUSING_SECONDS)
        for provider in providers.values():
            provider.close()
        engine.close()
        runner.wait_until_idle()
        saver.close()
        decoder.close()
        ground.thumbnails.close()
        library.close()

    return Parts(
        home=home,
        announce=announce,
        settings=settings,
        styles=styles,
        models=models,
        downloads=downloads,
        kits=KitFetcher(
            hub, home.models, shipped / "configs", shipped / "models" / "kits.toml", announce, models.refresh
        ),
        model_bin=ModelBin(home.root, models, undo, announce),
        compose=composer,
        reader=Reader(composer, models, providers.__getitem__, wildcards),
        sources=sources,
        draft=Draft(library, sources, undo, announce),
        queue=queue,
        sheets=Sheets(queue, composer),
        runner=runner,
        gallery=Gallery(images, ground.thumbnails, ground.storage, decoder, undo, announce),
        forecast=forecast,
        housekeeping=housekeeping,
        undo=undo,
        keys=keys,
        desk=ProviderDesk(providers, keys, holds, ledger, announce),
        enhancer=Enhancer(writer, settings, styles, models, providers, ledger),
        ledger=ledger,
        holds=holds,
        engine=engine,
        providers=providers,
        begin=begin,
        close=close,
    )
