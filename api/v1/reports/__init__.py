"""The reports of /v1/reports: routes, bodies and formats."""
