"""The tables of the library as Peewee sees them; the SQL that makes them stands in `migrations.py`.

No table is bound to a database: every query is executed on the one it is handed.
"""

from __future__ import annotations

from typing import Any

from peewee import AutoField, BlobField, FloatField, IntegerField, Model, TextField


class JobRow(Model):
    """A job of the queue; `lease_until` is in Unix seconds, `request` is JSON."""

    id = TextField(primary_key=True)
    state = TextField()
    request = TextField()
    provider = TextField()
    priority = IntegerField()
    position = FloatField()
    step = IntegerField()
    steps = IntegerField()
    image_index = IntegerField()
    images_done = IntegerField()
    attempts = IntegerField()
    owner = TextField()
    lease_until = FloatField()
    lease_seconds = FloatField()
    created = TextField()
    started = TextField()
    finished = TextField()
    error = TextField()

    class Meta:
        table_name = "jobs"


class ImageRow(Model):
    """A finished image; the words are columns so that they can be searched and filtered."""

    number = AutoField()
    id = TextField()
    job = TextField()
    idx = IntegerField()
    path = TextField()
    created = TextField()
    width = IntegerField()
    height = IntegerField()
    file_size = IntegerField()
    file_sha256 = TextField()
    pixels_sha256 = TextField()
    request = TextField()
    request_key = BlobField()
    prompt = TextField()
    negative_prompt = TextField()
    style = TextField()
    model = TextField()
    provider = TextField()
    task = TextField()
    model_hash = TextField()
    seconds = FloatField()
    cost = FloatField(null=True)
    resumed_at = IntegerField(null=True)
    rating = IntegerField()
    tags = TextField()
    parents = TextField()
    missing = IntegerField()
    deleted = TextField()

    class Meta:
        table_name = "images"


class StyleRow(Model):
    """A style preset of the artist's own."""

    name = TextField(primary_key=True)
    title = TextField()
    prompt = TextField()
    negative_prompt = TextField()
    guidance = FloatField(null=True)
    steps = IntegerField(null=True)
    picture = TextField()

    class Meta:
        table_name = "styles"


class FactRow(Model):
    """A small thing to remember by name."""

    name = TextField(primary_key=True)
    value = TextField()

    class Meta:
        table_name = "facts"


class PaidCallRow(Model):
    """A request that may cost money; moments in UTC, money in US dollars."""

    nonce = TextField(primary_key=True)
    job = TextField()
    idx = IntegerField()
    provider = TextField()
    model = TextField()
    provider_id = TextField()
    state = TextField()
    estimate = FloatField()
    cost = FloatField(null=True)
    began = TextField()
    ended = TextField()

    class Meta:
        table_name = "paid_calls"


def columns(table: type[Model]) -> list[Any]:
    """The fields of a table in the order they are declared."""
    return list(table._meta.sorted_fields)
