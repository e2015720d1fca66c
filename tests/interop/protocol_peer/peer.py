"""Checks a signed request and its signed answer with the http-message-signatures package, and signs a request."""

import json
import sys
from types import SimpleNamespace as Message

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms


class Keys(HTTPSignatureKeyResolver):
    def __init__(self, key):
        self.key = key

    def resolve_public_key(self, key_id):
        return self.key if isinstance(self.key, bytes) else self.key.public_key()

    def resolve_private_key(self, key_id):
        return self.key


given = json.load(sys.stdin)
seed = bytes([given["seed"]] * 32)
if given["algorithm"] == "ed25519":
    algorithm, keys = algorithms.ED25519, Keys(Ed25519PrivateKey.from_private_bytes(seed))
else:
    algorithm, keys = algorithms.HMAC_SHA256, Keys(seed)
url = "https://exchange.example.com" + given["request"]["path"]
request = Message(method=given["request"]["method"], url=url, headers=dict(given["request"]["headers"]))
answer = Message(status_code=given["status"], headers=dict(given["response_headers"]), request=request)
verifier = HTTPMessageVerifier(signature_algorithm=algorithm, key_resolver=keys)
for message in (request, answer):
    assert len(verifier.verify(message, expect_tag="claimwire")) == 1

fields = ["content-digest", "repr-digest", "content-type", "idempotency-key", "claimwire-package"]
del request.headers["signature"], request.headers["signature-input"]
HTTPMessageSigner(signature_algorithm=algorithm, key_resolver=keys).sign(
    request,
    key_id="key",
    label="claimwire",
    tag="claimwire",
    nonce="bm9uY2U=",
    use_existing_digest=True,
    covered_component_ids=["@path", "@method", *fields],
)
headers = {name.lower(): value for name, value in request.headers.items()}
json.dump([headers["signature-input"], headers["signature"]], sys.stdout)
