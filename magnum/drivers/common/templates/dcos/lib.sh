# shellcheck shell=bash
# What the steps of a DC/OS node share. Sourced after lib.sh.
#
# The first master makes the installer for all nodes from the bay's configuration and serves it; every
# node, also one that comes later, installs itself from there.

DCOS_HOME=${DCOS_HOME:-/opt/dcos-bootstrap}
DCOS_BOOTSTRAP_PORT=9090

# first_master: the address of the one that serves the installer.
first_master() {
    local address
    address=$(node_list masters | head -n 1)
    [[ $address != *:* ]] || address="[$address]"
    printf '%s' "$address"
}

# bootstrap_url: where the installer of this cluster is.
bootstrap_url() {
    printf 'http://%s:%s' "$(first_master)" "$DCOS_BOOTSTRAP_PORT"
}

# serves_installers: whether this node is the first master.
serves_installers() {
    [[ $(node_value role) == master && $(node_value index) == 0 ]]
}

# answers URL: whether a GET succeeds.
answers() {
    curl --fail --silent --noproxy '*' --max-time 10 --output /dev/null "$1"
}
