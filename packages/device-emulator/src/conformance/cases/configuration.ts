import { sameBytes } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { ConformanceCase } from '../conformance-case.ts';
import type { EnrolledDevice } from '../enrolled-device.ts';
import { messageOf, seenOf } from '../frames.ts';
import { demand, demandSame, Mismatch } from '../mismatch.ts';
import type { TestUser } from '../set-up.ts';
import type { Subject } from '../subject.ts';

/** Commands in a row; a server that has more for a device that applies them all never comes to an end. */
const MAX_UPDATES = 16;
/** A change is worked off in steps after the administrator has his answer: how often, and for how long, a device asks for it. */
const MAX_POLLS = 400;
const PAUSE_MS = 25;

/** Rules of the policy that all of these cases change. */
const RULES = { password: { required: true, minimumLength: 8 }, deviceFunctionality: { allowCamera: true }, apps: { allowUninstall: true } };

/** One update of a document (6.7). */
interface Update {
  readonly commandId: Uint8Array;
  readonly revision: number;
  readonly baseRevision: number | undefined;
  readonly set: Readonly<Record<string, unknown>>;
  readonly remove: readonly string[];
}

type Answer = Awaited<ReturnType<EnrolledDevice['poll']>>;

function updateOf(answer: Answer, type: string): Update {
  const command = messageOf(answer, wire.command);
  demandSame('type', type, command.type);
  const { revision, baseRevision, set = {}, remove = [] } = command.properties as Record<string, unknown>;
  demand(Number.isInteger(revision) && (revision as number) >= 1, 'a revision from 1 on', revision);
  return {
    commandId: command.commandId,
    revision: revision as number,
    baseRevision: baseRevision as number | undefined,
    set: set as Update['set'],
    remove: remove as readonly string[],
  };
}

/** The names of the parts of an update, for the table. */
const partsOf = ({ set, remove }: Update): string => `set ${Object.keys(set).sort().join(', ') || 'nothing'}; remove ${remove.join(', ') || 'nothing'}`;

const applied = (device: EnrolledDevice, { commandId, revision }: Update): Promise<Answer> => device.result(commandId, { data: { revision } });

/** Applies whatever the server has, and gives the last update of a type. */
async function settled(device: EnrolledDevice, type: string): Promise<Update> {
  let last: Update | undefined;
  let answer = await device.poll();
  for (let count = 0; seenOf(answer) === 'frame command'; count++) {
    demand(count < MAX_UPDATES, 'idle after the updates of a new device', `more than ${MAX_UPDATES} commands`);
    const command = messageOf(answer, wire.command);
    if (command.type === type) last = updateOf(answer, type);
    const { revision } = command.properties as Record<string, unknown>;
    answer = await device.result(command.commandId, typeof revision === 'number' ? { data: { revision } } : {});
  }
  messageOf(answer, wire.idle);
  if (last === undefined) throw new Mismatch(`a command ${type}`, 'idle');
  return last;
}

/** The update that a change leads to. */
async function next(subject: Subject, device: EnrolledDevice, type: string): Promise<Update> {
  for (let count = 0; count < MAX_POLLS; count++) {
    const answer = await device.poll();
    if (seenOf(answer) !== 'frame idle') return updateOf(answer, type);
    await new Promise<void>((resolve) => void subject.clock.setTimer(PAUSE_MS, resolve));
  }
  throw new Mismatch(`a command ${type}`, 'idle');
}

const POLICY = 'UPDATE_IT_POLICY';

interface Managed {
  readonly device: EnrolledDevice;
  readonly user: TestUser;
  readonly policy: string;
  /** The update that brought the policy. */
  readonly first: Update;
  change(rules: object): Promise<void>;
}

/** A device with a policy of its own that it has applied. */
async function managed(subject: Subject): Promise<Managed> {
  const { setUp } = subject;
  const user = await setUp.user();
  const policy = await setUp.add('policies', { rules: RULES });
  await setUp.assign(user, 'policies', policy);
  const device = await subject.pending(user);
  messageOf(await device.confirm(), wire.acknowledgement);
  const first = await settled(device, POLICY);
  return { device, user, policy, first, change: (rules) => setUp.replace('policies', policy, { rules }) };
}

const changed = (allowCamera: boolean): object => ({ ...RULES, deviceFunctionality: { allowCamera } });

