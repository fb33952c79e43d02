"""Inputs of the vectors, all of them made from names: the same on every run and on every machine."""
import hashlib

from . import der, p256


def octets(name, length):
    out, counter = b"", 0
    while len(out) < length:
        out += hashlib.sha256(b"uemkit vectors\x00" + name.encode() + b"\x00" + counter.to_bytes(4, "big")).digest()
        counter += 1
    return out[:length]


def scalar(name):
    number = int.from_bytes(octets("scalar " + name, 32), "big")
    assert 0 < number < p256.N
    return number


def scalar_octets(number):
    return number.to_bytes(32, "big")


def scalar_with_zero_in_secret(name, peer_scalar):
    """A scalar whose shared secret with the peer begins with a zero byte: an implementation that drops it derives other keys."""
    number, peer = scalar(name), p256.public_key(peer_scalar)
    product = p256.multiply(number, peer)
    while product[0] >> 248 != 0:
        number, product = number + 1, p256.add(product, peer)
    return number


DEVICE_ID = "3f0c9f4e-8f9b-4f5e-9d55-0c7d8a1f2b36"
INSTANCE_ID = octets("instance", 16)
TENANT_ID, CORE_ID, PROXY_ID = "tenant-7", "core.tenant-7.example", "proxy-eu-1"
USER_ID = "alice@example.com"
APP_ID = "com.example.mail"
ACCESS_KEY = "7Q2M9X0ZK4R8A1T"
DEVICE_SCALAR, ROOT_SCALAR = scalar("device"), scalar("root")


def root_certificate():
    return der.certificate(1, "Example Root", ROOT_SCALAR, "Example Root", p256.public_key(ROOT_SCALAR), "250101000000Z", "450101000000Z")


def device_certificate():
    public = p256.public_key(DEVICE_SCALAR)
    return der.certificate(2, "Example Root", ROOT_SCALAR, DEVICE_ID, public, "250601000000Z", "260601000000Z", "urn:uuid:" + DEVICE_ID)


def device_key_hash():
    return hashlib.sha256(der.spki(p256.public_key(DEVICE_SCALAR))).digest()
