"""A ComfyUI graph that can be walked backwards, from the executed form or from the editor's; every walk is bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MOST_NODES = 5000
MOST_STEPS = 5000
MOST_HOPS = 20

#: In which inputs a node that only hands a value on keeps it.
_VALUE_INPUTS = ("value", "text", "string", "int", "float", "number", "seed", "noise_seed", "prompt", "Text", "Value")
#: The editor saves widget values in their order on the node; `_` is a control that is no input.
_WIDGETS: dict[str, tuple[str, ...]] = {
    "KSampler": ("seed", "_", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
    "KSamplerAdvanced": ("add_noise", "noise_seed", "_", "steps", "cfg", "sampler_name", "scheduler"),
    "SamplerCustom": ("add_noise", "noise_seed", "_", "cfg"),
    "CLIPTextEncode": ("text",),
    "CLIPTextEncodeFlux": ("clip_l", "t5xxl", "guidance"),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "UNETLoader": ("unet_name",),
    "UnetLoaderGGUF": ("unet_name",),
    "EmptyLatentImage": ("width", "height"),
    "EmptySD3LatentImage": ("width", "height"),
    "LoraLoader": ("lora_name", "strength_model"),
    "LoraLoaderModelOnly": ("lora_name", "strength_model"),
    "KSamplerSelect": ("sampler_name",),
    "BasicScheduler": ("scheduler", "steps", "denoise"),
    "KarrasScheduler": ("steps",),
    "RandomNoise": ("noise_seed",),
    "CFGGuider": ("cfg",),
    "FluxGuidance": ("guidance",),
    "CLIPSetLastLayer": ("stop_at_clip_layer",),
}
_MUTED, _BYPASSED = 2, 4


@dataclass(frozen=True)
class Node:
    """A node; an input is a literal or, as a tuple, the ID of the node it comes from."""

    id: str
    kind: str
    inputs: dict[str, Any] = field(default_factory=dict)

    def source(self, name: str) -> str | None:
        """The ID of the node an input is linked to."""
        value = self.inputs.get(name)
        return value[0] if isinstance(value, tuple) else None

    def sources(self) -> Iterator[tuple[str, str]]:
        """Every linked input and where it comes from."""
        for name, value in self.inputs.items():
            if isinstance(value, tuple):
                yield name, value[0]


class Graph:
    """Nodes by ID."""

    def __init__(self, nodes: dict[str, Node]) -> None:
        self.nodes = nodes

    def node(self, node_id: str | None) -> Node | None:
        return self.nodes.get(node_id) if node_id is not None else None

    def upstream(self, *starts: str | None, skip: frozenset[str] = frozenset()) -> Iterator[Node]:
        """The nodes that lead to these, the nearest first, not through inputs of the names in `skip`."""
        waiting = deque(start for start in starts if start is not None)
        seen = set(waiting)
        for _ in range(MOST_STEPS):
            if not waiting:
                return
            node = self.node(waiting.popleft())
            if node is None:
                continue
            yield node
            for name, source in node.sources():
                if name not in skip and source not in seen:
                    seen.add(source)
                    waiting.append(source)

    def value(self, node: Node | None, *names: str) -> Any:
        """The first literal among these inputs, also through nodes that only hand it on."""
        for name in names:
            current, wanted = node, name
            for _ in range(MOST_HOPS):
                if current is None:
                    break
                value = current.inputs.get(wanted)
                if isinstance(value, str | int | float):
                    return value
                current = self.node(current.source(wanted))
                if current is not None:
                    inputs = current.inputs
                    wanted = next((each for each in (name, *_VALUE_INPUTS) if each in inputs), "")
        return None


def graph_of_prompt(values: dict[str, Any]) -> Graph:
    """The executed form: `prompt`."""
    nodes = {}
    for node_id, node in list(values.items())[:MOST_NODES]:
        if isinstance(node, dict) and isinstance(node.get("class_type"), str):
            inputs = node.get("inputs")
            linked = {name: _linked(value) for name, value in inputs.items()} if isinstance(inputs, dict) else {}
            nodes[node_id] = Node(node_id, node["class_type"], linked)
    return Graph(nodes)


def graph_of_workflow(values: dict[str, Any]) -> Graph:
    """The editor's form: `workflow`; muted nodes are left out, bypassed ones only hand on."""
    origins = dict(_origins(values.get("links")))
    nodes = {}
    for node in _objects(values.get("nodes")):
        kind, mode = node.get("type"), node.get("mode")
        if isinstance(kind, str) and mode != _MUTED:
            widgets = {} if mode == _BYPASSED else _widget_values(kind, node.get("widgets_values"))
            links = {}
            for slot in _objects(node.get("inputs")):
                link = slot.get("link")
                if isinstance(link, int) and link in origins:
                    links[str(slot.get("name"))] = (origins[link],)
            nodes[str(node.get("id"))] = Node(str(node.get("id")), "" if mode == _BYPASSED else kind, widgets | links)
    return Graph(nodes)


def _linked(value: Any) -> Any:
    is_link = isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], int)
    return (value[0],) if is_link else value


def _origins(links: Any) -> Iterator[tuple[int, str]]:
    for link in links[: 4 * MOST_NODES] if isinstance(links, list) else []:
        if isinstance(link, list) and len(link) >= 2 and isinstance(link[0], int):
            yield link[0], str(link[1])
        elif isinstance(link, dict) and isinstance(link.get("id"), int):
            yield link["id"], str(link.get("origin_id"))


def _objects(values: Any) -> list[dict[str, Any]]:
    return [each for each in values[:MOST_NODES] if isinstance(each, dict)] if isinstance(values, list) else []


def _widget_values(kind: str, values: Any) -> dict[str, Any]:
    if isinstance(values, dict):
        return {str(name): value for name, value in values.items()}
    if not isinstance(values, list):
        return {}
    return {name: value for name, value in zip(_WIDGETS.get(kind, ()), values, strict=False) if name != "_"}
