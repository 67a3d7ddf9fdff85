"""Pages about what campaigns promise: rules in words, differences, explanations, switches."""
