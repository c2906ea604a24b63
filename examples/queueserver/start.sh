#!/usr/bin/env bash
# Redis and the manager of bluesky-queueserver over the startup directory beside this file. Ctrl-C ends both.
set -eu
port=${REDIS_PORT:-6379}
state=${TMPDIR:-/tmp}
redis-server --bind 127.0.0.1 --port "$port" --dir "$state" &
trap 'kill %1' EXIT
start-re-manager --startup-dir "$(cd "$(dirname "$0")" && pwd)/startup" --redis-addr "localhost:$port" \
    --existing-plans-devices "$state/existing_plans_and_devices.yaml"
