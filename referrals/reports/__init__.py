"""Reports on the funnel and its money, each computed from Postgres alone."""
