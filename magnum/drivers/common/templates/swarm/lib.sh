# shellcheck shell=bash
# Talking to Docker's API, the node's own and that of the masters. Sourced after lib.sh. What is
# secret, such as a join token, goes through pipes and never stands on a command line.

DOCKER_SOCKET=${DOCKER_SOCKET:-/var/run/docker.sock}
MAGNUM_CERTIFICATES=${MAGNUM_CERTIFICATES:-/etc/magnum/certs}
DOCKER_SECONDS=${DOCKER_SECONDS:-60}

# docker_here METHOD PATH [JSON]: the answer of this node's Docker.
docker_here() {
    docker_call "$1" "http://docker$2" "${3:-}" --unix-socket "$DOCKER_SOCKET"
}

# docker_at ADDRESS METHOD PATH [JSON]: the answer of a master's Docker.
docker_at() {
    local host=$1 port
    port=$(node_value api_port)
    [[ $host != *:* ]] || host="[$host]"
    if [[ $(node_value tls) == true ]]; then
        docker_call "$2" "https://$host:$port$3" "${4:-}" --cacert "$MAGNUM_CERTIFICATES/ca.crt" \
            --cert "$MAGNUM_CERTIFICATES/node.crt" --key "$MAGNUM_CERTIFICATES/node.key"
    else
        docker_call "$2" "http://$host:$port$3" "${4:-}"
    fi
}

# docker_call METHOD URL JSON CURL-OPTION...: fails with what Docker says of it; with status 7 where
# nobody answers, with 22 where Docker does.
docker_call() {
    local method=$1 url=$2 body=$3 answer status
    shift 3
    answer=$(
        printf '%s' "$body" | curl --silent --show-error --noproxy '*' --connect-timeout 5 \
            --max-time "$DOCKER_SECONDS" --request "$method" \
            --header 'Content-Type: application/json' --data-binary @- \
            --write-out '\n%{http_code}' "$@" "$url"
    ) || return 7
    status=${answer##*$'\n'}
    answer=${answer%$'\n'*}
    if ((status >= 300)); then
        echo "${url%%\?*} answers $status: $answer" >&2
        return 22
    fi
    printf '%s\n' "$answer"
}

# json_value KEY...: what is there in the JSON on stdin; nothing where there is none.
json_value() {
    python3 -c '
import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1:]:
    value = value.get(key) if isinstance(value, dict) else None
if value is not None:
    print(value)
' "$@"
}
