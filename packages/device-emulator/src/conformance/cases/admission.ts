import { sameBytes } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { DEVICE_INFO } from '../activation-run.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { messageOf } from '../frames.ts';
import { demand, demandSame, Mismatch } from '../mismatch.ts';
import type { ActivationRules, QrSecret, TestUser } from '../set-up.ts';
import type { Subject } from '../subject.ts';

const { platform, model } = DEVICE_INFO;
/** An activation type that the device of a case cannot take, and one that it can. */
const OTHER_TYPE = 'work-space-only';
const OWN_TYPES: readonly string[] = ['work-and-personal-full-control'];

/** A device proves its secret and is refused, once and again, until `allow` has lifted what stands against it: the secret is as good as before. */
async function refused(subject: Subject, user: TestUser, code: QrSecret, reason: string, allow: () => Promise<unknown>): Promise<void> {
  const before = (await subject.setUp.devicesOf(user)).length;
  const run = await subject.run(code).prove();
  const frame = run.requestFrame({ activationTypes: OWN_TYPES });
  const answer = await run.post(frame);
  const outcome = run.outcome(answer);
  if (!wire.isActivationRefused(outcome)) throw new Mismatch(`refusal ${reason}`, 'a device');
  demandSame('refusal', reason, outcome.refusal);
  const again = await run.post(frame);
  demand(sameBytes(answer?.body as Uint8Array, again?.body as Uint8Array), 'the same A6 for the same A5', 'another A6');
  demandSame('devices of the user', before, (await subject.setUp.devicesOf(user)).length);
  demandSame('refusals that the administrator sees', reason, (await subject.setUp.refusals(user)).join());
  await allow();
  const second = await subject.run(code, run.key).prove();
  second.open(await second.post(second.requestFrame({ activationTypes: OWN_TYPES })));
}

/** A refusal that comes from the activation profile. */
function byProfile(name: string, demand: string, reason: wire.ActivationRefusalReason, rules: ActivationRules): ConformanceCase {
  return {
    name,
    step: 'F1.4',
    section: '2.10',
    demand,
    async run(subject) {
      const user = await subject.setUp.user();
      const profile = await subject.setUp.activationProfile(rules);
      await refused(subject, user, await subject.setUp.qrCode(user, { profile }), reason, () => subject.setUp.activationProfile({}, profile));
    },
  };
}

/** F1.4, F1.5: devices that prove their secret and are not wanted (2.10). */
export const admissionCases: readonly ConformanceCase[] = [
  byProfile('refused-kind', 'a kind of device that the profile does not name is refused', 'kindNotAllowed', { deviceKinds: ['ios', 'macos'] }),
  byProfile('refused-model', 'a model on the disallow list is refused', 'modelNotAllowed', { modelRestriction: { rule: 'disallow', models: [model] } }),
  byProfile('refused-model-not-listed', 'a model that is not on the allow list is refused', 'modelNotAllowed', {
    modelRestriction: { rule: 'allow', models: ['another model'] },
  }),
  byProfile('refused-os', 'an operating system older than the minimum is refused', 'osTooOld', { minimumOsVersions: { [platform]: '99' } }),
  byProfile('refused-type', 'a device that can take none of the activation types is refused', 'activationTypeNotAvailable', {
    activationTypes: { [platform]: [{ activationType: OTHER_TYPE, createWorkSpace: true, encryptDevice: true }] },
  }),
  {
    name: 'refused-compliance',
    step: 'F1.4',
    section: '2.10',
    demand: 'a device that a compliance rule blocks is refused',
    async run(subject) {
      const { user, code } = await subject.invited();
      const rule = { mode: 'DISALLOW', models: [model], action: 'MONITOR_AND_LOG' };
      const profile = await subject.setUp.add('profiles', { kind: 'compliance', content: { hardwareModel: rule } });
      await subject.setUp.assign(user, 'profiles', profile);
      await refused(subject, user, code, 'compliance', () => subject.setUp.unassign(user, 'profiles', profile));
    },
  },
  {
    name: 'refused-device-limit',
    step: 'F1.4',
    section: '2.10',
    demand: 'a user who has as many devices as the profile allows gets no other one, until one leaves',
    async run(subject) {
      const user = await subject.setUp.user();
      const first = await subject.enrolled(user);
      const profile = await subject.setUp.activationProfile({ allowedDevices: 1 });
      const code = await subject.setUp.qrCode(user, { profile });
      await refused(subject, user, code, 'deviceLimit', () => first.post(wire.deactivate.encode({ cause: 'user' })));
    },
  },
  {
    name: 'refused-at-a7',
    step: 'F1.5',
    section: '2.10',
    demand: 'the device limit is judged again at A7: the second of two devices that wait hears the reason and ends',
    async run(subject) {
      const user = await subject.setUp.user();
      const profile = await subject.setUp.activationProfile({ allowedDevices: 1 });
      const secret = await subject.setUp.qrCode(user, { profile, expireAfterUse: false });
      const pending = async () => {
        const run = subject.run(secret);
        return subject.device(user, run.key, await run.details());
      };
      const [first, second] = [await pending(), await pending()];
      demandSame('ok', true, messageOf(await first.confirm(), wire.acknowledgement).ok);
      const { ok, refusal } = messageOf(await second.confirm(), wire.acknowledgement);
      demandSame('ok of the second device', false, ok);
      demandSame('refusal', 'deviceLimit', refusal);
      demandSame('devices of the user', first.deviceId, (await subject.setUp.devicesOf(user)).join());
    },
  },
  {
    name: 'refused-licence',
    step: 'F1.4',
    section: '2.10',
    demand: 'without a licence no device is activated',
    slow: true,
    async run(subject) {
      const { user, code } = await subject.invited();
      const before = await subject.setUp.licences(0);
      try {
        await refused(subject, user, code, 'licenceLimit', () => subject.setUp.licences(before));
      } finally {
        await subject.setUp.licences(before);
      }
    },
  },
];
