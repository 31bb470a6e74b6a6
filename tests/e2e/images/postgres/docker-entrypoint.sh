#!/bin/bash
# First start: initdb and the database of POSTGRES_DB. Then the server in place of this shell.
set -eu

if [ "$(id -u)" = 0 ]; then
  chown postgres:postgres "$PGDATA" /var/run/postgresql
  exec gosu postgres "$0" "$@"
fi

if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
  user=${POSTGRES_USER:-postgres}
  : "${POSTGRES_PASSWORD:?POSTGRES_PASSWORD is not set}"
  initdb --username="$user" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") --auth=trust > /dev/null
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  echo "listen_addresses = '*'" >> "$PGDATA/postgresql.conf"
  # Without TCP until the database exists, so that nobody takes a half-made server for a ready one.
  pg_ctl --silent --wait -o "-c listen_addresses=''" start > /dev/null
  database=${POSTGRES_DB:-$user}
  if [ "$database" != postgres ]; then
    createdb --username="$user" "$database"
  fi
  pg_ctl --silent --wait --mode=fast stop
fi

exec "$@"
