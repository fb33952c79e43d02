import { type AppActivationRecord, isProtocolError, keySchedule, ProtocolError } from '@uemkit/protocol';
import { askForKey, type KeyRun } from './key-of-another-app.ts';
import type { Siblings } from './sibling-link.ts';

/**
 * Asks activated apps of this device for an access key, one after the other (F3.3 to F3.6). The next one is asked only while nobody has said a word inside of a channel: an
 * app that is not there, is locked, or does not take this one. What a user or UEM has refused is not asked again elsewhere.
 * @throws ProtocolError of the one asked last, with its step; `ERR_REJECTED_CONSENT` when the user said no
 */
export async function askSiblings(run: KeyRun, { platformId, signers, links }: Siblings): Promise<AppActivationRecord> {
  let last = new ProtocolError('ERR_TRANSPORT_CONNECT', 'there is no activated app to ask', { step: 'F3.4' });
  for (const link of links) {
    // check: F3.4 apps whose answer is believed
    if (!mayTalk(platformId, link.platformId, signers)) continue;
    let isEstablished = false;
    try {
      return await askForKey(run, {
        name: 'sibling',
        step: 'F3.4',
        peers: { initiatorPlatformId: platformId, responderPlatformId: link.platformId },
        channel: { name: 'ipcd' },
        connect: (signal) => link.connect(signal),
        established: () => {
          isEstablished = true;
        },
      });
    } catch (error) {
      if (!isProtocolError(error) || error.kind === 'local' || isEstablished) throw error;
      last = error;
    }
  }
  throw last;
}

/** True for two apps in one space of a device whose signers are both named. */
export function mayTalk(own: string, other: string, signers: readonly string[]): boolean {
  const isNamed = (id: string): boolean => signers.includes(keySchedule.platformIdParts(id)?.signer ?? '');
  return keySchedule.isSameSpace(own, other) && isNamed(own) && isNamed(other);
}
