"""Knowledge about one player: its export and its erasure."""
