"""A message as JSON Schema, with what its .proto says beside: comments, labels, what is sensitive."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from croupier.protogen.sources import Sources
from croupier_sdk.functions import message_schema as shapes


def message_schema(descriptor: Descriptor, sources: Sources) -> dict[str, Any]:
    """Of a whole payload."""

    def keywords(field: FieldDescriptor) -> Mapping[str, Any]:
        said = {"description": sources.comment(field.full_name), "writeOnly": sources.ui(field).sensitive}
        return {keyword: value for keyword, value in said.items() if value}

    def labels(field: FieldDescriptor) -> Mapping[str, str]:
        comments = sources.enum_comments(field.enum_type) if field.enum_type is not None else {}
        return {**comments, **sources.ui(field).enum_map}

    schema = shapes.message_schema(descriptor, shapes.Notes(keywords=keywords, labels=labels))
    comment = sources.comment(descriptor.full_name)
    described = {"description": comment} if comment else {}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described, **schema}
