"""The JSON of what workflows, activities and clients send each other, by pydantic."""

from typing import Final

from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
)

# The SDK makes a converter for each run of a workflow, and each builds the schemas of the types
# that it meets. The types are the same in all runs, since their modules pass through the sandbox.
_SHARED_JSON: Final = PydanticJSONPlainPayloadConverter()


class SharedPayloadConverter(CompositePayloadConverter):
    """The converters of `temporalio.contrib.pydantic`, with one cache of schemas for all runs."""

    def __init__(self) -> None:
        super().__init__(
            *(
                _SHARED_JSON if isinstance(converter, JSONPlainPayloadConverter) else converter
                for converter in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )


DATA_CONVERTER: Final = DataConverter(payload_converter_class=SharedPayloadConverter)
