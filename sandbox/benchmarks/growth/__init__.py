"""Growth: what statements and acts cost in a database that has grown, beside a small one."""
