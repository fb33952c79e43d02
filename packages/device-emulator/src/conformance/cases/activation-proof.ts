import { sameBytes } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { ConformanceCase } from '../conformance-case.ts';
import { demandAlert, flipped, messageOf, rawFrame, seenOf } from '../frames.ts';
import { demand, demandSame } from '../mismatch.ts';

/** Tries of a password (2.8). */
const TRIES = 5;

/** F1.4: A3 to A5, and what proves a secret (2.4, 2.7, 2.8). */
export const activationProofCases: readonly ConformanceCase[] = [
  {
    name: 'a4-proves-password',
    step: 'F1.4',
    section: '2.4',
    demand: 'confirmV proves to the device that UEM knows its password',
    async run(subject) {
      const run = subject.run(await subject.setUp.password(await subject.setUp.user()));
      await run.prove();
    },
  },
  {
    name: 'a4-proves-qr',
    step: 'F1.4',
    section: '2.4',
    demand: 'confirmV proves to the device that UEM knows the secret of its QR code',
    async run(subject) {
      await subject.run((await subject.invited()).code).prove();
    },
  },
  {
    name: 'a3-same-again',
    step: 'F1.4',
    section: '2.7',
    demand: 'the same A3 bytes get the same A4 bytes',
    async run(subject) {
      const run = subject.run((await subject.invited()).code);
      await run.start();
      const frame = await run.shareFrame();
      const [first, second] = [await run.post(frame), await run.post(frame)];
      messageOf(first, wire.activationShareReply);
      messageOf(second, wire.activationShareReply);
      demand(sameBytes(first?.body as Uint8Array, second?.body as Uint8Array), 'the same A4 for the same A3', 'another A4');
    },
  },
  {
    name: 'a3-other-share',
    step: 'F1.4',
    section: '2.7',
    demand: 'another A3 of the same run is refused and ends the run',
    async run(subject) {
      const run = await subject.run((await subject.invited()).code).prove();
      demandAlert(await run.post(run.blindShareFrame()), 'authFailed', 'for a second share');
      demandAlert(await run.post(run.requestFrame()), 'authFailed', 'for a right A5 of a run that has ended');
    },
  },
  {
    name: 'a3-unknown-run',
    step: 'F1.4',
    section: '2.7',
    demand: 'an A3 of no run is refused',
    async run(subject) {
      const frame = wire.activationShare.encode({ activationId: subject.entropy.randomBytes(16), shareP: subject.newKey().publicKey });
      demandAlert(await subject.post('activation', frame), 'authFailed', 'for an unknown activationId');
    },
  },
  {
    name: 'a3-not-on-curve',
    step: 'F1.4',
    section: '1.6',
    demand: 'a share that is no point of the curve is refused',
    async run(subject) {
      const run = subject.run((await subject.invited()).code);
      await run.start();
      demandAlert(await run.post(run.blindShareFrame(flipped(subject.newKey().publicKey, -1))), 'authFailed', 'for a share that is not on the curve');
    },
  },
  {
    name: 'a3-identity',
    step: 'F1.4',
    section: '2.7',
    demand: 'a share that leads to the identity is refused',
    async run(subject) {
      const run = subject.run((await subject.invited()).code);
      await run.start();
      demandAlert(await run.post(await run.identityShareFrame()), 'authFailed', 'for shareP = w0·M');
    },
  },
  {
    name: 'a3-short-point',
    step: 'F1.4',
    section: '1.4',
    demand: 'a point of another length is refused',
    async run(subject) {
      const run = subject.run((await subject.invited()).code);
      const { activationId } = await run.start();
      const body = wire.encodeCbor(
        new Map<number, wire.CborValue>([
          [0, activationId],
          [1, subject.newKey().publicKey.subarray(0, 64)],
        ]),
      );
      demandAlert(await run.post(rawFrame('activationShare', body)), 'badMessage', 'for a share of 64 bytes');
    },
  },
  {
    name: 'a5-before-a3',
    step: 'F1.4',
    section: '2.7',
    demand: 'an A5 without an A3 is refused',
    async run(subject) {
      const run = subject.run((await subject.invited()).code);
      await run.start();
      demandAlert(await run.post(run.requestFrame()), 'authFailed', 'for an A5 in place of A3');
    },
  },
  {
    name: 'a5-wrong-confirmation',
    step: 'F1.4',
    section: '2.7',
    demand: 'a wrong confirmP is refused and ends the run',
    async run(subject) {
      const run = await subject.run((await subject.invited()).code).prove();
      demandAlert(await run.post(run.requestFrame({ confirmP: subject.entropy.randomBytes(32) })), 'authFailed', 'for a wrong confirmP');
      demandAlert(await run.post(run.requestFrame()), 'authFailed', 'for a right A5 after a wrong one');
    },
  },
  {
    name: 'wrong-password',
    step: 'F1.4',
    section: '2.6',
    demand: 'with a wrong password nobody proves anything, and A5 is refused',
    async run(subject) {
      const { userId } = await subject.setUp.password(await subject.setUp.user());
      const run = subject.run({ kind: 'password', userId, password: 'not the password' });
      await run.start();
      demand(!(await run.share()), 'a confirmV that does not fit a wrong password', 'one that fits');
      demandAlert(await run.post(run.requestFrame()), 'authFailed', 'for a wrong password');
    },
  },
  {
    name: 'unknown-user-same-steps',
    step: 'F1.4',
    section: '2.6',
    demand: 'an unknown user hears the same answers, of the same lengths, at the same steps as a wrong password',
    async run(subject) {
      const heard = async (userId: string): Promise<string> => {
        const run = subject.run({ kind: 'password', userId, password: 'not the password' });
        const frames = [run.startFrame()];
        const first = await subject.post('activation', frames[0] as Uint8Array);
        const { activationId } = messageOf(first, wire.activationParameters);
        const share = await run.post(wire.activationShare.encode({ activationId, shareP: subject.newKey().publicKey }));
        const request = wire.activationRequest.encode({ activationId, confirmP: subject.entropy.randomBytes(32), record: new Uint8Array(300) });
        const last = await run.post(request);
        return [first, share, last].map((answer) => `${seenOf(answer)} (${answer?.body.length ?? 0} bytes)`).join(', ');
      };
      const { userId } = await subject.setUp.password(await subject.setUp.user());
      // Both names have the same length, and so have both runs.
      demandSame('answers', await heard(userId), await heard(subject.setUp.newName()));
    },
  },
  {
    name: 'transcript-covers-a1',
    step: 'F1.4',
    section: '2.4',
    demand: 'an A1 that was changed on the way (offered versions, for example) leads to another confirmV',
    async run(subject) {
      const run = subject.run((await subject.invited()).code);
      const sent = run.startFrame({ versions: [wire.PROTOCOL_VERSION, 2] });
      const { random } = wire.activationStart.decode(wire.parseFrame(sent));
      await run.start(run.startFrame({ random }), sent);
      demand(!(await run.share()), 'a confirmV that does not fit the A1 of the device', 'one that fits');
      demandAlert(await run.post(run.requestFrame()), 'authFailed', 'for a confirmP over another A1');
    },
  },
  {
    name: 'kinds-apart',
    step: 'F1.4',
    section: '2.1',
    demand: 'a password is no QR secret: a run of the other kind proves nothing',
    async run(subject) {
      const { userId } = await subject.setUp.password(await subject.setUp.user());
      const run = subject.run({ kind: 'password', userId, password: 'any password' });
      await run.start(run.startFrame({ secretKind: 'qr' }));
      messageOf(await run.post(run.blindShareFrame()), wire.activationShareReply);
      demandAlert(await run.post(run.requestFrame()), 'authFailed', 'for a kind of secret that the user does not have');
    },
  },
  {
    name: 'try-is-charged',
    step: 'F1.4',
    section: '2.8',
    demand: 'A4 costs a try before it leaves, and a right confirmP gives it back',
    async run(subject) {
      const user = await subject.setUp.user();
      const run = subject.run(await subject.setUp.password(user));
      await run.start();
      demandSame('tries after A2', TRIES, await subject.setUp.triesLeft(user));
      await run.share();
      demandSame('tries after A4', TRIES - 1, await subject.setUp.triesLeft(user));
      run.open(await run.post(run.requestFrame()));
      demandSame('tries after A6', TRIES, await subject.setUp.triesLeft(user));
    },
  },
  {
    name: 'same-a3-is-free',
    step: 'F1.4',
    section: '2.7',
    demand: 'the same A3 again costs no other try',
    async run(subject) {
      const user = await subject.setUp.user();
      await subject.setUp.password(user);
      const run = subject.run({ kind: 'password', userId: user.userId, password: 'not the password' });
      await run.start();
      const frame = run.blindShareFrame();
      await run.post(frame);
      await run.post(frame);
      demandSame('tries after the same A3 twice', TRIES - 1, await subject.setUp.triesLeft(user));
    },
  },
  {
    name: 'tries-exhausted',
    step: 'F1.4',
    section: '2.8',
    demand: 'after five runs without a proof the right password proves nothing any more',
    async run(subject) {
      const credentials = await subject.setUp.password(await subject.setUp.user());
      for (let guess = 0; guess < TRIES; guess++) {
        const blind = subject.run(credentials);
        await blind.start();
        messageOf(await blind.post(blind.blindShareFrame()), wire.activationShareReply);
        await blind.abandon();
      }
      const run = subject.run(credentials);
      await run.start();
      demand(!(await run.share()), 'a confirmV that fits nothing once the tries are gone', 'one that fits the password');
      demandAlert(await run.post(run.requestFrame()), 'authFailed', 'for a password without tries');
    },
  },
  {
    name: 'secret-taken-away',
    step: 'F1.4',
    section: '2.7',
    demand: 'a secret that is taken away between A1 and A3 proves nothing',
    async run(subject) {
      const { user, code } = await subject.invited();
      const run = subject.run(code);
      await run.start();
      await subject.setUp.expireSecrets(user);
      demand(!(await run.share()), 'a confirmV that fits nothing', 'one that fits a secret that is gone');
      demandAlert(await run.post(run.requestFrame()), 'authFailed', 'for a secret that is gone');
    },
  },
  {
    name: 'secret-expired',
    step: 'F1.4',
    section: '2.7',
    demand: 'an expired secret proves nothing',
    slow: true,
    async run(subject) {
      const lifeMs = 62_000;
      const expiry = new Date(subject.clock.nowMs() + lifeMs).toISOString();
      const user = await subject.setUp.user();
      const code = await subject.setUp.qrCode(user, { expiry });
      await subject.pass(lifeMs + 1_000);
      const run = subject.run(code);
      await run.start();
      demand(!(await run.share()), 'a confirmV that fits nothing', 'one that fits an expired secret');
      demandAlert(await run.post(run.requestFrame()), 'authFailed', 'for an expired secret');
    },
  },
];
