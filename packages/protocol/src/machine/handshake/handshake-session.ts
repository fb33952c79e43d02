import { wipe } from '../../bytes/secret.ts';
import type { HandshakeInstance } from '../../key-schedule/handshake-instances.ts';
import type { HandshakeKeys } from '../../key-schedule/handshake-secrets.ts';
import type { CryptoProvider } from '../../ports/crypto-provider.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Direction } from '../../record/cbc-layout.ts';
import { createCbcOpener, createCbcSealer } from '../../record/cbc-record.ts';
import { createGcmOpener, createGcmSealer } from '../../record/gcm-record.ts';
import type { HandshakeSession, SessionRecords } from './handshake-types.ts';

/** The records of a session as one role uses them. The traffic secrets are wiped: the records have their keys. */
export function sessionRecords(
  crypto: CryptoProvider,
  entropy: Entropy,
  instance: HandshakeInstance,
  role: 'initiator' | 'responder',
  keys: HandshakeKeys,
  nowMs: number,
): SessionRecords {
  const [sent, received]: readonly Direction[] =
    role === 'initiator' ? ['initiator-to-responder', 'responder-to-initiator'] : ['responder-to-initiator', 'initiator-to-responder'];
  const [sending, receiving] = role === 'initiator' ? [keys.initiatorTraffic, keys.responderTraffic] : [keys.responderTraffic, keys.initiatorTraffic];
  const records = make();
  wipe(keys.initiatorTraffic, keys.responderTraffic);
  return records;

  function make(): SessionRecords {
    switch (instance.records) {
      case 'cbc':
        return {
          kind: 'cbc',
          sealer: createCbcSealer(crypto, entropy, { traffic: sending, direction: sent as Direction, bornMs: nowMs }),
          opener: createCbcOpener(crypto, { traffic: receiving, direction: received as Direction, bornMs: nowMs }),
        };
      case 'gcm':
        return {
          kind: 'gcm',
          sealer: createGcmSealer(crypto, { traffic: sending, bornMs: nowMs }),
          opener: createGcmOpener(crypto, { traffic: receiving, bornMs: nowMs }),
        };
      case 'none':
        return { kind: 'none' };
    }
  }
}

/** A session around its parts. */
export function makeSession(parts: Omit<HandshakeSession, 'wipe'>): HandshakeSession {
  return new Session(parts);
}

/** Field by field: a spread of the parts costs as much as a derivation. */
class Session implements HandshakeSession {
  readonly name: HandshakeSession['name'];
  readonly sessionId: HandshakeSession['sessionId'];
  readonly records: SessionRecords;
  readonly exporter: HandshakeSession['exporter'];
  readonly start: HandshakeSession['start'];
  readonly certificates: HandshakeSession['certificates'];
  readonly finishContent: HandshakeSession['finishContent'];
  readonly answerTraffic: HandshakeSession['answerTraffic'];

  constructor(parts: Omit<HandshakeSession, 'wipe'>) {
    this.name = parts.name;
    this.sessionId = parts.sessionId;
    this.records = parts.records;
    this.exporter = parts.exporter;
    this.start = parts.start;
    this.certificates = parts.certificates;
    this.finishContent = parts.finishContent;
    this.answerTraffic = parts.answerTraffic;
  }

  wipe(): void {
    wipe(this.exporter, this.answerTraffic);
    wipeRecords(this.records);
  }
}

/** Wipes the keys of records. */
export function wipeRecords(records: SessionRecords): void {
  if (records.kind === 'none') return;
  records.sealer.wipe();
  records.opener.wipe();
}
