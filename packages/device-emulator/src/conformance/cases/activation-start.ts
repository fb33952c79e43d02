import { sameBytes, utf8 } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { DEVICE_INFO } from '../activation-run.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { demandAlert, messageOf, rawFrame, withFields } from '../frames.ts';
import { demand, demandSame } from '../mismatch.ts';
import type { Subject } from '../subject.ts';

/** Key of a field that nobody knows: below 64 it must be refused, from 64 on it must be passed over (1.4). */
const UNKNOWN_CRITICAL = 63;
const UNKNOWN_OTHER = 64;

/** A1 of a user that may activate, changed. */
async function changedStart(
  subject: Subject,
  change: (frame: Uint8Array) => Uint8Array,
): Promise<ReturnType<Subject['post']> extends Promise<infer T> ? T : never> {
  const { code } = await subject.invited();
  return subject.post('activation', change(subject.run(code).startFrame()));
}

async function parametersFor(
  subject: Subject,
  userId: string,
  secretKind: wire.SecretKind,
): Promise<{ readonly parameters: wire.ActivationParameters; readonly lengthBytes: number }> {
  const random = subject.entropy.randomBytes(32);
  const frame = wire.activationStart.encode({ versions: [1], suites: [wire.SUITE_P256], userId, random, deviceInfo: DEVICE_INFO, secretKind });
  const answer = await subject.post('activation', frame);
  return { parameters: messageOf(answer, wire.activationParameters), lengthBytes: answer?.body.length ?? 0 };
}

