#!/bin/sh
# At the image's build: starts the server once and archives the classes that it loaded
# (-XX:SharedArchiveFile). A start then takes a third of the time, and the tests start it often.
set -eu
conf=$NEO4J_HOME/conf/neo4j.conf
cp -p "$conf" /tmp/neo4j.conf
# The build uses the host's network: other ports than a server of the host would have.
cat >> "$conf" <<'SETTINGS'
server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:37687
server.http.listen_address=127.0.0.1:37474
SETTINGS
sed -i -e '/SharedArchiveFile/d' -e '/^server.default_listen_address=0/d' "$conf"

command=$(gosu neo4j neo4j console --dry-run)
archive=$NEO4J_HOME/server.jsa
eval "exec gosu neo4j ${command%% *} -XX:ArchiveClassesAtExit=$archive ${command#* }" \
  > /tmp/start.log 2>&1 &
tries=0
until grep -q 'Started\.' /tmp/start.log; do
  tries=$((tries + 1))
  if [ "$tries" -gt 600 ]; then cat /tmp/start.log >&2; exit 1; fi
  sleep 0.5
done
kill "$!"
wait "$!" || true # The JVM ends with 143 after SIGTERM; the archive tells whether it went well.
test -s "$archive"

mv /tmp/neo4j.conf "$conf"
rm -rf /data/* /logs/* /tmp/start.log
