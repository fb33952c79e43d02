"""AES-256 by FIPS 197, then CBC (SP 800-38A), GCM (SP 800-38D) and A256CBC-HS512 (RFC 7518, 5.2.5). Sealing only."""
import hashlib
import hmac


def _field_multiply(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 0x100:
            a ^= 0x11B
        b >>= 1
    return product


def _make_sbox():
    box = []
    for value in range(256):
        inverse = next((c for c in range(256) if _field_multiply(value, c) == 1), 0)
        result = 0x63
        for shift in range(5):
            result ^= ((inverse << shift) | (inverse >> (8 - shift))) & 0xFF
        box.append(result)
    return box


SBOX = _make_sbox()
DOUBLE = [_field_multiply(value, 2) for value in range(256)]


class Aes256:
    def __init__(self, key):
        assert len(key) == 32
        words = [list(key[i : i + 4]) for i in range(0, 32, 4)]
        constant = 1
        for i in range(8, 60):
            word = list(words[i - 1])
            if i % 8 == 0:
                word = [SBOX[b] for b in word[1:] + word[:1]]
                word[0] ^= constant
                constant = _field_multiply(constant, 2)
            elif i % 8 == 4:
                word = [SBOX[b] for b in word]
            words.append([a ^ b for a, b in zip(word, words[i - 8])])
        self.round_keys = [sum(words[i : i + 4], []) for i in range(0, 60, 4)]

    def encrypt(self, block):
        state = [a ^ b for a, b in zip(block, self.round_keys[0])]
        for number in range(1, 15):
            state = [SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
            if number < 14:
                mixed = []
                for column in range(0, 16, 4):
                    a = state[column : column + 4]
                    everything = a[0] ^ a[1] ^ a[2] ^ a[3]
                    mixed += [a[i] ^ everything ^ DOUBLE[a[i] ^ a[(i + 1) % 4]] for i in range(4)]
                state = mixed
            state = [a ^ b for a, b in zip(state, self.round_keys[number])]
        return bytes(state)


def pad(plaintext):
    """PKCS #7."""
    missing = 16 - len(plaintext) % 16
    return plaintext + bytes([missing]) * missing


def cbc_encrypt(key, iv, padded):
    cipher, previous, out = Aes256(key), iv, b""
    for i in range(0, len(padded), 16):
        previous = cipher.encrypt(bytes(a ^ b for a, b in zip(padded[i : i + 16], previous)))
        out += previous
    return out


def cbc_hs512(key, iv, associated_data, padded):
    """Ciphertext and tag; the padding is the caller's, so that wrong padding can be made on purpose."""
    assert len(key) == 64 and len(iv) == 16
    mac_key, aes_key = key[:32], key[32:]
    ciphertext = cbc_encrypt(aes_key, iv, padded)
    length = (8 * len(associated_data)).to_bytes(8, "big")
    return ciphertext, hmac.new(mac_key, associated_data + iv + ciphertext + length, hashlib.sha512).digest()[:32]


def _gcm_multiply(x, y):
    product = 0
    for i in range(127, -1, -1):
        if x >> i & 1:
            product ^= y
        y = (y >> 1) ^ (0xE1 << 120) if y & 1 else y >> 1
    return product


def gcm_seal(key, nonce, associated_data, plaintext):
    """Ciphertext followed by the tag of 16 bytes."""
    assert len(nonce) == 12
    cipher = Aes256(key)
    hash_key = int.from_bytes(cipher.encrypt(bytes(16)), "big")
    out = b""
    for i in range(0, len(plaintext), 16):
        stream = cipher.encrypt(nonce + (i // 16 + 2).to_bytes(4, "big"))
        out += bytes(a ^ b for a, b in zip(plaintext[i : i + 16], stream))

    def padded(data):
        return data + bytes(-len(data) % 16)

    blocks = padded(associated_data) + padded(out) + (8 * len(associated_data)).to_bytes(8, "big") + (8 * len(out)).to_bytes(8, "big")
    digest = 0
    for i in range(0, len(blocks), 16):
        digest = _gcm_multiply(digest ^ int.from_bytes(blocks[i : i + 16], "big"), hash_key)
    mask = cipher.encrypt(nonce + b"\x00\x00\x00\x01")
    return out + bytes(a ^ b for a, b in zip(digest.to_bytes(16, "big"), mask))
