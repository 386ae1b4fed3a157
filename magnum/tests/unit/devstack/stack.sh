#!/usr/bin/env bash
# Stands in for DevStack: runs one phase of the plugin as stack.sh, unstack.sh or clean.sh would. What the
# plugin calls is recorded in $RECORD, one call a line; iniset really writes, and so does the database tool.
#
# Usage: stack.sh MODE [PHASE]; environment: CHECKOUT, RECORD, SCRATCH, PYTHON_BIN, ENABLED_SERVICES
set -euo pipefail

export DEST=$SCRATCH DATA_DIR=$SCRATCH/data MAGNUM_CONF_DIR=$SCRATCH/etc MAGNUM_DIR=$CHECKOUT
export SERVICE_HOST=192.0.2.1 HOST_IP=192.0.2.1 SERVICE_LISTEN_ADDRESS=0.0.0.0 SERVICE_TIMEOUT=60
export SERVICE_PROTOCOL=${SERVICE_PROTOCOL:-http} SERVICE_PASSWORD=secret SERVICE_PROJECT_NAME=service
export SERVICE_DOMAIN_NAME=Default REGION_NAME=RegionOne STACK_USER=stack
export KEYSTONE_SERVICE_URI=http://192.0.2.1/identity ENABLE_DEBUG_LOG_LEVEL=True

function record {
    echo "$*" >>"$RECORD"
}

for name in create_service_user define_plugin die echo_summary enable_service \
    get_or_add_user_domain_role get_or_create_endpoint get_or_create_service plugin_requires \
    recreate_database run_process setup_develop setup_logging start_tls_proxy stop_process; do
    eval "function $name { record $name \"\$@\"; }"
done

function iniset {
    local file=$1 section=$2 option=$3 value=$4
    echo "[$section]" >>"$file"
    echo "$option = $value" >>"$file"
}

function sudo {
    record sudo "$@"
    if [[ $1 == install ]]; then
        mkdir -p "${@:5}"
    fi
}

function is_service_enabled {
    [[ ",$ENABLED_SERVICES," == *",$1,"* ]]
}

function get_python_exec_prefix {
    echo "$PYTHON_BIN"
}

function database_connection_url {
    echo "sqlite:///$SCRATCH/$1.sqlite"
}

function iniset_rpc_backend {
    iniset "$2" "$3" transport_url rabbit://stackrabbit:secret@192.0.2.1:5672/
}

function configure_keystone_authtoken_middleware {
    iniset "$1" keystone_authtoken auth_type password
    iniset "$1" keystone_authtoken username "$2"
}

function get_or_create_domain {
    record get_or_create_domain "$@"
    echo domain-id
}

function get_or_create_user {
    record get_or_create_user "$@"
    echo user-id
}

function wait_for_service {
    record wait_for_service "$@"
    [[ ${API_STARTS:-yes} == yes ]]
}

source "$MAGNUM_DIR/devstack/settings"
source "$MAGNUM_DIR/devstack/plugin.sh" "$@"
