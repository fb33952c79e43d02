"""P-256 by the textbook: affine points, ECDH, ECDSA with the deterministic nonce of RFC 6979."""
import hashlib
import hmac

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
A = P - 3
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def add(a, b):
    """Sum of two points; None is the identity."""
    if a is None:
        return b
    if b is None:
        return a
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] * a[0] + A) * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def negate(a):
    return None if a is None else (a[0], -a[1] % P)


def multiply(k, point):
    result = None
    for bit in bin(k)[2:]:
        result = add(result, result)
        if bit == "1":
            result = add(result, point)
    return result


def on_curve(point):
    x, y = point
    return (y * y - (x * x * x + A * x + B)) % P == 0


def encode(point):
    assert point is not None
    return b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def decode(data):
    assert len(data) == 65 and data[0] == 4
    point = int.from_bytes(data[1:33], "big"), int.from_bytes(data[33:], "big")
    assert on_curve(point)
    return point


def public_key(scalar):
    assert 0 < scalar < N
    return multiply(scalar, G)


def ecdh(scalar, point):
    """The x-coordinate of the product, always 32 bytes."""
    assert on_curve(point)
    product = multiply(scalar, point)
    assert product is not None
    return product[0].to_bytes(32, "big")


def _nonce(scalar, digest):
    """RFC 6979, 3.2, with SHA-256."""
    key_octets = scalar.to_bytes(32, "big")
    hash_octets = (int.from_bytes(digest, "big") % N).to_bytes(32, "big")
    v, k = b"\x01" * 32, b"\x00" * 32
    for separator in (b"\x00", b"\x01"):
        k = hmac.new(k, v + separator + key_octets + hash_octets, hashlib.sha256).digest()
        v = hmac.new(k, v, hashlib.sha256).digest()
    while True:
        v = hmac.new(k, v, hashlib.sha256).digest()
        candidate = int.from_bytes(v, "big")
        if 0 < candidate < N:
            return candidate
        k = hmac.new(k, v + b"\x00", hashlib.sha256).digest()
        v = hmac.new(k, v, hashlib.sha256).digest()


def sign(scalar, message):
    """ECDSA with SHA-256; r and s, 32 bytes each."""
    digest = hashlib.sha256(message).digest()
    nonce = _nonce(scalar, digest)
    r = multiply(nonce, G)[0] % N
    s = pow(nonce, -1, N) * (int.from_bytes(digest, "big") + r * scalar) % N
    assert r and s
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
