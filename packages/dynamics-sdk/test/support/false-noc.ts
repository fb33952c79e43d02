import {
  type AppActivationCoreResult,
  type AppActivationResponder,
  type AppProvisioning,
  appActivationResponder,
  type Clock,
  keySchedule,
  type SecretBytes,
} from '@uemkit/protocol';
import { seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import type { NocTransport } from '../../src/index.ts';
import { crypto } from './device.ts';

const CORE_ID = 'core';
const TENANT = 'tenant';
const fill = (byte: number, length: number): Uint8Array => new Uint8Array(length).fill(byte);
const point = crypto.p256PublicKey(fill(3, 32));

/** What UEM gives an app; a test changes what it is about. */
export const DATA: AppProvisioning = {
  masterSessionKey: fill(1, 32),
  sessionKeyId: fill(2, 16),
  configuration: { userId: 'ada@example.com' },
  policy: {},
  proxies: [],
  tenantRoots: [fill(4, 16)],
  expiryEpochS: 4_000_000_000,
  coreKeyExchangeKey: point,
};

export interface FalseNocOptions {
  readonly clock: Clock;
  readonly userId: string;
  readonly accessKey: string;
  /** Extra or other fields are sent as they are. */
  readonly data?: object;
  /** Frames that are answered; then it is silent. */
  readonly answers?: number;
}

/** NOC and UEM of the protocol's own machine for one typed key, to say what the lab never says. */
export function falseNoc({ clock, userId, accessKey, data = {}, answers = Number.POSITIVE_INFINITY }: FalseNocOptions): NocTransport {
  const token = fill(7, 56);
  const envelope = { tokenId: token.subarray(0, 16), linkId: token.subarray(16, 32), keyId: fill(9, 16), tenantId: TENANT };
  let uem: AppActivationResponder | undefined;
  let left = answers;
  const resultOf = async (type: string): Promise<AppActivationCoreResult> => {
    if (type === 'identify') return { type: 'identified', key: { userId, psk: await pskOf(accessKey, userId) } };
    return type === 'provision' ? { type: 'provisioned', data: { ...DATA, ...data } } : { type: 'consumed' };
  };
  const atUem = async (frame: Uint8Array): Promise<Uint8Array | undefined> => {
    let sent: Uint8Array | undefined;
    let effects = (uem as AppActivationResponder).handle({ type: 'received', frame }, clock.nowMs());
    for (let at = 0; at < effects.length; at++) {
      const effect = effects[at] as (typeof effects)[number];
      if (effect.type === 'send') sent = effect.frame;
      if (effect.type === 'request')
        effects = [...effects, ...(uem as AppActivationResponder).handle({ type: 'result', result: await resultOf(effect.request.type) }, clock.nowMs())];
    }
    return sent;
  };
  const answer = async (bytes: Uint8Array): Promise<Uint8Array | undefined> => {
    const name = wire.peekFrameName(bytes);
    if (name === 'nocVerify') {
      const link = { linkId: envelope.linkId, masterLinkKey: fill(5, 32), tenantId: TENANT, coreId: CORE_ID, relayAddresses: ['noc.invalid:1'] };
      return wire.nocProvision.encode({ ...link, token, tokenExpiryEpochS: Math.floor(clock.nowMs() / 1000) + 3_600 });
    }
    if (name === 'handshakeStart') {
      uem = appActivationResponder({ crypto, entropy: seededEntropy('uem'), coreId: CORE_ID, envelope });
      return atUem(bytes);
    }
    const { sessionId, frame } = wire.nocEnvelope.decode(wire.parseFrame(bytes));
    // 0x41 of a session that another one of these began.
    if (uem === undefined) return undefined;
    const sent = await atUem(frame);
    return sent && wire.nocEnvelope.encode({ sessionId, frame: sent });
  };
  return {
    async openNoc({ onFrame }) {
      let isOpen = true;
      return {
        async send(frame) {
          if (left-- <= 0) return;
          const given = await answer(frame.slice());
          if (isOpen && given !== undefined) onFrame(given);
        },
        close() {
          isOpen = false;
        },
      };
    },
  };
}

async function pskOf(accessKey: string, userId: string): Promise<SecretBytes<'psk'>> {
  const { password, salt, cost, lengthBytes } = keySchedule.typedAccessKeyStretch(crypto, keySchedule.normalizeAccessKey(accessKey), userId);
  return keySchedule.setUpPsk(crypto, (await crypto.scrypt(password, salt, cost, lengthBytes)) as SecretBytes<'access-key'>);
}
