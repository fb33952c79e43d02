"""Vectors of a whole app activation (F3.7 to F3.11): access key, NOC messages, handshake `sc`, provisioning."""
from . import p256
from .encoding import frame
from .fixtures import (ACCESS_KEY, APP_ID, CORE_ID, DEVICE_ID, INSTANCE_ID, TENANT_ID, USER_ID, device_key_hash, octets, root_certificate, scalar)
from .handshake_cases import MASTER_SESSION_KEY, PROXY_KEY, SESSION_KEY_ID, Run, text_parts
from .keys import (access_key_secret, derive, gateway_key, noc_token, noc_verifier, tunnel_psk, user_id_hash)


def access_key_values(nonce):
    salt, secret = access_key_secret(ACCESS_KEY, USER_ID, nonce)
    shown = derive(secret, "ak noc")
    return {"salt": salt, "secret": secret, "nocHash": shown, "setUpPsk": derive(secret, "ak sc"), "nocVerifier": noc_verifier(shown)}


def one(case_id, comment, nonce, client_took_part):
    values = access_key_values(nonce)
    token_id, link_id, key_id, expiry = octets(case_id + " tid", 16), octets("link id", 16), octets("key id", 16), 1_800_000_600
    token_key = octets("token key", 32)
    token = noc_token(token_key, token_id, link_id, expiry, TENANT_ID)
    prologue = {"tenantId": TENANT_ID, "coreId": CORE_ID}
    run = Run(case_id, comment, "sc", prologue, text_parts(TENANT_ID, CORE_ID), {"pskId": token, "userId": USER_ID}, psk=values["setUpPsk"])
    who = {4: DEVICE_ID, 5: device_key_hash()} if client_took_part else {}
    request = run.cbc(0, 0, frame(0x22, {0: APP_ID, 1: "2.4.1", 2: "android-enterprise", 3: INSTANCE_ID, **who})[8:])
    case = run.finish(request)
    proxy = {0: "proxy-eu-1", 1: "proxy.example.com", 2: 17533, 3: [octets("pin", 32)], 4: PROXY_KEY, 5: [root_certificate()]}
    owner = {6: DEVICE_ID, 7: device_key_hash()} if client_took_part else {}
    data = {
        0: MASTER_SESSION_KEY,
        1: SESSION_KEY_ID,
        2: {"servers": ["mail.example.com:443"], "detailedNotifications": False},
        3: {"passcode": {"minimumLength": 6}},
        4: [proxy],
        5: [root_certificate()],
        8: 1_900_000_000,
        9: p256.encode(p256.public_key(scalar("core static"))),
        **owner,
    }
    provisioning = run.cbc(1, 0, frame(0x40, data))
    acknowledged = run.cbc(0, 1, frame(0x41, {0: 0}))
    run.cbc(1, 1, frame(0x42, {0: 0}))
    session_id = case["reply"]["sessionId"]
    case["accessKey"] = {"userId": USER_ID, "accessKey": ACCESS_KEY, "nonce": nonce, **values}
    case["noc"] = {
        "tokenKey": token_key,
        "tokenId": token_id,
        "linkId": link_id,
        "keyId": key_id,
        "expiryEpochS": expiry,
        "token": token,
        "userIdHash": user_id_hash(USER_ID),
        "verify": frame(0x30, {0: USER_ID, 1: values["nocHash"], 2: APP_ID, 3: INSTANCE_ID}),
        "provision": frame(0x31, {0: link_id, 1: octets("master link key", 32), 2: TENANT_ID, 3: CORE_ID, 4: ["relay.example.com:443"],
                                  5: token, 6: expiry}),
        "setUp": frame(0x32, {0: token_id, 1: key_id, 2: link_id, 3: TENANT_ID, 4: case["frames"]["M1"]}),
        "envelopes": [frame(0x33, {0: session_id, 1: inner}) for inner in (case["frames"]["M3"], provisioning, acknowledged)],
        "consumed": frame(0x34, {0: key_id, 1: link_id}),
    }
    return case


def sc():
    return [
        one("sc-1", "Assisted path: the UEM Client handed the access key over, so a nonce of 256 bits is in it.", octets("nonce", 32), True),
        one("sc-2", "Typed path: the access key alone, stretched by scrypt.", b"", False),
    ]


def tunnels():
    """Keys of two gateways under one tunnel key."""
    tunnel_key, cases = octets("tunnel key", 32), []
    for gateway_id in ("gateway-1", "gateway-2"):
        key = gateway_key(tunnel_key, gateway_id)
        names = [octets(gateway_id + name, size) for name, size in ((" tunnel id", 16), (" n_i", 32), (" n_r", 32))]
        cases.append({"id": "tunnel-" + gateway_id, "comment": "Tunnel key of one gateway, and the key of one DTLS tunnel (F4.6).",
                      "tunnelKey": tunnel_key, "gatewayId": gateway_id, "gatewayKey": key, "tunnelId": names[0], "initiatorNonce": names[1],
                      "responderNonce": names[2], "psk": tunnel_psk(key, *names), "identity": names[0].hex()})
    return cases
