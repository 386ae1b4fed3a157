# shellcheck shell=bash
# What the steps of a Mesos node share. Sourced after lib.sh.
#
# Where TLS is wanted, Mesos and Marathon listen on ports of their own inside the cluster, and a gate
# that knows who may come in listens on the ports that people use.

MESOS_ETC=${MESOS_ETC:-/etc}
MESOS_INSIDE=15050
MARATHON_INSIDE=18080
MESOS_PORT=5050

# is_master: whether this node is one.
is_master() {
    [[ $(node_value role) == master ]]
}

# with_tls: whether the cluster's API is behind TLS.
with_tls() {
    [[ $(node_value tls) == true ]]
}

# mesos_port, marathon_port: where Mesos and Marathon themselves listen.
mesos_port() {
    if with_tls; then echo "$MESOS_INSIDE"; else echo "$MESOS_PORT"; fi
}
marathon_port() {
    if with_tls; then echo "$MARATHON_INSIDE"; else node_value api_port; fi
}

# masters_as FORMAT: every master's address in a printf format, with commas between.
masters_as() {
    local address found=''
    while read -r address; do
        [[ $address != *:* ]] || address="[$address]"
        # shellcheck disable=SC2059
        found+=${found:+,}$(printf "$1" "$address")
    done < <(node_list masters)
    printf '%s' "$found"
}

# zookeeper_url PATH: where the cluster's ZooKeeper has something.
zookeeper_url() {
    printf 'zk://%s/%s' "$(masters_as '%s:2181')" "$1"
}

# flag DIRECTORY NAME VALUE: an option of Mesos or Marathon, as their packages read it: a file of
# that name with the value in it. An empty value takes the option away.
flag() {
    mkdir -p "$1"
    if [[ -n $3 ]]; then
        printf '%s' "$3" >"$1/$2"
    else
        rm -f "$1/$2"
    fi
}

# quorum: how many masters make a majority.
quorum() {
    local count
    count=$(node_list masters | wc -l)
    echo $((count / 2 + 1))
}

# answers URL [TEXT]: whether a GET succeeds, with that text in the answer.
answers() {
    local said
    said=$(curl --fail --silent --noproxy '*' --max-time 5 "$1") && [[ $said == *"${2:-}"* ]]
}

# url_here PORT PATH: a URL on this node's own address.
url_here() {
    local address
    address=$(node_value address)
    [[ $address != *:* ]] || address="[$address]"
    printf 'http://%s:%s%s' "$address" "$1" "$2"
}

# run_service NAME: start it anew with the configuration of now, and at each boot; says why it cannot.
run_service() {
    systemctl daemon-reload
    systemctl enable "$1.service"
    if ! systemctl restart "$1.service"; then
        journalctl --unit "$1.service" --no-pager --lines 12 --output cat >&2
        return 1
    fi
}

# not_here NAME...: services that the image starts and that this node is not for.
not_here() {
    local name
    for name in "$@"; do
        if systemctl cat "$name.service" >/dev/null 2>&1; then
            systemctl disable --now "$name.service"
        fi
    done
}
