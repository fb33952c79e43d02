import type { ActivationProfileRecord, LabServer } from '@uemkit/lab-server';
import * as wire from '@uemkit/protocol/wire';
import { withFields } from '../../src/conformance/frames.ts';
import { onContent } from './wrong-content.ts';
import { changed, isFrame, messageOf, onFrames, remembering, type WrongServer } from './wrong-server.ts';

type About = Omit<WrongServer, 'options'>;
type Properties = wire.Command['properties'];

/** A wrong server that lifts a rule before it looks whether a device keeps it. */
function lifting(about: About, lift: (lab: LabServer) => Promise<unknown>): WrongServer {
  return onFrames(about, async (request, next, lab) => {
    if (isFrame(request, 'activationStart')) await lift(lab);
    return next(request);
  });
}

/** A wrong server that does not look at one rule of activation profiles. */
function blindTo(about: About, rules: Partial<ActivationProfileRecord>): WrongServer {
  return lifting(about, async ({ admin }) => {
    for (const profile of [...admin.profiles()]) if (profile.profileId !== 'default') await admin.putProfile({ ...profile, ...rules });
  });
}

/** Servers that activate devices that are not wanted. */
const admission: readonly WrongServer[] = [
  blindTo({ name: 'takes-any-device-kind', breaks: 'the kind of a device is not looked at', caughtBy: 'refused-kind' }, { deviceKinds: undefined }),
  blindTo({ name: 'takes-any-model', breaks: 'the model of a device is not looked at', caughtBy: 'refused-model' }, { modelRestriction: undefined }),
  blindTo(
    { name: 'takes-unlisted-models', breaks: 'a model need not be on the allow list', caughtBy: 'refused-model-not-listed' },
    { modelRestriction: undefined },
  ),
  blindTo({ name: 'takes-any-os', breaks: 'the version of the operating system is not looked at', caughtBy: 'refused-os' }, { minimumOsVersions: undefined }),
  blindTo({ name: 'takes-any-type', breaks: 'what a device can take is not looked at', caughtBy: 'refused-type' }, { activationTypes: undefined }),
  blindTo({ name: 'takes-any-number', breaks: 'devices of a user are not counted', caughtBy: 'refused-device-limit' }, { allowedDevices: 1_000 }),
  lifting({ name: 'needs-no-licence', breaks: 'licences are not counted', caughtBy: 'refused-licence' }, ({ admin }) =>
    admin.changeActivationSettings({ licences: null }),
  ),
  onContent({ name: 'gives-another-reason', breaks: 'the reason of a refusal is another one', caughtBy: 'refused-compliance' }, () => ({
    outcome: (outcome) => (wire.isActivationRefused(outcome) ? { ...outcome, refusal: 'osTooOld' } : outcome),
  })),
  onFrames({ name: 'judges-once', breaks: 'at A7 nothing is judged again', caughtBy: 'refused-at-a7' }, async (request, next) =>
    changed(await next(request), wire.acknowledgement, () => ({ ok: true })),
  ),
];

/** A wrong server whose updates of the configuration have other properties. */
function updating(about: About, begin: () => (properties: Properties, type: string) => Properties): WrongServer {
  return remembering(about, () => {
    const change = begin();
    return async (request, next) =>
      changed(await next(request), wire.command, (command) =>
        command.type.startsWith('UPDATE_') ? { ...command, properties: change(command.properties, command.type) } : command,
      );
  });
}

const partsOf = (properties: Properties): Properties => properties['set'] as Properties;

/** An update that is none of a whole document gets one part more. */
const sendsMore = (properties: Properties): Properties =>
  properties['baseRevision'] === undefined ? properties : { ...properties, set: { ...partsOf(properties), more: { name: 'more' } } };

/** Servers that send too much, too little, or in another order. */
const documents: readonly WrongServer[] = [
  updating({ name: 'keeps-a-part', breaks: 'a part of the first policy is missing', caughtBy: 'policy-first-is-whole' }, () => (properties, type) => {
    if (type !== 'UPDATE_IT_POLICY') return properties;
    const { password: _, ...set } = partsOf(properties);
    return { ...properties, set };
  }),
  updating({ name: 'sends-what-is-there', breaks: 'parts that have not changed are sent, too', caughtBy: 'policy-delta' }, () => sendsMore),
  updating(
    { name: 'takes-nothing-away', breaks: 'a part that is gone is not named', caughtBy: 'policy-part-removed' },
    () =>
      ({ remove, ...properties }) =>
        remove === undefined ? properties : { ...properties, remove: [] },
  ),
  updating({ name: 'stands-on-the-first', breaks: 'every update stands on the first revision', caughtBy: 'policy-versions' }, () => {
    let first: Properties[string] | undefined;
    return (properties) => {
      first ??= properties['baseRevision'];
      return first === undefined ? properties : { ...properties, baseRevision: first };
    };
  }),
  updating({ name: 'leaves-the-newer-out', breaks: 'a change that came later is not in the update', caughtBy: 'policy-newest' }, () => (properties) => {
    if (properties['baseRevision'] === undefined) return properties;
    const { password: _, ...set } = partsOf(properties);
    return { ...properties, set };
  }),
  updating({ name: 'changes-in-flight', breaks: 'an update changes while the device has it', caughtBy: 'policy-in-flight' }, () => {
    let handedOut = 0;
    return (properties) => ({ ...properties, revision: Number(properties['revision']) + handedOut++ });
  }),
  onFrames({ name: 'hears-no-revisions', breaks: 'the revision that a device says is in force is not heard', caughtBy: 'policy-lost' }, (request, next) =>
    next(messageOf(request, wire.commandResult)?.status === 'failed' ? { ...request, frame: withFields(request.frame, [[3, undefined]]) } : request),
  ),
  updating({ name: 'sends-all-profiles', breaks: 'profiles that have not changed are sent, too', caughtBy: 'profiles-delta' }, () => sendsMore),
];

/** Servers that are wrong about who is wanted, and about what devices are given. */
export const WRONG_CONFIGURATION: readonly WrongServer[] = [...admission, ...documents];
