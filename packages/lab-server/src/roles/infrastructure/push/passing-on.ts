import { type Clock, type CryptoProvider, isProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { idReference } from '../../../journal/references.ts';
import type { Journal } from '../../role.ts';
import { createApnsSender } from './apns-sender.ts';
import { createBb10Sender } from './bb10-sender.ts';
import { createFcmSender } from './fcm-sender.ts';
import type { PushCredentials } from './push-credentials.ts';
import type { ProviderWire, PushSender, Sent } from './push-sender.ts';
import { createWnsSender } from './wns-sender.ts';

/** Requests to the notification services that wait for an answer at once, for one message of UEM. */
const WIDTH = 32;

/** Hands wake-ups to the notification services of their devices (F5.2). */
export interface PassingOn {
  /** What became of each, in the order of the notifications. Never rejects: what has no answer is `unavailable`. */
  send(notifications: readonly wire.Notification[]): Promise<readonly wire.NotifyStatus[]>;
}

export function createPassingOn(options: {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly journal: Journal;
  readonly provider: ProviderWire;
  /** Origin of the provider APIs. */
  readonly origin: string;
  readonly credentials: PushCredentials;
}): PassingOn {
  const { clock, crypto, journal, provider, origin, credentials } = options;
  const senders: Readonly<Record<wire.PushServiceName, PushSender>> = {
    apns: createApnsSender({ provider, crypto, topic: credentials.apns.topic }),
    fcm: createFcmSender({ clock, crypto, provider, origin, credentials: credentials.fcm }),
    wns: createWnsSender({ clock, provider, origin, credentials: credentials.wns }),
    bb10: createBb10Sender({ provider, credentials: credentials.bb10 }),
  };

  const sent = async (service: wire.PushServiceName, address: string, { wakeUpId, expiresAtEpochS }: wire.Notification): Promise<Sent> => {
    try {
      return await senders[service].send({ address, wakeUpId, expiresAtEpochS });
    } catch (error) {
      return { status: 'unavailable', told: isProtocolError(error) ? `${error.code} ${error.message}` : 'bug' };
    }
  };

  const one = async (notification: wire.Notification): Promise<wire.NotifyStatus> => {
    const address = wire.pushAddressOf(notification.token);
    if (address === undefined) return 'unregistered';
    const receivedMs = clock.nowMs();
    const { status, told } = await sent(address.service, address.address, notification);
    const reason = status === 'accepted' ? undefined : status;
    journal.record({
      timeMs: clock.nowMs(),
      role: 'infrastructure',
      service: address.service,
      step: 'F5.2',
      request: 'push',
      answer: told,
      source: '',
      reason,
      receivedMs,
      refs: idReference(crypto, notification.wakeUpId),
    });
    return status;
  };

  return {
    async send(notifications) {
      const statuses: wire.NotifyStatus[] = new Array(notifications.length);
      let next = 0;
      const work = async (): Promise<void> => {
        for (let index = next++; index < notifications.length; index = next++) statuses[index] = await one(notifications[index] as wire.Notification);
      };
      await Promise.all(Array.from({ length: Math.min(WIDTH, notifications.length) }, work));
      return statuses;
    },
  };
}
