#!/bin/sh
# A Neo4j Enterprise server, as far as it can be had without one: a real Community server, and
# stand-ins for the two programs that the editions differ in. Community cannot stop one database; so
# "stop database" ends the server process and leaves `offline` behind, and this script, which
# outlives it, starts it again when "start database" has removed that.
set -u
mkdir -p /tmp/enterprise/bin
install -m 755 /stand-in/bin/* /tmp/enterprise/bin/
state=/data/stand-in
mkdir -p "$state"
: >> "$state/calls"
# Commands come as root and as neo4j.
chmod 777 "$state"
chmod 666 "$state/calls"

stopping=
trap 'stopping=1' TERM INT
while :; do
  while [ -e "$state/offline" ]; do
    [ -z "$stopping" ] || exit 0
    sleep 0.1
  done
  /startup/docker-entrypoint.sh neo4j &
  server=$!
  wait "$server"
  code=$?
  if [ -n "$stopping" ]; then
    # tini has sent the signal to the server as well.
    wait "$server"
    exit 0
  fi
  [ -e "$state/offline" ] || exit "$code"
done
