"""The page behind a link: an invitation that people read, and what link previews are told."""
