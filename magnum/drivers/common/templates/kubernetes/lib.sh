# shellcheck shell=bash
# What the steps of Kubernetes share. Sourced after the common lib.sh.

KUBERNETES=/etc/kubernetes
export PKI=$KUBERNETES/pki
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

is_master() {
    [[ $(node_value role) == master ]]
}

# kube ARGUMENTS...: kubectl with all rights; masters only.
kube() {
    kubectl --kubeconfig "$KUBERNETES/admin.conf" --request-timeout 20s "$@"
}

# fetch WHAT FILE: a file of the image (/path), or what is at URL#sha256=DIGEST.
fetch() {
    local what=$1 file=$2 url digest proxy
    if [[ $what == /* ]]; then
        cp -- "$what" "$file"
        return
    fi
    url=${what%%#*}
    digest=${what##*#sha256=}
    for proxy in http_proxy https_proxy no_proxy; do
        export "$proxy=$(node_value "$proxy")"
    done
    curl --fail --silent --show-error --location --retry 5 --max-time 900 --output "$file" -- "$url"
    echo "$digest  $file" | sha256sum --check --quiet
}

# unit NAME WORD...: have systemd run a program of Kubernetes; more lines of [Service] on standard input.
unit() {
    local name=$1
    shift
    {
        printf '[Unit]\nDescription=%s\n%s\n\n[Service]\n' "$name" "$*"
        # Not run as it is: SELinux lets systemd start nothing below /opt.
        printf 'ExecStart=/bin/bash /opt/magnum/kubernetes/start %s\n' "$name"
        printf 'Restart=always\nRestartSec=2\n'
        cat
        printf '\n[Install]\nWantedBy=multi-user.target\n'
    } >"/etc/systemd/system/$name.service"
    systemctl daemon-reload
    systemctl enable "$name.service"
    systemctl restart "$name.service" || {
        journalctl --unit "$name.service" --no-pager --lines 12 --output cat >&2
        return 1
    }
}
