# shellcheck shell=bash
# The node's way to its certificates. Sourced after lib.sh by the steps that need some. The node's
# credential allows two things: to fetch the bay's CA, and to have requests signed with it. Secrets
# are read from files and never stand on a command line.

CREDENTIAL_JSON=${CREDENTIAL_JSON:-/etc/magnum/credential.json}
# How long an API that is away is asked again, and one that refuses, which may be about to change.
CERTS_SECONDS=${CERTS_SECONDS:-300}
CERTS_REFUSED_SECONDS=${CERTS_REFUSED_SECONDS:-30}

# ask_for_certificate [TYPE] [CSR-FILE]: prints the CA of a type (empty: the cluster's), or with a
# request the certificate that was signed for it. Its last line on stderr says what is wrong.
ask_for_certificate() {
    python3 - "$NODE_JSON" "$CREDENTIAL_JSON" "$CERTS_SECONDS" "$CERTS_REFUSED_SECONDS" "$@" <<'PYTHON'
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

node, credential, seconds, refused_seconds, kind, request = (*sys.argv[1:], "", "")[:6]
with open(node, encoding="utf-8") as file:
    bay = json.load(file)["bay_uuid"]
with open(credential, encoding="utf-8") as file:
    own = json.load(file)
if not own:
    sys.exit("this node was given no credential, so that it cannot get a certificate")
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(url, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Accept": "application/json", "Content-Type": "application/json", **headers}
    return opener.open(urllib.request.Request(url, data, headers), timeout=30)


def answer():
    identity = {
        "methods": ["application_credential"],
        "application_credential": {"id": own["ident"], "secret": own["secret"]},
    }
    keystone = own["auth_url"].rstrip("/") + "/auth/tokens"
    with call(keystone, {"auth": {"identity": identity}}) as given:
        token = {"X-Auth-Token": given.headers["X-Subject-Token"]}
    url = own["service_url"].rstrip("/") + "/certificates"
    if not request:
        query = f"?ca_cert_type={urllib.parse.quote(kind)}" if kind else ""
        return call(f"{url}/{bay}{query}", **token)
    with open(request, encoding="ascii") as file:
        body = {"bay_uuid": bay, "csr": file.read(), **({"ca_cert_type": kind} if kind else {})}
    return call(url, body, **token)


started = time.monotonic()
while True:
    limit = float(seconds)
    try:
        with answer() as given:
            pem = json.load(given)["pem"]
        sys.stdout.write(pem if pem.endswith("\n") else pem + "\n")
        break
    except urllib.error.HTTPError as error:
        words = " ".join(error.read(300).decode("utf-8", "replace").split())
        trouble = f"{error.url} answers {error.code}: {words}"
        if error.code < 500:
            limit = float(refused_seconds)
    except (OSError, ValueError, KeyError) as error:
        trouble = f"{own.get('service_url')}, {own.get('auth_url')}: {error!r}"
    if time.monotonic() - started >= limit:
        sys.exit(f"no certificate within {limit:.0f} seconds: {trouble}")
    time.sleep(2)
PYTHON
}

# fetch_ca FILE [TYPE]: the certificate of a CA of the bay.
fetch_ca() {
    mkdir -p "$(dirname "$1")"
    ask_for_certificate "${2:-}" >"$1.new"
    chmod 0644 "$1.new"
    mv "$1.new" "$1"
}

# signed_certificate DIR/NAME CN ORG SAN,SAN,... [TYPE]: makes a key (NAME.key, 0600) and has a
# certificate signed for it (NAME.crt), good for servers and clients. ORG and the SANs may be empty.
signed_certificate() {
    local path=$1 name=$2 organization=$3 names=$4 kind=${5:-} san='' one
    local -a parts
    if [[ "$name,$organization,$names" == *[!A-Za-z0-9._:@,\ -]* ]]; then
        echo "no certificate can be made for the name '$name' ('$organization', '$names')" >&2
        return 1
    fi
    IFS=, read -r -a parts <<<"$names"
    for one in ${parts[@]+"${parts[@]}"}; do
        if [[ $one == *:* || $one =~ ^[0-9]+(\.[0-9]+){3}$ ]]; then
            san+=${san:+,}IP:$one
        elif [[ -n $one ]]; then
            san+=${san:+,}DNS:$one
        fi
    done
    mkdir -p "$(dirname "$path")"
    (
        umask 077
        {
            echo '[req]'
            echo 'prompt = no'
            echo 'distinguished_name = subject'
            echo 'req_extensions = extensions'
            echo '[subject]'
            [[ -z $organization ]] || echo "O = $organization"
            echo "CN = $name"
            echo '[extensions]'
            echo 'keyUsage = digitalSignature, keyEncipherment'
            echo 'extendedKeyUsage = serverAuth, clientAuth'
            [[ -z $san ]] || echo "subjectAltName = $san"
        } >"$path.cnf"
        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
            -pkeyopt ec_param_enc:named_curve -out "$path.key.new" 2>/dev/null
        openssl req -new -utf8 -sha256 -config "$path.cnf" -key "$path.key.new" -out "$path.csr"
    )
    ask_for_certificate "$kind" "$path.csr" >"$path.crt.new"
    chmod 0644 "$path.crt.new"
    mv "$path.key.new" "$path.key"
    mv "$path.crt.new" "$path.crt"
    rm -f "$path.cnf" "$path.csr"
}
