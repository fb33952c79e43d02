"""Frames of the messages that no run of another file shows: docs/protocol/04-access-key.md, 06-management.md and 10-push.md."""
from .encoding import frame
from .fixtures import TENANT_ID, USER_ID, device_certificate, octets, root_certificate

TIME = 1_800_000_000
ADDRESS = "lab.example:8443"
COMMAND_ID, WAKE_UP_ID, TOKEN = octets("command", 16), octets("wake-up", 16), octets("push token", 40)
KEY_ID = octets("key id", 16)
PROPERTIES = {"revision": 8, "set": {"password": {"minLength": 6}}, "remove": ["camera"], "prompt": True, "": b"\x00\xff"}


def structure(keys, fields):
    """Fields by name to fields by key."""
    return {keys.index(name): value for name, value in fields.items()}


def case(name, frame_type, keys, fields, encoded=None, note=""):
    """`encoded` has the fields whose form on the wire is another one than in `fields`."""
    body = structure(keys.split(), {**fields, **(encoded or {})})
    return {"id": f"{name} {note}".strip(), "message": name, "fields": fields, "frame": frame(frame_type, body)}


def cases():
    notification = {"token": TOKEN, "wakeUpId": WAKE_UP_ID, "expiresAtEpochS": TIME}
    schedule = {"pollIntervalS": 3_600, "pollJitterS": 600}
    return [
        case("discoveryRequest", 0x60, "versions userId", {"versions": [1, 2], "userId": USER_ID}),
        case("discoveryResponse", 0x61, "version tenantId activationAddress spkiPins",
             {"version": 1, "tenantId": TENANT_ID, "activationAddress": ADDRESS, "spkiPins": [octets("pin", 32)]}),
        case("registerUsers", 0x62, "tenantId activationAddress add remove replaceAll spkiPins",
             {"tenantId": TENANT_ID, "activationAddress": "[::1]:443", "add": [octets("user", 32)], "remove": [], "replaceAll": True, "spkiPins": []}),
        case("nocRegisterKey", 0x35, "verifier keyId userIdHash tenantId expiryEpochS",
             {"verifier": octets("verifier", 32), "keyId": KEY_ID, "userIdHash": octets("user", 32), "tenantId": TENANT_ID, "expiryEpochS": TIME}),
        case("nocWithdrawKey", 0x36, "keyId", {"keyId": KEY_ID}),
        case("acknowledgement", 0x65, "ok refusal", {"ok": True}),
        case("acknowledgement", 0x65, "ok refusal", {"ok": False, "refusal": "licenceLimit"}, {"refusal": 6}, "with a reason"),
        case("notify", 0x63, "notifications", {"notifications": [notification]},
             {"notifications": [structure("token wakeUpId expiresAtEpochS".split(), notification)]}),
        case("notifyResult", 0x64, "statuses", {"statuses": ["accepted", "dropped", "unregistered", "throttled", "unavailable"]}, {"statuses": [0, 1, 2, 3, 4]}),
        case("poll", 0x70, "reason wakeUpId pushToken", {"reason": "wakeUp", "wakeUpId": WAKE_UP_ID, "pushToken": TOKEN}, {"reason": 0}),
        case("poll", 0x70, "reason wakeUpId pushToken", {"reason": "request"}, {"reason": 4}, "on request"),
        case("command", 0x71, "commandId type properties issuedAtEpochS expiresAtEpochS",
             {"commandId": COMMAND_ID, "type": "UPDATE_IT_POLICY", "properties": PROPERTIES, "issuedAtEpochS": TIME, "expiresAtEpochS": TIME + 60}),
        case("commandResult", 0x72, "commandId status message data retryAfterS",
             {"commandId": COMMAND_ID, "status": "done", "data": {"revision": 8}}, {"status": 0}, "done"),
        case("commandResult", 0x72, "commandId status message data retryAfterS",
             {"commandId": COMMAND_ID, "status": "failed", "message": "no such profile: Büro"}, {"status": 1}, "failed"),
        case("commandResult", 0x72, "commandId status message data retryAfterS",
             {"commandId": COMMAND_ID, "status": "deferred", "retryAfterS": 604_800}, {"status": 2}, "deferred"),
        case("idle", 0x73, "pollIntervalS pollJitterS pollAfterS serverTimeEpochS", {**schedule, "pollAfterS": 60, "serverTimeEpochS": TIME}),
        case("renewRequest", 0x74, "csr", {"csr": octets("request", 300)}),
        case("renewResult", 0x75, "certificates tenantRoots", {"certificates": [device_certificate()], "tenantRoots": [root_certificate()]}),
        case("deactivate", 0x76, "cause", {"cause": "user"}, {"cause": 0}),
        case("pushRegister", 0x78, "service token application", {"service": "apns", "token": TOKEN, "application": "com.apple.mgmt.example"}),
        case("pushRegistered", 0x79, "token pingIntervalS", {"token": TOKEN, "pingIntervalS": 120}),
        case("wakeUp", 0x7A, "wakeUpId sentAtEpochMs", {"wakeUpId": WAKE_UP_ID, "sentAtEpochMs": TIME * 1_000 + 5}),
        case("pushAck", 0x7B, "wakeUpId", {"wakeUpId": WAKE_UP_ID}),
        case("pushClose", 0x7C, "reason", {"reason": "goingAway"}, {"reason": 2}),
    ]
