#!/bin/sh
# At the image's build: runs the server, cypher-shell and neo4j-admin once and archives the classes
# that each has loaded (-XX:SharedArchiveFile), because the tests start them often. The server then
# starts in a third of the time; of processor time, a query takes half and a dump four fifths.
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

gosu neo4j neo4j-admin dbms set-initial-password archiving
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
server=$!
NEO4J_ARCHIVE_OPTION=ArchiveClassesAtExit gosu neo4j cypher-shell -a bolt://127.0.0.1:37687 \
  -u neo4j -p archiving 'RETURN 1' > /dev/null
kill "$server"
wait "$server" || true # The JVM ends with 143 after SIGTERM; the archive tells whether it went well.
NEO4J_ARCHIVE_OPTION=ArchiveClassesAtExit gosu neo4j neo4j-admin database dump \
  --to-stdout neo4j > /dev/null
for archive in server Main Neo4jAdminCommand AdminTool; do
  test -s "$NEO4J_HOME/$archive.jsa"
done

mv /tmp/neo4j.conf "$conf"
rm -rf /data/* /logs/* /tmp/start.log
