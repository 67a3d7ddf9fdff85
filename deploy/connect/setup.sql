-- What Debezium needs in the service's database, once, as a superuser or as the cloud's like:
--
--     psql --set password="$OUTBOX_DATABASE_PASSWORD" --file deploy/connect/setup.sql referrals
--
-- The publication has the outbox alone, so that nothing else leaves the database.
-- On a managed server, grant its own replication role instead of REPLICATION.
CREATE ROLE referrals_replication LOGIN REPLICATION PASSWORD :'password';
GRANT USAGE ON SCHEMA public TO referrals_replication;
GRANT SELECT ON outbox TO referrals_replication;
CREATE PUBLICATION referrals_outbox FOR TABLE outbox WITH (publish = 'insert');
