#!/bin/bash
# Settings from NEO4J_… variables, the initial password, then the server in place of this shell.
set -eu

as_neo4j=()
if [ "$(id -u)" = 0 ]; then
  # Not the tree below: a store that another user wrote must fail as it does in the official image.
  chown neo4j:neo4j /data /logs
  as_neo4j=(gosu neo4j:neo4j)
fi

# NEO4J_server_memory_heap_max__size -> server.memory.heap.max_size
while IFS='=' read -r -d '' name value; do
  case $name in
    NEO4J_AUTH | NEO4J_HOME | NEO4J_EDITION | NEO4J_CONF) ;;
    NEO4J_[a-z]*)
      key=${name#NEO4J_}
      key=${key//__/%}
      key=${key//_/.}
      key=${key//%/_}
      sed -i "/^${key//./\\.}=/d" "$NEO4J_HOME/conf/neo4j.conf"
      printf '%s=%s\n' "$key" "$value" >> "$NEO4J_HOME/conf/neo4j.conf"
      ;;
  esac
done < /proc/self/environ

if [ "${1:-neo4j}" != neo4j ]; then
  exec "${as_neo4j[@]}" "$@"
fi

auth=${NEO4J_AUTH:-}
if [ "$auth" = none ]; then
  echo 'dbms.security.auth_enabled=false' >> "$NEO4J_HOME/conf/neo4j.conf"
elif [ -n "$auth" ] && [ ! -e /data/databases/system ]; then
  "${as_neo4j[@]}" neo4j-admin dbms set-initial-password "${auth#neo4j/}"
fi

# The server's own command line, run in place of this shell: so the JVM is the child of tini, and
# the container ends with it. It is asked for once for each set of settings, because the question
# takes a JVM of its own, and the tests start the server often.
asked=$NEO4J_HOME/run/console-$(sha256sum < "$NEO4J_HOME/conf/neo4j.conf" | cut -c 1-16)
if [ ! -s "$asked" ]; then
  "${as_neo4j[@]}" neo4j console --dry-run > "$asked.new"
  mv "$asked.new" "$asked"
fi
command=$(cat "$asked")
eval "exec ${as_neo4j[*]} $command"
