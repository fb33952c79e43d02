import { fromHex, toHex } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { makeRoot } from '../../src/data/lab-certificates.ts';
import { fromPem } from '../../src/data/pem.ts';
import { makePushIdentities, type PushIdentities } from '../../src/data/push-identities.ts';
import { createRingJournal, type RingJournal } from '../../src/journal/journal.ts';
import { createNotificationRole, type NotificationRole } from '../../src/roles/notification/notification.ts';
import type { ProviderFault, ProviderRequest, ProviderResponse } from '../../src/roles/notification/providers/provider.ts';
import type { PushAccounts } from '../../src/roles/notification/push-accounts.ts';
import type { DeliveryFault } from '../../src/roles/notification/push-delivery.ts';
import type { PushLimits } from '../../src/roles/notification/push-limits.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { PushDevice } from './push-device.ts';

export const START_MS: number = Date.UTC(2026, 0, 1);
/** Origin of the provider APIs under test. */
export const ORIGIN = 'https://push.test:443';

const crypto = nodeCrypto();
const maker = { crypto, entropy: seededEntropy('push identities'), nowMs: START_MS };
/** The authority of the lab under test, and the tenant as a sender. */
export const ROOT = makeRoot(maker, 'Test root');
export const IDENTITIES: PushIdentities = makePushIdentities(maker, ROOT, '0a1b2c3d-0000-4000-8000-000000000000');

/** The notification services on a fake clock, with devices and senders that have no sockets. */
export class PushBench {
  readonly clock: FakeClock = fakeClock(START_MS);
  readonly store: MemoryStore = new MemoryStore();
  readonly journal: RingJournal = createRingJournal();
  fault: DeliveryFault | undefined;
  providerFault: ProviderFault | undefined;

  /** Starts the services on what is in the store. */
  start(options: { readonly limits?: Partial<PushLimits>; readonly accounts?: PushAccounts; readonly origin?: string } = {}): Promise<NotificationRole> {
    const { limits, accounts = IDENTITIES.accounts, origin = ORIGIN } = options;
    return createNotificationRole({
      ...{ clock: this.clock, crypto, store: this.store, journal: this.journal, accounts, limits, origin },
      entropy: seededEntropy(`tokens ${this.store.commits}`),
      root: ROOT.certificate,
      deliveryFault: () => this.fault,
    });
  }

  async connected(role: NotificationRole, token?: Uint8Array, service: wire.PushServiceName = 'apns', application?: string): Promise<PushDevice> {
    const device = new PushDevice(role);
    device.register(token, service, application);
    await this.clock.settle();
    return device;
  }

  /** One request to the provider APIs; time goes on until it is answered. */
  async request(role: NotificationRole, request: Partial<ProviderRequest> & { readonly target: string }): Promise<ProviderResponse> {
    let answer: ProviderResponse | undefined;
    const asked = { method: 'POST', http: '2', headers: {}, body: new Uint8Array(0), source: 'sender', ...request } as const;
    void role.providers.handle(asked, this.providerFault).then((given) => {
      answer = given;
    });
    await this.clock.settle();
    if (answer === undefined) await this.clock.advance(1_000);
    if (answer === undefined) throw new Error('no answer within the time that a device has to take a wake-up');
    return answer;
  }

  /** An MDM push with the certificate of the tenant. What the journal says of it: `200 delivered`, `410 Unregistered` … */
  async push(role: NotificationRole, token: Uint8Array, options: { readonly id?: number; readonly expiresInS?: number } = {}): Promise<string | undefined> {
    const { id = 1, expiresInS = 3_600 } = options;
    await this.request(role, apnsRequest(token, this.clock.nowMs(), { id, expiresInS }));
    return this.journal
      .entries()
      .filter(({ service }) => service === 'apns')
      .at(-1)?.answer;
  }
}

/** An MDM push. */
export function apnsRequest(
  token: Uint8Array,
  nowMs: number,
  {
    id = 1,
    expiresInS = 3_600,
    headers = {},
  }: { readonly id?: number; readonly expiresInS?: number; readonly headers?: Record<string, string | undefined> } = {},
): Partial<ProviderRequest> & { readonly target: string } {
  const hex = toHex(new Uint8Array(16).fill(id));
  return {
    target: `/3/device/${wire.pushAddressOf(token)?.address}`,
    headers: {
      'apns-id': [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-'),
      'apns-push-type': 'mdm',
      'apns-expiration': expiresInS === 0 ? '0' : String(Math.floor(nowMs / 1_000) + expiresInS),
      ...headers,
    },
    body: json({ mdm: 'push magic' }),
    certificate: fromPem('CERTIFICATE', IDENTITIES.credentials.apns.certificate),
  };
}

export function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** A token of APNs that nobody was given. */
export function strangeToken(fill = '07'): Uint8Array {
  return wire.pushTokenOf({ service: 'apns', address: toHex(fromHex(fill.repeat(32))) });
}
