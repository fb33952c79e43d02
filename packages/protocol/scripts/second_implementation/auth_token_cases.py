"""Vectors of auth tokens: docs/protocol/13-services-of-the-proxy.md, 13.1."""
from . import aes
from .encoding import frame, lp
from .fixtures import INSTANCE_ID, TENANT_ID, octets
from .handshake_cases import MASTER_SESSION_KEY, SESSION_KEY_ID
from .keys import derive, label, sha256

TIME = 1_800_000_000


def auth_token_key(tenant_id):
    return derive(MASTER_SESSION_KEY, "auth tok", sha256(lp(tenant_id.encode())), 64)


def auth_token(claims, iv, tenant_id=TENANT_ID, frame_type=0xA0, version=1):
    head = bytes([version]) + SESSION_KEY_ID + INSTANCE_ID
    plaintext = frame(frame_type, {0: claims["challenge"], 1: claims["server"], 2: claims["createdAtEpochS"]})
    ciphertext, tag = aes.cbc_hs512(auth_token_key(tenant_id), iv, label("auth token") + lp(head), aes.pad(plaintext))
    return head + iv + ciphertext + tag


def one(case_id, challenge, server):
    claims, iv = {"challenge": challenge, "server": server, "createdAtEpochS": TIME}, octets(f"{case_id} iv", 16)
    return {"id": case_id, "tenantId": TENANT_ID, "masterSessionKey": MASTER_SESSION_KEY, "sessionKeyId": SESSION_KEY_ID, "instanceId": INSTANCE_ID,
            "iv": iv, "key": auth_token_key(TENANT_ID), "claims": claims, "token": auth_token(claims, iv)}


def cases():
    return [one("auth-1", "c 4711", "wiki.example.com"), one("auth-2", "", "10.0.0.7"), one("auth-3", "~" * 255, "a" * 255)]


def refused():
    """Tokens whose tag fits, or that another tenant's app has made."""
    claims, iv = {"challenge": "c", "server": "wiki.example.com", "createdAtEpochS": TIME}, octets("refused iv", 16)
    return [
        {"id": "of another tenant", "token": auth_token(claims, iv, "another-tenant")},
        {"id": "another frame inside", "token": auth_token(claims, iv, frame_type=0xA1)},
        {"id": "a line break in the challenge", "token": auth_token({**claims, "challenge": "a\r\nb"}, iv)},
        {"id": "a server that is no host", "token": auth_token({**claims, "server": "wiki.example.com:443"}, iv)},
        {"id": "another version", "token": auth_token(claims, iv, version=2)},
    ]
