import type { ActivationMessage } from './activation-deeds.ts';
import { type Matrix, nothing } from './matrix.ts';

const FIRST = nothing('is the first one of its direction');
const SAME = nothing('is the same in each run');
const NO_FAR_END = nothing('names no UEM: 0x31 has done that');

/** What becomes of an activation (F3.7 to F3.11) when the NOC does this to that message. */
export const ACTIVATION: Matrix<ActivationMessage> = {
  /** 0x30, app to NOC: the hash of the access key (F3.7). */
  verify: {
    drop: 'ERR_PEER_TIMEOUT F3.8',
    delay: 'ERR_PEER_TIMEOUT F3.8',
    replay: 'ERR_WIRE_TRUNCATED F3.10',
    stale: SAME,
    swap: FIRST,
    cross: 'ERR_REJECTED_CREDENTIALS F3.10',
    truncate: 'ERR_TRANSPORT_CLOSED F3.8',
    flip: 'ERR_REJECTED_CREDENTIALS F3.8',
    tenant: nothing('names no tenant: the answer does'),
    proxy: NO_FAR_END,
    key: 'ERR_REJECTED_CREDENTIALS F3.8',
    version: 'ERR_PEER_ALERT F3.8',
    alert: 'ERR_REJECTED_CREDENTIALS F3.8',
  },
  /** 0x31, NOC to app: link, its key, the token, and who UEM is (F3.8). The NOC makes it, so it can lie in it; what it says about UEM goes into M1. */
  provision: {
    drop: 'ERR_PEER_TIMEOUT F3.8',
    delay: 'ERR_PEER_TIMEOUT F3.8',
    replay: 'ERR_WIRE_TRUNCATED F3.10',
    stale: 'ok',
    swap: FIRST,
    cross: 'ERR_REJECTED_CREDENTIALS F3.10',
    truncate: 'ERR_TRANSPORT_CLOSED F3.8',
    flip: 'ERR_REJECTED_CREDENTIALS F3.10',
    tenant: 'ERR_REJECTED_CREDENTIALS F3.10',
    proxy: 'ERR_REJECTED_CREDENTIALS F3.10',
    key: 'ok',
    version: 'ERR_WIRE_VERSION F3.8',
    alert: 'ERR_REJECTED_CREDENTIALS F3.8',
  },
  /** M1, app to UEM: the set-up message (F3.9); the NOC wraps it in 0x32, which names tenant, key and token. */
  setUp: {
    drop: 'ERR_PEER_TIMEOUT F3.10',
    delay: 'ERR_PEER_TIMEOUT F3.10',
    replay: 'ok',
    stale: 'ERR_CRYPTO_KEY_CONFIRMATION F3.10',
    swap: 'ERR_PEER_ALERT F3.10',
    cross: 'ERR_REJECTED_CREDENTIALS F3.10',
    truncate: 'ERR_TRANSPORT_CLOSED F3.10',
    flip: 'ERR_REJECTED_CREDENTIALS F3.10',
    tenant: 'ERR_REJECTED_CREDENTIALS F3.10',
    proxy: 'ERR_REJECTED_CREDENTIALS F3.10',
    key: 'ERR_REJECTED_CREDENTIALS F3.10',
    version: 'ERR_PEER_ALERT F3.10',
    alert: 'ERR_REJECTED_CREDENTIALS F3.10',
  },
  /** M2, UEM to app (F3.10). */
  response: {
    drop: 'ERR_PEER_TIMEOUT F3.10',
    delay: 'ERR_PEER_TIMEOUT F3.10',
    replay: 'ERR_WIRE_TRAILING F3.11',
    stale: 'ERR_CRYPTO_KEY_CONFIRMATION F3.10',
    swap: 'ERR_WIRE_TRUNCATED F3.10',
    cross: 'ERR_CRYPTO_KEY_CONFIRMATION F3.10',
    truncate: 'ERR_TRANSPORT_CLOSED F3.10',
    flip: 'ERR_CRYPTO_KEY_CONFIRMATION F3.10',
    tenant: 'ERR_CRYPTO_KEY_CONFIRMATION F3.10',
    proxy: NO_FAR_END,
    key: 'ERR_CRYPTO_KEY_CONFIRMATION F3.10',
    version: 'ERR_WIRE_FIELD F3.10',
    alert: 'ERR_REJECTED_CREDENTIALS F3.10',
  },
  /** M3 with the provisioning request, app to UEM (F3.11). */
  request: {
    drop: 'ERR_PEER_TIMEOUT F3.11',
    delay: 'ERR_PEER_TIMEOUT F3.11',
    replay: 'ERR_CRYPTO_OPEN F3.11',
    stale: 'ERR_TRANSPORT_CLOSED F3.11',
    swap: 'ERR_CRYPTO_OPEN F3.11',
    cross: 'ERR_TRANSPORT_CLOSED F3.11',
    truncate: 'ERR_TRANSPORT_CLOSED F3.11',
    flip: 'ERR_TRANSPORT_CLOSED F3.11',
    tenant: 'ERR_TRANSPORT_CLOSED F3.11',
    proxy: 'ERR_TRANSPORT_CLOSED F3.11',
    key: 'ERR_TRANSPORT_CLOSED F3.11',
    version: 'ERR_TRANSPORT_CLOSED F3.11',
    alert: 'ERR_TRANSPORT_CLOSED F3.11',
  },
  /** 0x40, the provisioning data, UEM to app (F3.11). */
  data: {
    drop: 'ERR_PEER_TIMEOUT F3.11',
    delay: 'ERR_PEER_TIMEOUT F3.11',
    replay: 'ERR_CRYPTO_OPEN F3.11',
    stale: 'ERR_PEER_MISMATCH F3.11',
    swap: 'ERR_WIRE_TRAILING F3.11',
    cross: 'ERR_CRYPTO_OPEN F3.11',
    truncate: 'ERR_TRANSPORT_CLOSED F3.11',
    flip: 'ERR_CRYPTO_OPEN F3.11',
    tenant: 'ERR_PEER_MISMATCH F3.11',
    proxy: NO_FAR_END,
    key: 'ERR_CRYPTO_OPEN F3.11',
    version: 'ERR_WIRE_VERSION F3.11',
    alert: 'ERR_TRANSPORT_CLOSED F3.11',
  },
  /** 0x41, the acknowledgement, app to UEM: it uses the key up (F3.11). */
  ack: {
    drop: 'ERR_PEER_TIMEOUT F3.11',
    delay: 'ERR_PEER_TIMEOUT F3.11',
    replay: 'ok',
    stale: SAME,
    swap: 'ERR_REJECTED_CREDENTIALS F3.11',
    cross: 'ERR_REJECTED_CREDENTIALS F3.11',
    truncate: 'ERR_TRANSPORT_CLOSED F3.11',
    flip: 'ERR_REJECTED_CREDENTIALS F3.11',
    tenant: 'ERR_TRANSPORT_CLOSED F3.11',
    proxy: 'ERR_TRANSPORT_CLOSED F3.11',
    key: 'ERR_REJECTED_CREDENTIALS F3.11',
    version: 'ERR_TRANSPORT_CLOSED F3.11',
    alert: 'ERR_TRANSPORT_CLOSED F3.11',
  },
  /** 0x42, UEM to app: UEM has heard it (F3.11). */
  done: {
    drop: 'ERR_PEER_TIMEOUT F3.11',
    delay: 'ERR_PEER_TIMEOUT F3.11',
    replay: 'ok',
    stale: SAME,
    swap: 'ERR_CRYPTO_OPEN F3.11',
    cross: 'ERR_CRYPTO_OPEN F3.11',
    truncate: 'ERR_TRANSPORT_CLOSED F3.11',
    flip: 'ERR_CRYPTO_OPEN F3.11',
    tenant: 'ERR_PEER_MISMATCH F3.11',
    proxy: NO_FAR_END,
    key: 'ERR_CRYPTO_OPEN F3.11',
    version: 'ERR_WIRE_VERSION F3.11',
    alert: 'ERR_TRANSPORT_CLOSED F3.11',
  },
};

/**
 * Where an activation that is `ok` leaves something wrong: how connections of the app fare then, also with an honest NOC, until it is activated anew with another key.
 * The NOC alone makes the link key, and nobody else can tell the app that it is a wrong one.
 */
export const AFTERWARDS: Readonly<Record<string, string>> = { 'provision, key': 'ERR_CONNECTION_LINK F10.2' };
