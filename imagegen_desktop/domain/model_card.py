"""ModelCard: what the library knows about a model file or folder without loading a tensor."""

from __future__ import annotations

from dataclasses import dataclass, field

from .families import FAMILIES, Family

MODEL = "model"
LORA, EMBEDDING, CONTROLNET, VAE = "lora", "embedding", "controlnet", "vae"
UPSCALER, IP_ADAPTER, PREVIEW_DECODER = "upscaler", "ip-adapter", "taesd"
#: What an IP-Adapter looks through.
IMAGE_ENCODER = "image-encoder"
DEPTH_ESTIMATOR, POSE_ESTIMATOR, PERSON_DETECTOR = "depth-estimator", "pose-estimator", "person-detector"

#: The kinds of networks a preparation of a ControlNet's picture is made by; the other preparations need none.
PREPARED_BY = {"depth": (DEPTH_ESTIMATOR,), "pose": (PERSON_DETECTOR, POSE_ESTIMATOR)}

#: What is put to use together with a model.
EXTRAS = (
    LORA, EMBEDDING, CONTROLNET, VAE, UPSCALER, IP_ADAPTER, IMAGE_ENCODER, PREVIEW_DECODER,
    DEPTH_ESTIMATOR, POSE_ESTIMATOR, PERSON_DETECTOR,
)  # fmt: skip

#: The variant that predicts velocity, not noise: a single file does not bring the scheduler that would say so.
V_PREDICTION = "v-prediction"

FOLDER, SAFETENSORS, GGUF, PICKLE = "folder", "safetensors", "gguf", "pickle"


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """Width, height, steps and guidance are the model's own; the family's where the model says nothing, 0 for extras.

    `kind` is MODEL or one of EXTRAS; `family` the base family (of an extra: the one it fits, "" for any).
    `variants` say what is special ("inpaint", "turbo", "refiner" …). `kit` is the folder with configs and tokenizers
    that a single file needs, `lacks` the parts of a whole model that are not in the file and come from the kit as well;
    `missing` one line about what is not on this computer, without which it cannot be used.
    `vocabulary` holds the words that mean something to a model which knows only a few, and is empty for all others.
    `about` is the model card in the folder, or what a file's metadata say, as text; `sampler` the scheduler class the
    folder names, for people.
    `rank` and `triggers` are a LoRA's; `triggers` an embedding's token as well. `features` are what an image encoder
    tells of a picture ("projection 1024", "hidden 1280": which layer, and its width), and the one an IP-Adapter reads;
    its `kit` is the encoder.
    """

    name: str
    path: str
    family: str
    size_bytes: int
    kind: str = MODEL
    format: str = FOLDER
    variants: tuple[str, ...] = ()
    kit: str = ""
    lacks: tuple[str, ...] = ()
    missing: str = ""
    width: int = 0
    height: int = 0
    steps: int = 0
    guidance: float = 0.0
    sampler: str = ""
    title: str = ""
    summary: str = ""
    licence: str = ""
    examples: tuple[str, ...] = ()
    vocabulary: frozenset[str] = field(default_factory=frozenset)
    about: str = field(default="", repr=False)
    built_in: bool = False
    rank: int = 0
    triggers: tuple[str, ...] = ()
    features: tuple[str, ...] = ()

    @property
    def traits(self) -> Family:
        """What the family can do and prefers; only models have one."""
        return FAMILIES[self.family]
