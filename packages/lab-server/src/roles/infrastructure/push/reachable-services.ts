import * as wire from '@uemkit/protocol/wire';
import type { ProviderWire } from './push-sender.ts';

/** A provider wire that knows whether the notification services answer at all. */
export interface ReachableServices extends ProviderWire {
  /** Answers so far, whatever they said. */
  readonly answers: number;
}

/** The same wire; it counts what is answered. */
export function reachableServices(provider: ProviderWire): ReachableServices {
  let answers = 0;
  return {
    get answers() {
      return answers;
    },
    async request(call) {
      const answer = await provider.request(call);
      answers += 1;
      return answer;
    },
  };
}

/** True when wake-ups are for several services. What fails for a single one says nothing about the others. */
export function areForSeveral(notifications: readonly Pick<wire.Notification, 'token'>[]): boolean {
  return new Set(notifications.map(({ token }) => wire.pushAddressOf(token)?.service)).size > 1;
}
