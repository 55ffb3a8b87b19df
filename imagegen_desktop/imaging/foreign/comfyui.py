"""ComfyUI: the settings of the sampler that made the picture, found by walking its graph backwards from the output."""

from __future__ import annotations

from typing import Any

from ..findings import Findings, FoundSettings
from .bounded_json import parsed_object
from .comfy_graph import Graph, Node, graph_of_prompt, graph_of_workflow
from .samplers import put_sampler

MOST_JSON_DEPTH = 64
MOST_TEXTS = 20

_OPPOSITE = {"positive": frozenset({"negative"}), "negative": frozenset({"positive"})}
_TEXT_INPUTS = ("text", "t5xxl", "text_g", "clip_l", "text_l", "prompt", "positive_prompt", "string", "value")
_MODEL_INPUTS = ("ckpt_name", "unet_name", "model_name", "base_ckpt_name")
_SIGMAS = {
    "KarrasScheduler": "karras",
    "ExponentialScheduler": "exponential",
    "PolyexponentialScheduler": "exponential",
}


def read_comfyui(prompt: str, workflow: str) -> FoundSettings | None:
    """The texts `prompt` and `workflow` (either may be empty); the first that leads to a sampler counts."""
    for text, build in ((prompt, graph_of_prompt), (workflow, graph_of_workflow)):
        values = parsed_object(text, MOST_JSON_DEPTH) if text else None
        if values is None:
            continue
        found = _read_graph(build(values))
        if found is not None:
            return found
    return None


def _read_graph(graph: Graph) -> FoundSettings | None:
    samplers = _samplers(graph)
    if not samplers:
        return None
    findings = Findings("comfyui")
    _read_sampler(findings, graph, samplers[-1])
    if len(samplers) > 1:
        findings.ignore(f"{len(samplers) - 1} further sampler passes")
    return findings.result() if findings else None


def _samplers(graph: Graph) -> list[Node]:
    """The samplers that lead to the output, the last (the base one) being the furthest from it."""
    outputs = [node.id for node in graph.nodes.values() if "SaveImage" in node.kind or "SaveAnimated" in node.kind]
    outputs = outputs or [node.id for node in graph.nodes.values() if "Save" in node.kind or "Preview" in node.kind]
    return [node for node in graph.upstream(*(outputs or graph.nodes)) if _is_sampler(node)]


def _is_sampler(node: Node) -> bool:
    if node.kind in ("KSamplerSelect", "") or "Detailer" in node.kind:
        return False
    has_latent = "latent_image" in node.inputs or "positive" in node.inputs
    return has_latent and ("Sampler" in node.kind or {"seed", "steps", "cfg"} <= node.inputs.keys())


def _read_sampler(findings: Findings, graph: Graph, sampler: Node) -> None:
    guider, sigmas = graph.node(sampler.source("guider")), graph.node(sampler.source("sigmas"))
    conditioned = guider or sampler
    positive = conditioned.source("positive") or conditioned.source("conditioning")
    negative = conditioned.source("negative")
    findings.put("prompt", _text(graph, positive, "positive"))
    findings.put("negative_prompt", _text(graph, negative, "negative"))
    noise = graph.node(sampler.source("noise"))
    seed = graph.value(sampler, "seed", "noise_seed")
    findings.put("seed", seed if seed is not None else graph.value(noise, "noise_seed", "seed"))
    findings.put("steps", graph.value(sampler, "steps") or _nearest(graph, sigmas, "steps"))
    _put_guidance(findings, graph, conditioned, positive)
    _put_sampler(findings, graph, sampler, sigmas)
    _put_latent(findings, graph, sampler, sigmas)
    _put_models(findings, graph, conditioned.source("model") or sampler.source("model"))
    for node in graph.upstream(positive, skip=_OPPOSITE["positive"]):
        if node.kind == "CLIPSetLastLayer":
            layer = graph.value(node, "stop_at_clip_layer")
            findings.put("clip_skip", -layer if isinstance(layer, int) else None)


def _nearest(graph: Graph, start: Node | None, name: str) -> Any:
    for node in graph.upstream(start.id if start else None):
        value = graph.value(node, name)
        if value is not None:
            return value
    return None


def _put_guidance(findings: Findings, graph: Graph, conditioned: Node, positive: str | None) -> None:
    """A distilled model's guidance stands at its prompt and says more than a scale of 1."""
    for node in graph.upstream(positive, skip=_OPPOSITE["positive"]):
        if "Flux" in node.kind and "guidance" in node.inputs:
            findings.put("guidance", graph.value(node, "guidance"))
    findings.put("guidance", graph.value(conditioned, "cfg"), "cfg")


def _put_sampler(findings: Findings, graph: Graph, sampler: Node, sigmas: Node | None) -> None:
    name = graph.value(sampler, "sampler_name") or graph.value(graph.node(sampler.source("sampler")), "sampler_name")
    schedule = graph.value(sampler, "scheduler") or _nearest(graph, sigmas, "scheduler")
    if schedule is None and sigmas is not None:
        schedule = _SIGMAS.get(sigmas.kind, sigmas.kind.removesuffix("Scheduler"))
    put_sampler(findings, name, schedule)


def _put_latent(findings: Findings, graph: Graph, sampler: Node, sigmas: Node | None) -> None:
    """Size and strength; a picture that was encoded says its size nowhere."""
    for node in graph.upstream(sampler.source("latent_image")):
        if "Latent" in node.kind and "Empty" in node.kind:
            findings.put_size(graph.value(node, "width"), graph.value(node, "height"))
            break
        if "VAEEncode" in node.kind:
            denoise = graph.value(sampler, "denoise")
            findings.put("strength", denoise if denoise is not None else _nearest(graph, sigmas, "denoise"))
            break


def _put_models(findings: Findings, graph: Graph, start: str | None) -> None:
    for node in graph.upstream(start):
        if "lora" in node.kind.casefold():
            _put_loras(findings, graph, node)
        for name in _MODEL_INPUTS:
            if name in node.inputs:
                findings.put("model", graph.value(node, name), name)


def _put_loras(findings: Findings, graph: Graph, node: Node) -> None:
    name = graph.value(node, "lora_name")
    if name not in (None, "None"):
        findings.put_lora(name, graph.value(node, "strength_model", "strength", "lora_wt"))
    for value in node.inputs.values():
        if isinstance(value, dict) and value.get("on") and value.get("lora"):
            findings.put_lora(value["lora"], value.get("strength"))


def _text(graph: Graph, start: str | None, polarity: str) -> str | None:
    """The words a conditioning was made of; several are joined by commas."""
    texts: list[str] = []
    for node in graph.upstream(start, skip=_OPPOSITE[polarity] | {"clip", "model", "vae", "control_net", "image"}):
        if node.kind == "ConditioningZeroOut":
            return None
        if "Encode" in node.kind or not (node.source("conditioning") or node.source("text")):
            text = graph.value(node, *_TEXT_INPUTS)
            if isinstance(text, str) and text.strip() and text not in texts and len(texts) < MOST_TEXTS:
                texts.append(text)
    return ", ".join(texts) or None
