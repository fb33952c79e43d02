import * as wire from '@uemkit/protocol/wire';
import type { ConformanceCase } from '../conformance-case.ts';
import type { EnrolledDevice } from '../enrolled-device.ts';
import { demandAlert, messageOf } from '../frames.ts';
import { demandSame } from '../mismatch.ts';
import { type SignatureWish, SignedWire } from '../signed-wire.ts';
import type { Subject } from '../subject.ts';

/** A request lives for 60 s at most, and may come from 5 s in the future (11.3, 11.4). */
const TOO_OLD_S = 61;
const TOO_NEW_S = 30;

interface SignedCase extends Pick<ConformanceCase, 'name' | 'section' | 'demand'> {
  check(signed: SignedWire, device: EnrolledDevice, subject: Subject): Promise<void>;
}

function signedCase({ check, ...about }: SignedCase): ConformanceCase {
  return {
    ...about,
    step: 'F5.3',
    async run(subject) {
      const device = await subject.enrolled();
      const signed = await SignedWire.open(subject, device);
      if (signed !== undefined) await check(signed, device, subject);
    },
  };
}

/** A request that one thing is wrong with: it is refused, and a right one after it is taken. */
function refusedCase(name: string, demand: string, when: string, wish: (signed: SignedWire, subject: Subject) => SignatureWish): ConformanceCase {
  return signedCase({
    name,
    section: '11.4',
    demand,
    async check(signed, _device, subject) {
      await signed.refused(await signed.send(signed.prepare(wish(signed, subject))), when);
      messageOf(await signed.send(signed.prepare()), wire.idle);
    },
  });
}

/** F5.3: requests that are signed in place of mutual TLS (11). A server without such a listener has nothing to keep. */
export const signedRequestCases: readonly ConformanceCase[] = [
  signedCase({
    name: 'signed-challenge',
    section: '11.5',
    demand: 'a request without a signature is refused with a challenge, and a signature for it is taken',
    async check(signed) {
      messageOf(await signed.send(signed.prepare()), wire.idle);
    },
  }),
  signedCase({
    name: 'signed-answer',
    section: '11.6',
    demand: 'the answer is signed by UEM, for the request that it answers',
    async check(signed) {
      const request = signed.prepare();
      const answer = await signed.send(request);
      messageOf(answer, wire.idle);
      signed.verify(answer, request);
    },
  }),
  signedCase({
    name: 'signed-replayed',
    section: '11.4',
    demand: 'a request that comes twice is refused the second time',
    async check(signed) {
      const request = signed.prepare();
      messageOf(await signed.send(request), wire.idle);
      await signed.refused(await signed.send(request), 'for the same request again');
    },
  }),
  refusedCase('signed-body-changed', 'a body that was changed on the way is refused', 'for another body than the signed one', () => ({
    sent: wire.poll.encode({ reason: 'schedule' }),
  })),
  refusedCase('signed-expired', 'a signature that is too old is refused', 'after its end', ({ challenge }) => ({ createdS: challenge.nowS - TOO_OLD_S })),
  refusedCase('signed-early', 'a signature from the future is refused', 'before its beginning', ({ challenge }) => ({
    createdS: challenge.nowS + TOO_NEW_S,
  })),
  refusedCase('signed-other-epoch', 'a signature for another start of the server is refused', 'for another epoch', (_signed, { entropy }) => ({
    epoch: Uint8Array.of(1, ...entropy.randomBytes(7)),
  })),
  refusedCase('signed-for-another', 'a signature for another server is refused', 'for another target', () => ({ address: 'other.invalid:443' })),
  refusedCase('signed-by-another-key', 'a signature by another key than that of the certificate is refused', 'for another key', (_signed, subject) => ({
    signer: subject.newKey(),
  })),
  signedCase({
    name: 'signed-removed-device',
    section: '11.1',
    demand: 'a removed device hears that it is revoked, as over mutual TLS',
    async check(signed, device, { setUp }) {
      await setUp.removeDevice(device.user, device.deviceId);
      const request = signed.prepare();
      const answer = await signed.send(request);
      demandAlert(answer, 'revoked', 'for a removed device');
      signed.verify(answer, request);
    },
  }),
  signedCase({
    name: 'signed-as-another-device',
    section: '11.4',
    demand: 'the certificate says who signs: with that of another device a signature is refused, and that device is not touched',
    async check(signed, _device, subject) {
      const other = await subject.enrolled();
      const id = await subject.setUp.send(other.user, other.deviceId, 'LOCK_DEVICE');
      await signed.refused(await signed.send(signed.prepare({ certificate: other.certificate })), 'for the certificate of another device');
      demandSame('status', 'QUEUED', (await subject.setUp.command(other.user, other.deviceId, id)).status);
    },
  }),
];
