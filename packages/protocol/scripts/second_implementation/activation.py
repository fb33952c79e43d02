"""SPAKE2+ (RFC 9383) and the schedule of docs/protocol/02-activation.md."""
import base64
import hashlib

from . import p256
from .keys import derive, expand, extract, label, mac, mix, sha256

M = p256.decode(bytes.fromhex(
    "04886e2f97ace46e55ba9dd7242579f2993b64e16ef3dcab95afd497333d8fa12f"
    "5ff355163e43ce224e0b0e65ff02ac8e5c7be09419c785e0ca547d55a12e2d20"
))
N = p256.decode(bytes.fromhex(
    "04d8bbd6c639c62937b04d997f38c3770719c629d7014d49a24b4f98baa1292b49"
    "07d60aa6bfade45008a636337f5168c64d9bd36034808cd564490b1e656edbe7"
))


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def le64(data):
    return len(data).to_bytes(8, "little") + data


def stretch(kind, secret, user_id, core_id, salt, cost):
    """w0s || w1s. `secret` is the password in NFC, or the 16 bytes of a QR code."""
    text = base64url(secret).encode() if kind == 1 else secret.encode()
    secret_input = le64(text) + le64(user_id.encode()) + le64(core_id.encode())
    if kind == 1:
        return derive(extract(salt, secret_input), "act qr", b"", 80)
    n, r, p = cost
    return hashlib.scrypt(secret_input, salt=salt, n=n, r=r, p=p, dklen=80, maxmem=256 * 1024 * 1024)


def witness(stretched):
    return int.from_bytes(stretched[:40], "big") % p256.N, int.from_bytes(stretched[40:], "big") % p256.N


def fake_salt(key, user_id, kind):
    data = user_id.encode()
    return mac(key, len(data).to_bytes(4, "big") + data + bytes([kind]))[:16]


def spake2(context, prover, verifier, w0, w1, x, y):
    """Both sides at once; they must agree."""
    share_p = p256.add(p256.public_key(x), p256.multiply(w0, M))
    share_v = p256.add(p256.public_key(y), p256.multiply(w0, N))
    prover_base = p256.add(share_v, p256.negate(p256.multiply(w0, N)))
    verifier_base = p256.add(share_p, p256.negate(p256.multiply(w0, M)))
    big_l = p256.public_key(w1)
    z, v = p256.multiply(x, prover_base), p256.multiply(w1, prover_base)
    assert z == p256.multiply(y, verifier_base) and v == p256.multiply(y, big_l)
    points = [p256.encode(point) for point in (M, N, share_p, share_v, z, v)]
    transcript = b"".join(le64(part) for part in [context, prover, verifier, *points, w0.to_bytes(32, "big")])
    main = sha256(transcript)
    prk = extract(b"", main)
    confirmation = expand(prk, b"ConfirmationKeys", 64)
    return {
        "L": p256.encode(big_l),
        "shareP": points[2],
        "shareV": points[3],
        "Z": points[4],
        "V": points[5],
        "K_main": main,
        "confirmP": mac(confirmation[:32], points[3]),
        "confirmV": mac(confirmation[32:], points[2]),
        "K_shared": expand(prk, b"SharedKey", 32),
    }


def transcript_start():
    return sha256(label("hs act"))


def context(h2):
    return label("act") + h2


def run_keys(h2, a3, a4, shared_key):
    h3 = mix(h2, a3)
    h4 = mix(h3, a4)
    ms = extract(h4, shared_key)
    return {
        "h3": h3,
        "h4": h4,
        "ms": ms,
        "initiatorTraffic": derive(ms, "i ap", h4),
        "responderTraffic": derive(ms, "r ap", h4),
        "possession": derive(ms, "pop", h4),
    }
