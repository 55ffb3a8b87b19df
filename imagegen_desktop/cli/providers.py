"""`providers` and `enhance`: who can draw, what each can do and cost, and a better prompt before anything is drawn."""

from __future__ import annotations

import argparse
from typing import Any

from ..domain.cloud_model import CloudModel
from ..domain.errors import Problem
from ..domain.request import GenerationRequest, validate
from ..services.enhance import Suggestion
from ..services.ledger import money
from ..services.provider_health import ProviderHealth
from . import output, session


def providers(options: argparse.Namespace) -> int:
    """All makers of images; with --check each is asked whether it answers, which costs nothing."""
    failed = False
    with session.parts() as parts:
        rows = []
        for health in parts.desk.all():
            row = _row(health)
            if options.check and health.state != "no key" and not health.capabilities.local:
                try:
                    row["answer"] = parts.desk.check(health.name)
                except Problem as problem:
                    row["answer"], failed = problem.message, True
            rows.append(row)
    columns = ("name", "title", "state", "key", "today", "month", "answer" if options.check else "reason")
    if not options.json:
        for row in rows:
            row |= {span: money(row[span]["known"]) if row[span] else "" for span in ("today", "month")}
    output.print_listing(rows, columns, options.json)
    return 1 if failed else 0


def enhance(options: argparse.Namespace) -> int:
    """A better prompt for a text; who wrote it and why is said on stderr."""
    values = {name: getattr(options, name) for name in ("style", "provider", "model") if getattr(options, name)}
    request = validate(GenerationRequest(prompt=options.text, **values))
    with session.parts() as parts:
        parts.compose.check_names(request)
        suggestion = parts.enhancer.suggest(request)
    if suggestion is None:
        return 130
    if options.json:
        output.print_json(suggestion_row(suggestion))
    else:
        output.say(suggestion.text)
        tell(suggestion)
    return 0


def tell(suggestion: Suggestion) -> None:
    """Says on stderr who wrote a suggestion."""
    for line in (*suggestion.notes, f"written by: {suggestion.source}"):
        output.warn(line)


def suggestion_row(suggestion: Suggestion) -> dict[str, Any]:
    return {
        "text": suggestion.text,
        "original": suggestion.original,
        "source": suggestion.source,
        "changes": [{"kind": change.kind, "text": change.text} for change in suggestion.changes],
        "notes": list(suggestion.notes),
    }


def _row(health: ProviderHealth) -> dict[str, Any]:
    capabilities, account = health.capabilities, health.account
    return {
        "name": health.name,
        "title": capabilities.title,
        "state": health.state,
        "reason": health.problem.message if health.problem else "",
        "key": health.key,
        "local": capabilities.local,
        "paid": capabilities.paid,
        "tasks": list(capabilities.tasks),
        "models": [_model_row(model, capabilities.default_model) for model in capabilities.models],
        "today": {"known": account.today.known, "perhaps": account.today.perhaps} if account else None,
        "month": {"known": account.month.known, "perhaps": account.month.perhaps} if account else None,
    }


def _model_row(model: CloudModel, default: str) -> dict[str, Any]:
    return {
        "name": model.name,
        "title": model.title,
        "default": model.name == default,
        "tasks": list(model.tasks),
        "size": list(model.sizes.default),
        "sizes": [list(size) for size in model.sizes.only],
        "size_multiple": model.sizes.multiple,
        "seeds": model.seeds,
        "negative_prompt": model.negative_prompt,
        "strength": model.strength is not None,
        "steps": None if model.steps is None else [int(model.steps.low), int(model.steps.high)],
        "guidance": None if model.guidance is None else [model.guidance.low, model.guidance.high],
        "qualities": list(model.qualities),
        "backgrounds": list(model.backgrounds),
        "previews": model.previews,
    }
