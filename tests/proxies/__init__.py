"""TCP proxies that tests put before a server, to break or encrypt its connections."""
