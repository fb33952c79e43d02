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
        case("nocEndLink", 0x3F, "linkId keepsCore", {"linkId": octets("link", 16)}),
        case("nocEndLink", 0x3F, "linkId keepsCore", {"linkId": octets("link", 16), "keepsCore": True}, note="but for UEM"),
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
        *app_update_cases(),
        *data_path_cases(),
        *auth_token_cases(),
        *push_channel_cases(),
        *service_cases(),
    ]


def app_update_cases():
    """docs/protocol/04-access-key.md, 4.9."""
    policy = {"name": "dynamics", "hash": octets("policy", 32)}
    report = {"configuration": octets("configuration", 32), "policies": [policy], "proxies": octets("proxies", 32),
              "console": octets("console", 32), "state": "locked", "unlockKeyId": KEY_ID}
    first = {name: report[name] for name in ("configuration", "policies", "proxies")} | {"state": "authorized"}
    block = {"id": "b-1", "title": "Blocked", "message": "Ask the help desk: Büro 7"}
    console = {"blocks": [block], "unlockKey": {"id": KEY_ID, "key": "0123456789ABCDE"}, "lockId": COMMAND_ID, "wipe": False}

    def report_on_wire(value, state):
        policies = [structure(["name", "hash"], entry) for entry in value["policies"]]
        return structure("configuration policies proxies console state unlockKeyId".split(), {**value, "policies": policies, "state": state})

    console_on_wire = structure("blocks unlockKey lockId wipe".split(), {
        **console, "blocks": [structure(["id", "title", "message"], block)], "unlockKey": structure(["id", "key"], console["unlockKey"])})
    update_keys = "configuration policies endedPolicies proxies console more"
    return [
        case("appUpdateRequest", 0x43, "appVersion report", {"appVersion": "1.0.0.0", "report": first}, {"report": report_on_wire(first, 0)}, "of an app that has heard nothing yet"),
        case("appUpdateRequest", 0x43, "appVersion report", {"appVersion": "1.2", "report": report}, {"report": report_on_wire(report, 1)}),
        case("appUpdate", 0x44, update_keys, {"endedPolicies": [], "more": False}, note="without a change"),
        case("appUpdate", 0x44, update_keys,
             {"configuration": {"userId": USER_ID}, "policies": {"dynamics": {"idleLockMinutes": 5}}, "endedPolicies": ["dynamics-connectivity"], "proxies": [],
              "console": console, "more": True}, {"console": console_on_wire}),
        case("appUpdateAck", 0x45, "report", {"report": {**first, "state": "wiped"}}, {"report": report_on_wire(first, 2)}),
    ]


def data_path_cases():
    """docs/protocol/12-data-path.md."""
    open_rule = {"host": "*", "subdomains": False, "allow": True}
    wiki_rule = {"host": "corp.example", "subdomains": True, "port": 443, "allow": False}
    rules = [structure("host subdomains port allow".split(), rule) for rule in (wiki_rule, open_rule)]
    point = b"\x04" + octets("point", 64)
    return [
        case("connectProxy", 0x37, "proxyId", {"proxyId": "proxy-1"}),
        case("connectHost", 0x38, "host port", {"host": "wiki.corp.example", "port": 443}),
        case("connected", 0x39, "to", {"to": "proxy"}, {"to": 0}),
        case("connected", 0x39, "to", {"to": "host"}, {"to": 1}, "to a host"),
        case("connected", 0x39, "to", {"to": "push"}, {"to": 2}, "for push channels"),
        case("connectRefused", 0x3A, "reason", {"reason": "busy"}, {"reason": 3}),
        case("nocTenant", 0x3B, "tenantId proxyIds destinations",
             {"tenantId": TENANT_ID, "proxyIds": ["proxy-1"], "destinations": [wiki_rule, open_rule]}, {"destinations": rules}),
        case("registerProxy", 0x3C, "host port keyExchangeKey", {"host": "::1", "port": 17_533, "keyExchangeKey": point}),
        case("proxyKeyRequest", 0x3D, "sessionKeyId instanceId", {"sessionKeyId": KEY_ID, "instanceId": octets("instance", 16)}),
        case("proxyKeyResponse", 0x3E, "key expiryEpochS destinations",
             {"key": octets("K_px", 32), "expiryEpochS": TIME, "destinations": [open_rule]}, {"destinations": rules[1:]}),
        case("streamOpen", 0x90, "streamId host port", {"streamId": 4_294_967_295, "host": "10.0.0.1", "port": 8_080}),
        case("streamOpened", 0x91, "streamId", {"streamId": 0}),
        case("streamRefused", 0x92, "streamId reason", {"streamId": 1, "reason": "timeout"}, {"reason": 3}),
        case("streamData", 0x93, "streamId bytes", {"streamId": 300, "bytes": octets("data", 40)}),
        case("streamEnd", 0x94, "streamId", {"streamId": 1}),
        case("streamReset", 0x95, "streamId reason", {"streamId": 1, "reason": "lost"}, {"reason": 1}),
        case("streamCredit", 0x96, "streamId bytes", {"streamId": 1, "bytes": 131_072}),
        case("streamPing", 0x97, "number", {"number": 7}),
        case("streamPong", 0x98, "number", {"number": 7}),
    ]


