"""The hash chain over what must never change, its checkpoints, and the check of both."""
