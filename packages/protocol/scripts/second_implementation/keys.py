"""Hashes and derivations of docs/protocol/01-framing.md, and the small schedules of 04-access-key.md."""
import hashlib
import hmac

from .encoding import lp

PREFIX = b"uemkit/1 "
ZERO = bytes(32)


def sha256(data):
    return hashlib.sha256(data).digest()


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def extract(salt, input_key):
    """EX."""
    return mac(salt, input_key)


def expand(secret, info, length):
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = mac(secret, block + info + bytes([counter]))
        out += block
        counter += 1
    return out[:length]


def derive(secret, label, context=b"", length=32):
    """XL."""
    name = PREFIX + label.encode()
    info = length.to_bytes(2, "big") + bytes([len(name)]) + name + bytes([len(context)]) + context
    return expand(secret, info, length)


def label(text):
    return lp(PREFIX + text.encode())


def mix(transcript, data):
    return sha256(transcript + lp(data))


def user_id_hash(user_id):
    return sha256(label("uid") + lp(user_id.encode()))


def access_key_secret(access_key, user_id, nonce):
    """K_ak and its salt: scrypt on the typed path (empty nonce), EX on the assisted path."""
    salt = sha256(label("ak salt") + lp(user_id.encode()))
    secret_input = lp(access_key.encode()) + lp(nonce)
    if nonce:
        return salt, extract(salt, secret_input)
    return salt, hashlib.scrypt(secret_input, salt=salt, n=32768, r=8, p=1, dklen=32, maxmem=64 * 1024 * 1024)


def noc_verifier(access_key_hash):
    return sha256(label("ak verifier") + lp(access_key_hash))


def noc_token(key, token_id, link_id, expiry, tenant_id):
    signed = token_id + link_id + expiry.to_bytes(8, "big")
    return signed + mac(key, label("tok") + lp(signed + tenant_id.encode()))[:16]


def proxy_key(master_session_key, proxy_id):
    return derive(master_session_key, "proxy", sha256(lp(proxy_id.encode())))


def service_key(services_key, initiator_id, responder_id):
    return derive(services_key, "svc", sha256(lp(initiator_id) + lp(responder_id)))


def gateway_key(tunnel_key, gateway_id):
    return derive(tunnel_key, "gw", sha256(lp(gateway_id.encode())))


def tunnel_psk(gateway_tunnel_key, tunnel_id, initiator_nonce, responder_nonce):
    return derive(gateway_tunnel_key, "tun", sha256(lp(tunnel_id) + lp(initiator_nonce) + lp(responder_nonce)))