def auth_token_cases():
    """docs/protocol/13-services-of-the-proxy.md."""
    claims = {"challenge": "c 4711", "server": "wiki.example.com", "createdAtEpochS": TIME}
    owner = {"userId": USER_ID, "appId": "com.example.mail", "instanceId": octets("instance", 16)}
    request = {"token": octets("auth token", 113), "server": "wiki.example.com", "challenge": "c 4711"}
    return [
        case("authTokenClaims", 0xA0, "challenge server createdAtEpochS", {**claims, "challenge": ""}),
        case("authTokenRequest", 0xA1, "token server challenge", {"token": request["token"]}, note="of a server that compares by itself"),
        case("authTokenRequest", 0xA1, "token server challenge", request),
        case("authTokenResponse", 0xA2, "userId appId instanceId challenge server createdAtEpochS", {**owner, **claims}),
    ]


def service_cases():
    """docs/protocol/14-inter-app-services.md."""
    heads = [{"name": "Büro.pdf", "size": 40_000}, {"name": "leer", "size": 0}]
    wire_heads = [structure(["name", "size"], head) for head in heads]
    keys = "serviceId version method params attachments foreground"
    asked = {"serviceId": "com.good.gdservice.transfer-file", "version": "1.0.0.0", "method": "transferFile", "attachments": heads,
             "foreground": "PreferPeerInForeground"}
    return [
        case("serviceRequest", 0xB0, keys, asked, {"attachments": wire_heads, "foreground": 2}),
        case("serviceRequest", 0xB0, keys, {**asked, "params": '{"a":1}', "attachments": [], "foreground": "NoForegroundPreference"}, {"foreground": 0}, "with parameters"),
        case("serviceReply", 0xB1, "params attachments foreground", {"params": "null", "attachments": heads, "foreground": "PreferMeInForeground"},
             {"attachments": wire_heads, "foreground": 1}),
        case("serviceReply", 0xB1, "params attachments foreground", {"attachments": [], "foreground": "NoForegroundPreference"}, {"foreground": 0}, "of nothing"),
        case("serviceError", 0xB2, "code message details", {"code": "GDServicesErrorMethodNotFound"}, {"code": 4}),
        case("serviceError", 0xB2, "code message details", {"code": "GDServicesErrorServiceDisabled", "message": "not today", "details": "[]"}, {"code": 14}, "with details"),
        case("serviceAttachment", 0xB3, "index bytes", {"index": 1, "bytes": octets("attachment", 40)}),
    ]


def push_channel_cases():
    """docs/protocol/13-services-of-the-proxy.md, 13.3."""
    channels, sealed = [octets("channel 1", 16), octets("channel 2", 16)], octets("sealed", 96)
    content = {"messageId": octets("message", 16), "sentAtEpochMs": TIME * 1_000 + 7, "body": "zwölf neue Mails".encode()}
    return [
        case("connectPush", 0xA8, "channelIds", {"channelIds": channels}),
        case("pushChannels", 0xA9, "number channelIds", {"number": 3, "channelIds": []}),
        case("pushChannelsSet", 0xAA, "number", {"number": 4_294_967_295}),
        case("pushMessage", 0xAB, "number channelId sealed", {"number": 0, "channelId": channels[0], "sealed": sealed}),
        case("pushMessageAck", 0xAC, "number", {"number": 300}),
        case("pushNotify", 0xAD, "channelId sealed", {"channelId": channels[0], "sealed": sealed}),
        case("pushNotify", 0xAD, "channelId sealed", {"channelId": channels[0]}, note="that only asks"),
        case("pushNotified", 0xAE, "result", {"result": "full"}, {"result": 2}),
        case("pushContent", 0xAF, "messageId sentAtEpochMs body", content),
    ]
