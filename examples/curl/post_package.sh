#!/bin/sh
# Posts a sealed package with curl and openssl alone, for a sender that cannot sign and proves itself by what the
# recipient's settings name under keys.unsigned: a bearer token or a client certificate.
#
#   post_package.sh URL SEALED_FILE PACKAGE_ID FROM TO SUITE KEY_VERSION [curl's own options]
#
# Of curl's options, --cacert names the authority of the recipient's certificate; -H @FILE has the line
# `Authorization: Bearer …`, which keeps the token out of the list of processes; or --cert and --key. The answer, a receipt
# or a problem, goes to standard output. Post the same file under the same id again until it is a receipt.
set -eu
url=$1 sealed=$2 id=$3 from=$4 to=$5 suite=$6 version=$7
shift 7
digest="sha-256=:$(openssl dgst -sha256 -binary "$sealed" | openssl base64 -A):"
exec curl --silent --show-error --fail-with-body --request POST --upload-file "$sealed" \
    -H "Content-Type: application/vnd.claimwire.package" \
    -H "Idempotency-Key: \"$id\"" \
    -H "Claimwire-Package: from=\"$from\", to=\"$to\", kind=claim, suite=$suite, key-version=$version" \
    -H "Content-Digest: $digest" -H "Repr-Digest: $digest" \
    "$@" "$url/packages"
