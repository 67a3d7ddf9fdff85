"""Adapters of ports to systems outside; only a main() chooses one."""
