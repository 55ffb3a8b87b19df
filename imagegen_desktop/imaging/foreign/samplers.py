"""The many names of samplers and schedules, and which of ours each of them is or comes nearest to."""

from __future__ import annotations

from ...domain.families import DIFFUSION_SAMPLERS
from ..findings import Findings

#: Other programs' names, without case, spaces and punctuation, and ours.
SAME = {
    "euler": "Euler", "eulera": "Euler a", "eulerancestral": "Euler a", "dpm++2m": "DPM++ 2M", "dpmpp2m": "DPM++ 2M",
    "dpm++2msde": "DPM++ 2M SDE", "dpmpp2msde": "DPM++ 2M SDE", "dpm++sde": "DPM++ SDE", "dpmppsde": "DPM++ SDE",
    "dpm++2s": "DPM++ 2S", "dpmpp2s": "DPM++ 2S", "dpm2": "DPM2", "dpm2a": "DPM2 a", "dpm2ancestral": "DPM2 a",
    "kdpm2": "DPM2", "kdpm2a": "DPM2 a", "unipc": "UniPC", "ddim": "DDIM", "ddpm": "DDPM", "heun": "Heun", "lms": "LMS",
    "pndm": "PNDM", "plms": "PNDM", "deis": "DEIS", "sasolver": "SA-Solver", "lcm": "LCM", "tcd": "TCD",
}  # fmt: skip

#: Samplers we do not have, and the nearest that we do.
NEAR = {
    "dpm++2sa": "DPM++ 2S", "dpmpp2sancestral": "DPM++ 2S", "dpm++3msde": "DPM++ 2M SDE", "dpmpp3msde": "DPM++ 2M SDE",
    "dpm++2msdeheun": "DPM++ 2M SDE", "dpmpp2msdeheun": "DPM++ 2M SDE", "dpm++3m": "DPM++ 2M", "dpmpp3m": "DPM++ 2M",
    "unipcbh2": "UniPC", "heunpp2": "Heun", "ipndm": "PNDM", "ipndmv": "PNDM", "ddimcfg++": "DDIM",
    "eulercfg++": "Euler", "eulercfgpp": "Euler", "euleracfg++": "Euler a", "eulerancestralcfgpp": "Euler a",
    "dpmpp2mcfgpp": "DPM++ 2M",
    "dpmmulti": "DPM++ 2M", "dpmsingle": "DPM++ 2S", "resmultistep": "DPM++ 2M", "dpmfast": "DPM++ 2M",
    "dpmadaptive": "DPM++ 2M",
}  # fmt: skip

KARRAS = "Karras"
_PLAIN = {"", "automatic", "normal", "simple", "default", "discrete", "none", "native"}
_GPU, _K = "gpu", "k"
#: What A1111 takes with `Automatic`.
_AUTOMATIC = {"DPM++ 2M": KARRAS, "DPM++ SDE": KARRAS}


def put_sampler(findings: Findings, name: object, schedule: object = "") -> None:
    """Notes the sampler of ours that `name` with `schedule` is; honest about what is only near or unknown."""
    if not isinstance(name, str) or not name.strip():
        return
    schedule = schedule.strip() if isinstance(schedule, str) else ""
    findings.put("scheduler", schedule)
    base, suffix = _without_schedule(name)
    wanted = suffix or schedule
    said = name.strip() if not schedule or suffix else f"{name.strip()}, {schedule}"
    key = _key(base)
    ours = SAME.get(key) or NEAR.get(key)
    if ours is None:
        findings.ignore(f"Sampler: {said}")
        return
    full, exact = _with_schedule(ours, wanted)
    findings.put("sampler", full)
    if not exact or key in NEAR:
        findings.approximate("sampler", said, full)


def _with_schedule(ours: str, schedule: str) -> tuple[str, bool]:
    """Our sampler's name with that schedule, and whether it says the same."""
    plain = schedule.casefold().replace("_", " ")
    if plain == "automatic" and ours in _AUTOMATIC:
        return f"{ours} {_AUTOMATIC[ours]}", False
    if plain in _PLAIN:
        return ours, True
    if plain == KARRAS.casefold() and f"{ours} {KARRAS}" in DIFFUSION_SAMPLERS:
        return f"{ours} {KARRAS}", True
    return ours, False


def _without_schedule(name: str) -> tuple[str, str]:
    """A name without the schedule at its end, and that schedule: `dpmpp_2m_k`, `DPM++ 2M Karras`."""
    words = name.strip().replace("_", " ").replace("-", " ").split()
    if len(words) > 1 and words[0].casefold() == _K:  # k_lms
        words = words[1:]
    words = [word for word in words if word.casefold() != _GPU] or words
    if len(words) > 1 and words[-1].casefold() in (KARRAS.casefold(), _K):
        return " ".join(words[:-1]), KARRAS
    if len(words) > 1 and words[-1].casefold() in ("exponential", "polyexponential"):
        return " ".join(words[:-1]), words[-1].capitalize()
    return " ".join(words), ""


def _key(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum() or c == "+")
