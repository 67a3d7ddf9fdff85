"""The landing page of a link, for people and for link previews."""
