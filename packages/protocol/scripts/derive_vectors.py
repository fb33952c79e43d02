#!/usr/bin/env python3
"""Writes packages/protocol/vectors/uemkit/*.json, or with --check says whether they are what this program derives (exit 1: they are not)."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

from second_implementation import activation_cases, auth_token_cases, handshake_cases, message_cases, push_channel_cases, record_cases, set_up_cases, signature_cases  # noqa: E402

TARGET = pathlib.Path(__file__).resolve().parent.parent / "vectors" / "uemkit"
ORIGIN = "packages/protocol/scripts/derive_vectors.py, written from docs/protocol without the TypeScript code. Byte strings are hexadecimal."


def families():
    record_cases.self_test()
    for name in ("ipc", "ipcd", "link", "px", "dc", "svc"):
        yield name, {"cases": getattr(handshake_cases, name)()}
    yield "sc", {"cases": set_up_cases.sc(), "tunnels": set_up_cases.tunnels()}
    yield "activation", {"cases": activation_cases.cases()}
    yield "messages", {"cases": message_cases.cases()}
    yield "auth-tokens", {"cases": auth_token_cases.cases(), "refused": auth_token_cases.refused()}
    yield "push-channels", {"cases": push_channel_cases.cases(), "refused": push_channel_cases.refused()}
    yield "signatures", {
        "root": signature_cases.root_certificate(),
        "requests": signature_cases.requests(),
        "refused": signature_cases.refused(),
        "answers": signature_cases.answers(),
    }
    yield "records", {
        "cbc": record_cases.cbc_streams(),
        "cbcRefused": record_cases.cbc_refused(),
        "gcm": record_cases.gcm_streams(),
        "gcmRefused": record_cases.gcm_refused(),
        "largest": record_cases.largest(),
    }


def plain(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def main(arguments):
    if arguments not in ([], ["--check"]):
        print("usage: derive_vectors.py [--check]", file=sys.stderr)
        return 2
    drift = []
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, content in families():
        text = json.dumps(plain({"format": 1, "origin": ORIGIN, **content}), indent=1, ensure_ascii=True) + "\n"
        path = TARGET / (name + ".json")
        if not arguments:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            drift.append(path.name)
    if drift:
        print("not what this program derives: " + ", ".join(drift), file=sys.stderr)
        return 1
    print("vectors " + ("checked" if arguments else "written"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
