"""Vectors of HTTP message signatures: whole requests and answers, and ones that must be refused. Written from docs/protocol/11-signatures.md."""
import base64
import hashlib

from . import der, p256
from .fixtures import DEVICE_ID, DEVICE_SCALAR, ROOT_SCALAR, device_certificate, octets, scalar

TARGET = "https://uem.example:8443/uemkit/1/device"
CREATED = 1_748_800_000
UEM_SCALAR = scalar("role uem")
EPOCH = octets("signature epoch", 8)


def root_certificate():
    """As in docs/protocol/08-identity.md, 8.4: with a path length."""
    public = p256.public_key(ROOT_SCALAR)
    return der.certificate(1, "Example Root", ROOT_SCALAR, "Example Root", public, "250101000000Z", "450101000000Z", path_length=0)


def sequence(data):
    return ":" + base64.b64encode(data).decode() + ":"


def url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def digest(body):
    return "sha-256=" + sequence(hashlib.sha256(body).digest())


def signed(number, certificate, body, lines, parameters):
    """`lines`: names and values of the covered components, in order. Returns the fields and the base."""
    covered = "(" + " ".join(name for name, _ in lines) + ")"
    shown = covered + "".join(";" + name + "=" + (str(value) if isinstance(value, int) else '"' + value + '"') for name, value in parameters)
    base = "".join(name + ": " + value + "\n" for name, value in lines) + '"@signature-params": ' + shown
    signature = p256.sign(number, base.encode())
    fields = {
        "content-digest": digest(body),
        "signature-input": "uemkit=" + shown,
        "signature": "uemkit=" + sequence(signature),
        "uemkit-certificate": sequence(certificate),
    }
    return fields, base, signature


def request_parameters(certificate, own_nonce, **changed):
    values = {"created": CREATED, "expires": CREATED + 60, "nonce": own_nonce, "alg": "ecdsa-p256-sha256",
              "keyid": url(hashlib.sha256(certificate).digest()), "tag": "uemkit-request-1"}
    values.update(changed)
    return [(name, value) for name, value in values.items() if value is not None]


def request_lines(body, target=TARGET, method="POST"):
    return [('"@method"', method), ('"@target-uri"', target), ('"content-digest"', digest(body))]


def requests():
    certificate, cases = device_certificate(), []
    for name, body in (("poll", octets("signed poll", 24)), ("empty", b""), ("long", octets("signed long", 700))):
        random = octets("signature random " + name, 16)
        nonce = url(EPOCH + random)
        fields, base, signature = signed(DEVICE_SCALAR, certificate, body, request_lines(body), request_parameters(certificate, nonce))
        cases.append({"id": "request-" + name, "targetUri": TARGET, "body": body, "certificate": certificate, "createdS": CREATED, "epoch": EPOCH,
                      "random": random, "base": base, "signature": signature, "fields": fields})
    return cases


