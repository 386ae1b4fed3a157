# shellcheck shell=bash
# What the steps on a node share. Sourced, never run. What people wrote is in node.json and is only
# ever handled as data: read a value with node_value, and quote it.

NODE_JSON=${NODE_JSON:-/etc/magnum/node.json}

# node_value KEY: the value, as text; nothing where there is none.
node_value() {
    python3 - "$NODE_JSON" "$1" <<'PYTHON'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    value = json.load(file).get(sys.argv[2])
if value is not None:
    sys.stdout.write(value if isinstance(value, str) else json.dumps(value))
PYTHON
}

# node_list KEY: the values of a list, one per line.
node_list() {
    python3 - "$NODE_JSON" "$1" <<'PYTHON'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    for value in json.load(file).get(sys.argv[2]) or []:
        print(str(value).replace("\n", " "))
PYTHON
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds; fails with WHAT after SECONDS.
wait_for() {
    local seconds=$1 what=$2
    shift 2
    local end=$((SECONDS + seconds))
    until "$@"; do
        if ((SECONDS >= end)); then
            echo "$what: not within $seconds seconds" >&2
            return 1
        fi
        sleep 1
    done
}
