#!/bin/sh
# keeper.sh FOLDER: ends the deployment below FOLDER, and removes it, when the test run that started it
# is gone, however it went: the standard input is a pipe whose other end that run alone has open.
set -u
folder=$1
run=$folder/units/run

cat > /dev/null

# Nobody starts a unit any more.
rm -f "$folder/bin/systemctl"

# The main processes of units that still run. Each began a session of its own, which its children
# belong to.
leaders() {
  for service in task-worker infrahub-server task-manager message-queue cache database task-manager-db; do
    [ -s "$run/$service" ] || continue
    pid=$(cat "$run/$service")
    [ "$(ps -o sid= -p "$pid" | tr -d ' ')" != "$pid" ] || echo "$pid"
  done
}

for pid in $(leaders); do kill "$pid" 2> /dev/null; done
tries=0
while [ -n "$(leaders)" ] && [ "$tries" -lt 150 ]; do
  sleep 0.1
  tries=$((tries + 1))
done
for pid in $(leaders); do pkill -KILL -s "$pid"; done
# RabbitMQ leaves the port mapper of Erlang behind; this one has a port of its own.
ERL_EPMD_PORT=$(cat "$folder/epmd-port") epmd -kill > /dev/null 2>&1
rm -rf "$folder"
