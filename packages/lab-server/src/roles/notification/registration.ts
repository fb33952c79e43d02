import { type Clock, type CryptoProvider, type Entropy, toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { LabStore } from '../../store/lab-store.ts';
import { applicationsOf, type PushAccounts } from './push-accounts.ts';
import type { PushLimits } from './push-limits.ts';
import { countOf, endToken, goneSince, putNewToken, seenIsOld, type TokenRecord, tokenKey, tokenOf, touchToken } from './push-tokens.ts';
import { CHANNEL_RENEWAL_MS, tokenForms } from './token-forms.ts';
import { makeRoom } from './token-room.ts';

/** A device is known by this token from now on. */
export interface Registered {
  readonly token: Uint8Array;
  /** The address in it. */
  readonly address: string;
  readonly key: string;
  readonly record: TokenRecord;
  /** The device brought another one. */
  readonly replaced: boolean;
}

/** Gives devices their tokens. */
export interface Registration {
  /** Resolves when the token is durable, or with the reason why there is none. @throws ProtocolError `ERR_STORE_WRITE` */
  register(request: wire.PushRegister): Promise<Registered | { readonly refused: string }>;
}

export function createRegistration(options: {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly store: LabStore;
  readonly accounts: PushAccounts;
  readonly limits: PushLimits;
  readonly channelOrigin: string;
  isConnected(key: string): boolean;
}): Registration {
  const { clock, crypto, entropy, store, limits, isConnected } = options;
  const applications = applicationsOf(options.accounts);
  const forms = tokenForms(options.channelOrigin);

  /** The token that the device brought, when it may go on with it. */
  const known = (token: Uint8Array, service: wire.PushServiceName, application: string): Omit<Registered, 'replaced'> | undefined => {
    const address = wire.pushAddressOf(token);
    // A WNS channel at another address, as when a lab has moved, reaches nobody.
    if (address?.service !== service || !forms[service].fits(address.address)) return undefined;
    const key = tokenKey(crypto, token);
    const record = store.read((view) => tokenOf(view, key));
    const nowMs = clock.nowMs();
    if (record?.service !== service || record.application !== application || goneSince(record, nowMs) !== undefined) return undefined;
    return record.expiresAtMs !== undefined && record.expiresAtMs - nowMs < CHANNEL_RENEWAL_MS ? undefined : { token, address: address.address, key, record };
  };

  const create = (service: wire.PushServiceName, application: string, before: Uint8Array | undefined): Promise<Registered | { readonly refused: string }> =>
    store.transaction((tx) => {
      const nowMs = clock.nowMs();
      if (before !== undefined) endToken(tx, tokenKey(crypto, before), nowMs);
      const room = { nowMs, tokenLifeMs: limits.tokenLifeMs, unnamedLifeMs: limits.unnamedLifeMs, start: toHex(entropy.randomBytes(2)), isConnected };
      if (countOf(tx) >= limits.tokens && !makeRoom(tx, room)) return { refused: 'too many tokens' };
      const { lifeMs } = forms[service];
      const address = forms[service].make(entropy);
      const token = wire.pushTokenOf({ service, address });
      const key = tokenKey(crypto, token);
      const expiresAtMs = lifeMs === undefined ? undefined : nowMs + lifeMs;
      const record: TokenRecord = { service, application, createdAtMs: nowMs, seenAtMs: nowMs, unnamedSinceMs: nowMs, expiresAtMs };
      putNewToken(tx, key, record);
      return { token, address, key, record, replaced: before !== undefined };
    });

  return {
    async register({ service: name, token, application: wanted }) {
      const service = wire.PUSH_SERVICES.find((one) => one === name);
      if (service === undefined) return { refused: 'no such notification service' };
      const application = wanted ?? applications[service][0];
      if (application === undefined || !applications[service].includes(application)) return { refused: 'nobody sends for this application' };
      const found = token === undefined ? undefined : known(token, service, application);
      if (found === undefined) return create(service, application, token);
      const nowMs = clock.nowMs();
      if (seenIsOld(found.record, nowMs)) await store.transaction((tx) => touchToken(tx, found.key, nowMs));
      return { ...found, replaced: false };
    },
  };
}