/** F5.4, F5.5: policies and profiles, and that only what changed travels (6.7). */
export const configurationCases: readonly ConformanceCase[] = [
  {
    name: 'policy-first-is-whole',
    step: 'F5.4',
    section: '6.7',
    demand: 'the first update of a device is the whole policy',
    async run(subject) {
      const { first, policy } = await managed(subject);
      demandSame('baseRevision', undefined, first.baseRevision);
      demandSame('parts', 'set apps, deviceFunctionality, password, policy; remove nothing', partsOf(first));
      demandSame('guid of the policy', policy, (first.set['policy'] as Record<string, unknown>)['guid']);
      demandSame('minimumLength', RULES.password.minimumLength, (first.set['password'] as Record<string, unknown>)['minimumLength']);
    },
  },
  {
    name: 'policy-delta',
    step: 'F5.4',
    section: '6.7',
    demand: 'an update brings the parts that changed and no other',
    async run(subject) {
      const { device, first, change } = await managed(subject);
      await change(changed(false));
      const update = await next(subject, device, POLICY);
      demandSame('baseRevision', first.revision, update.baseRevision);
      demandSame('parts', 'set deviceFunctionality; remove nothing', partsOf(update));
      demandSame('allowCamera', false, (update.set['deviceFunctionality'] as Record<string, unknown>)['allowCamera']);
    },
  },
  {
    name: 'policy-part-removed',
    step: 'F5.4',
    section: '6.7',
    demand: 'a part that is gone is named, and nothing else is said',
    async run(subject) {
      const { device, change } = await managed(subject);
      const { apps: _, ...others } = RULES;
      await change(others);
      demandSame('parts', 'set nothing; remove apps', partsOf(await next(subject, device, POLICY)));
    },
  },
  {
    name: 'policy-versions',
    step: 'F5.5',
    section: '6.7',
    demand: 'revisions grow, and each update stands on the one that the device confirmed last',
    async run(subject) {
      const { device, first, change } = await managed(subject);
      let { revision } = first;
      for (const allowCamera of [false, true, false]) {
        await change(changed(allowCamera));
        const update = await next(subject, device, POLICY);
        demandSame('baseRevision', revision, update.baseRevision);
        demand(update.revision > revision, `a revision after ${revision}`, update.revision);
        revision = update.revision;
        messageOf(await applied(device, update), wire.idle);
      }
    },
  },
  {
    name: 'policy-newest',
    step: 'F5.4',
    section: '6.7',
    demand: 'two changes before a poll are one update, with the newer content',
    async run(subject) {
      const { device, change } = await managed(subject);
      await change(changed(false));
      await change({ ...changed(false), password: { required: true, minimumLength: 12 } });
      // The first poll may come between the two steps of the server: what counts is what the device has in the end.
      const update = await next(subject, device, POLICY);
      demandSame('parts', 'set deviceFunctionality, password; remove nothing', partsOf(update));
      demandSame('minimumLength', 12, (update.set['password'] as Record<string, unknown>)['minimumLength']);
      messageOf(await applied(device, update), wire.idle);
    },
  },
  {
    name: 'policy-in-flight',
    step: 'F5.4',
    section: '6.7',
    demand: 'an update that was handed out stays as it is until it is answered; what changed since comes after it',
    async run(subject) {
      const { device, change } = await managed(subject);
      await change(changed(false));
      const update = await next(subject, device, POLICY);
      const before = await device.poll();
      await change({ ...changed(false), password: { required: true, minimumLength: 12 } });
      const after = await device.poll();
      demand(sameBytes(before?.body as Uint8Array, after?.body as Uint8Array), 'the same update again', 'another frame');
      const answer = await applied(device, update);
      const second = seenOf(answer) === 'frame command' ? updateOf(answer, POLICY) : await next(subject, device, POLICY);
      demandSame('baseRevision', update.revision, second.baseRevision);
      demandSame('parts', 'set password; remove nothing', partsOf(second));
    },
  },
  {
    name: 'policy-lost',
    step: 'F5.5',
    section: '6.7',
    demand: 'a device that says that another revision is in force gets the whole policy',
    async run(subject) {
      const { device, change } = await managed(subject);
      await change(changed(false));
      const { commandId } = await next(subject, device, POLICY);
      const answer = await device.result(commandId, { status: 'failed', message: 'the policy was lost', data: { revision: 0 } });
      const whole = seenOf(answer) === 'frame command' ? updateOf(answer, POLICY) : await next(subject, device, POLICY);
      demandSame('baseRevision', undefined, whole.baseRevision);
      demandSame('parts', 'set apps, deviceFunctionality, password, policy; remove nothing', partsOf(whole));
    },
  },
  {
    name: 'profiles-delta',
    step: 'F5.4',
    section: '6.7',
    demand: 'a profile that is assigned, or taken away, is the only one that its update names',
    async run(subject) {
      const { setUp } = subject;
      const user = await setUp.user();
      const wiFi = (ssid: string): Promise<string> => setUp.add('profiles', { kind: 'wi-fi', content: { ssid, security: 'OPEN' } });
      const [one, other] = [await wiFi('one'), await wiFi('other')];
      await setUp.assign(user, 'profiles', one);
      const device = await subject.pending(user);
      messageOf(await device.confirm(), wire.acknowledgement);
      const first = await settled(device, 'UPDATE_PROFILES');
      demand(one in first.set, 'the assigned profile', partsOf(first));
      await setUp.assign(user, 'profiles', other);
      const second = await next(subject, device, 'UPDATE_PROFILES');
      demandSame('parts', `set ${other}; remove nothing`, partsOf(second));
      messageOf(await applied(device, second), wire.idle);
      await setUp.unassign(user, 'profiles', one);
      demandSame('parts', `set nothing; remove ${one}`, partsOf(await next(subject, device, 'UPDATE_PROFILES')));
    },
  },
];
