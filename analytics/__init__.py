"""The warehouse: events of referrals in ClickHouse, embedded or on a server, with reports."""