/** F1.3, F1.4: A1 and A2 (2.2, 2.7). */
export const activationStartCases: readonly ConformanceCase[] = [
  {
    name: 'a2-parameters',
    step: 'F1.4',
    section: '2.2',
    demand: 'A2 chooses what was offered, names this UEM, and asks for a cost that a device accepts',
    async run(subject) {
      const user = await subject.setUp.user();
      const run = subject.run(await subject.setUp.password(user));
      const { version, suite, coreId, cost } = await run.start();
      demandSame('version', wire.PROTOCOL_VERSION, version);
      demandSame('suite', wire.SUITE_P256, suite);
      demandSame('coreId', subject.connection.coreId, coreId);
      const [N = 0, r = 0, p = 0] = cost;
      const log = Math.log2(N);
      demand(Number.isInteger(log) && log >= 14 && log <= 17 && r === 8 && p >= 1 && p <= 4, 'scrypt N 2^14 to 2^17, r 8, p 1 to 4', cost.join(', '));
    },
  },
  {
    name: 'a2-fresh',
    step: 'F1.4',
    section: '2.2',
    demand: 'each run has its own id and its own random',
    async run(subject) {
      const { code } = await subject.invited();
      const [first, second] = [await subject.run(code).start(), await subject.run(code).start()];
      demand(!sameBytes(first.activationId, second.activationId), 'another activationId for each run', 'the same one twice');
      demand(!sameBytes(first.random, second.random), 'another random in each A2', 'the same one twice');
    },
  },
  {
    name: 'a1-no-common-version',
    step: 'F1.4',
    section: '2.7',
    demand: 'no version in common is an alert, not another version',
    async run(subject) {
      demandAlert(await changedStart(subject, (frame) => withFields(frame, [[0, [99]]])), 'badMessage', 'for version 99 alone');
    },
  },
  {
    name: 'a1-no-common-suite',
    step: 'F1.4',
    section: '2.7',
    demand: 'no suite in common is an alert, not another suite',
    async run(subject) {
      demandAlert(await changedStart(subject, (frame) => withFields(frame, [[1, [0x7777]]])), 'badMessage', 'for suite 0x7777 alone');
    },
  },
  {
    name: 'a1-version-among-others',
    step: 'F1.4',
    section: '1.4',
    demand: 'a known version among unknown ones is taken',
    async run(subject) {
      const { code } = await subject.invited();
      const run = subject.run(code);
      demandSame('version', wire.PROTOCOL_VERSION, (await run.start(run.startFrame({ versions: [99, wire.PROTOCOL_VERSION] }))).version);
    },
  },
  {
    name: 'a1-user-id-form',
    step: 'F1.4',
    section: '2.7',
    demand: 'a user id that is not in its one form is refused',
    async run(subject) {
      demandAlert(await changedStart(subject, (frame) => withFields(frame, [[2, 'Alice@Conformance.invalid']])), 'badMessage', 'for a user id in upper case');
    },
  },
  {
    name: 'a1-oversized',
    step: 'F1.4',
    section: '1.8',
    demand: 'a body over 4,096 bytes before authentication is refused',
    async run(subject) {
      const padded = (frame: Uint8Array): Uint8Array => withFields(frame, [[UNKNOWN_OTHER, new Uint8Array(4_096)]]);
      demandAlert(await changedStart(subject, padded), 'badMessage', 'for an A1 of more than 4,096 bytes');
    },
  },
  {
    name: 'a1-missing-field',
    step: 'F1.4',
    section: '1.4',
    demand: 'a message without a required field is refused',
    async run(subject) {
      demandAlert(await changedStart(subject, (frame) => withFields(frame, [[3, undefined]])), 'badMessage', 'for an A1 without random');
    },
  },
  {
    name: 'a1-unknown-critical-field',
    step: 'F1.4',
    section: '1.4',
    demand: 'an unknown key below 64 is refused',
    async run(subject) {
      demandAlert(await changedStart(subject, (frame) => withFields(frame, [[UNKNOWN_CRITICAL, 1]])), 'badMessage', 'for an unknown key 63');
    },
  },
  {
    name: 'a1-unknown-other-field',
    step: 'F1.4',
    section: '1.4',
    demand: 'an unknown key from 64 on is passed over, and covered by the transcript',
    async run(subject) {
      const { code } = await subject.invited();
      const run = subject.run(code);
      await run.start(withFields(run.startFrame(), [[UNKNOWN_OTHER, utf8('later')]]));
      demand(await run.share(), 'confirmV over A1 as it was received', 'another confirmV');
    },
  },
  {
    name: 'a1-not-canonical',
    step: 'F1.4',
    section: '1.3',
    demand: 'a body that is not in the deterministic form is refused',
    async run(subject) {
      const swapped = (frame: Uint8Array): Uint8Array => {
        const { name, body } = wire.parseFrame(frame);
        // versions 81 01 → 81 18 01: the same number, one byte longer.
        const at = body.indexOf(0x81);
        return rawFrame(name, new Uint8Array([...body.subarray(0, at + 1), 0x18, ...body.subarray(at + 1)]));
      };
      demandAlert(await changedStart(subject, swapped), 'badMessage', 'for a number that is not in its shortest form');
    },
  },
  {
    name: 'a1-truncated-body',
    step: 'F1.4',
    section: '1.3',
    demand: 'a body that is cut short is refused',
    async run(subject) {
      const cut = (frame: Uint8Array): Uint8Array => {
        const { name, body } = wire.parseFrame(frame);
        return rawFrame(name, body.subarray(0, -1));
      };
      demandAlert(await changedStart(subject, cut), 'badMessage', 'for a body without its last byte');
    },
  },
  {
    name: 'a1-other-frame',
    step: 'F1.4',
    section: '9.2',
    demand: 'a frame of another service is refused',
    async run(subject) {
      demandAlert(await subject.post('activation', wire.poll.encode({ reason: 'request' })), 'badMessage', 'for a poll at the activation service');
    },
  },
  {
    name: 'unknown-user-alike',
    step: 'F1.4',
    section: '2.7',
    demand: 'A2 for an unknown user has the same fields, cost and length as for a known one, for both kinds of secret',
    async run(subject) {
      for (const kind of ['password', 'qr'] as const) {
        const user = await subject.setUp.user();
        await (kind === 'qr' ? subject.setUp.qrCode(user) : subject.setUp.password(user));
        const known = await parametersFor(subject, user.userId, kind);
        const unknown = await parametersFor(subject, subject.setUp.newName(), kind);
        demandSame(`length of A2 (${kind})`, known.lengthBytes, unknown.lengthBytes);
        demandSame(`scrypt cost (${kind})`, known.parameters.cost.join(), unknown.parameters.cost.join());
      }
    },
  },
  {
    name: 'unknown-user-salt-stable',
    step: 'F1.4',
    section: '2.7',
    demand: 'an unknown user has one salt, which is no other user’s',
    async run(subject) {
      const [one, other] = [subject.setUp.newName(), subject.setUp.newName()];
      const first = await parametersFor(subject, one, 'password');
      const again = await parametersFor(subject, one, 'password');
      const third = await parametersFor(subject, other, 'password');
      demand(sameBytes(first.parameters.salt, again.parameters.salt), 'the same salt for the same user', 'another one');
      demand(!sameBytes(first.parameters.salt, third.parameters.salt), 'another salt for another user', 'the same one');
    },
  },
  {
    name: 'salt-survives-secrets',
    step: 'F1.4',
    section: '2.3',
    demand: 'the salt does not change when a secret is made, replaced or taken away',
    async run(subject) {
      const user = await subject.setUp.user();
      const salts = [(await parametersFor(subject, user.userId, 'password')).parameters.salt];
      for (const change of [() => subject.setUp.password(user), () => subject.setUp.password(user), () => subject.setUp.expireSecrets(user)]) {
        await change();
        salts.push((await parametersFor(subject, user.userId, 'password')).parameters.salt);
      }
      demand(
        salts.every((salt) => sameBytes(salt, salts[0] as Uint8Array)),
        'one salt before, with, after a secret',
        'another one',
      );
    },
  },
];
