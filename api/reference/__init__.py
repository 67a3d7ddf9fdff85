"""The API reference that people read, made from the OpenAPI document by our own files."""