def refused():
    """Each is rightly signed by a device's key and differs from an acceptable request in one point."""
    certificate, body = device_certificate(), octets("signed poll", 24)
    nonce = url(EPOCH + octets("signature random poll", 16))
    lines = request_lines(body)

    def request(parameters=None, covered=lines, number=DEVICE_SCALAR, shown=certificate, sent=body, **changed):
        fields, _, _ = signed(number, shown, sent, covered, parameters or request_parameters(shown, nonce, **changed))
        return fields

    def patched(fields, name, value):
        return {**fields, name: value}

    good = request()
    stranger = scalar("stranger")
    foreign = der.certificate(2, "Other Root", scalar("other root"), DEVICE_ID, p256.public_key(DEVICE_SCALAR), "250601000000Z", "260601000000Z",
                              "urn:uuid:" + DEVICE_ID)
    cases = [
        ("body", request(sent=b"other", covered=request_lines(b"other")), "ERR_CRYPTO_SIGNATURE"),
        ("target", request(covered=request_lines(body, target="https://other.example:8443/uemkit/1/device")), "ERR_CRYPTO_SIGNATURE"),
        ("method", request(covered=request_lines(body, method="GET")), "ERR_CRYPTO_SIGNATURE"),
        ("order", request(covered=[lines[1], lines[0], lines[2]]), "ERR_WIRE_FIELD"),
        ("without-digest", request(covered=lines[:2]), "ERR_WIRE_FIELD"),
        ("one-more-component", request(covered=lines + [('"@authority"', "uem.example:8443")]), "ERR_WIRE_FIELD"),
        ("without-created", request(created=None), "ERR_WIRE_FIELD"),
        ("without-expires", request(expires=None), "ERR_WIRE_FIELD"),
        ("without-nonce", request(nonce=None), "ERR_WIRE_FIELD"),
        ("without-alg", request(alg=None), "ERR_WIRE_FIELD"),
        ("without-keyid", request(keyid=None), "ERR_WIRE_FIELD"),
        ("without-tag", request(tag=None), "ERR_WIRE_FIELD"),
        ("one-more-parameter", request(other="x"), "ERR_WIRE_FIELD"),
        ("alg", request(alg="ed25519"), "ERR_WIRE_FIELD"),
        ("tag", request(tag="uemkit-answer-1"), "ERR_WIRE_FIELD"),
        ("life-61", request(expires=CREATED + 61), "ERR_WIRE_FIELD"),
        ("life-0", request(expires=CREATED), "ERR_WIRE_FIELD"),
        ("created-text", request(created="now"), "ERR_WIRE_FIELD"),
        ("nonce-short", request(nonce=url(EPOCH)), "ERR_WIRE_FIELD"),
        ("nonce-no-base64url", request(nonce="+" * 32), "ERR_WIRE_FIELD"),
        ("keyid", request(keyid=url(b"\x00" * 32)), "ERR_CRYPTO_SIGNATURE"),
        ("key", request(number=stranger), "ERR_CRYPTO_SIGNATURE"),
        ("authority", request(shown=foreign), "ERR_CERTIFICATE_CHAIN"),
        ("root-itself", request(number=ROOT_SCALAR, shown=root_certificate()), "ERR_CERTIFICATE_CHAIN"),
        ("label", patched(good, "signature", good["signature"].replace("uemkit", "sig1")), "ERR_WIRE_FIELD"),
        ("two-signatures", patched(good, "signature", good["signature"] + ", " + good["signature"].replace("uemkit", "sig1")), "ERR_WIRE_FIELD"),
        ("signature-short", patched(good, "signature", "uemkit=" + sequence(bytes(63))), "ERR_WIRE_FIELD"),
        ("digest-sha-512", patched(good, "content-digest", "sha-512=" + sequence(hashlib.sha512(body).digest())), "ERR_WIRE_FIELD"),
        ("two-digests", patched(good, "content-digest", good["content-digest"] + ", sha-512=" + sequence(hashlib.sha512(body).digest())), "ERR_WIRE_FIELD"),
        ("space", patched(good, "signature-input", good["signature-input"].replace(";nonce", "; nonce")), "ERR_WIRE_FIELD"),
    ]
    return [{"id": "refused-" + name, "targetUri": TARGET, "body": body, "fields": fields, "code": code} for name, fields, code in cases]


def answers():
    certificate = der.certificate(3, "Example Root", ROOT_SCALAR, "uem", p256.public_key(UEM_SCALAR), "250601000000Z", "350601000000Z", "urn:uemkit:role:uem",
                                  usage="serverAuth")
    request_signature = requests()[0]["signature"]
    body = octets("signed answer", 40)
    lines = [('"@status"', "200"), ('"content-digest"', digest(body)), ('"signature";req;key="uemkit"', sequence(request_signature))]
    parameters = [("created", CREATED + 1), ("alg", "ecdsa-p256-sha256"), ("keyid", url(hashlib.sha256(certificate).digest())), ("tag", "uemkit-answer-1")]
    fields, base, signature = signed(UEM_SCALAR, certificate, body, lines, parameters)
    return [{"id": "answer-idle", "body": body, "certificate": certificate, "createdS": CREATED + 1, "requestSignature": request_signature, "base": base,
             "signature": signature, "fields": fields}]
