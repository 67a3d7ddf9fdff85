#!/bin/sh
# Adds the secrets that docker-compose.yml needs to .env of the current directory, each only where
# .env does not name it yet: with other secrets a second run would lose the databases and every hash.
set -eu
umask 077

touch .env
# A last line without its end would become a part of the first secret.
[ -z "$(tail -c 1 .env)" ] || echo >> .env

for name in POSTGRES_PASSWORD POSTGRES_OWNER_PASSWORD POSTGRES_APP_PASSWORD \
    TEMPORAL_POSTGRES_PASSWORD OUTBOX_DATABASE_PASSWORD REFERRALS_HASH_KEY REFERRALS_TOKEN_KEY
do
    if grep -Eq "^[[:space:]]*(export[[:space:]]+)?$name[[:space:]]*[=:]" .env
    then
        echo "$name: kept"
    else
        echo "$name=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')" >> .env
        echo "$name: added"
    fi
done
