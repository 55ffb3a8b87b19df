"""Recognises files that are one part of a model, so that somebody who adds one is told what it is."""

from __future__ import annotations

from .layouts import Finding, Weights

_BEGINS = (
    ("text_model.", "a CLIP text encoder, one part of a model"),
    ("encoder.block.0.layer.0.SelfAttention.", "a T5 text encoder, one part of a model"),
    ("enc.blk.0.", "a T5 text encoder, one part of a model"),
    ("vision_model.", "a CLIP image encoder without its projection, which no IP-Adapter can use"),
    ("visual.", "an image encoder, which belongs to another model"),
    ("model.layers.0.self_attn.", "a language model, used as a text encoder"),
    ("model.language_model.", "a language model, used as a text encoder"),
    ("blk.0.", "a language model"),
    ("body.0.resnets.", "a T2I adapter"),
    ("adapter.body.", "a T2I adapter"),
)


def text_encoder(weights: Weights) -> Finding | None:
    """What part it is; None when it is none of the known ones."""
    clip = weights.begins("embeddings.token_embedding.") or weights.ends("encoder.layers.0.self_attn.q_proj.weight")
    title = next((title for start, title in _BEGINS if weights.begins(start)), "")
    title = title or ("a CLIP text encoder, one part of a model" if clip else "")
    return Finding(title=title) if title else None
