import { appCommandEntry, appSelection } from './app-command-readers.ts';
import { commandEntry } from './command-readers.ts';
import { configurationEntries, KnownObjects } from './configuration-readers.ts';
import { INVALID, type Place, type Read } from './place.ts';
import { duration, listOf, name, oneOf, optional, record, required, share, text, whole, withDefault } from './readers.ts';
import type {
  AppCommandEntry,
  AppSelection,
  CommandEntry,
  ConfigurationEntry,
  ConfigureStep,
  FaultStep,
  LabFault,
  Selection,
  SendStep,
  SendToAppsStep,
  StepTime,
  TimelineStep,
} from './scenario.ts';

/** Which devices something is for. */
export const selection: Read<Selection> = record<Selection>({ population: optional(name), label: optional(name), share: withDefault(share, 1) });
const ALL: Selection = { population: undefined, label: undefined, share: 1 };

const fault: Read<LabFault> = record<LabFault>({
  kind: required(oneOf(['drop', 'delay', 'duplicate', 'refuse', 'status', 'restart', 'reorder', 'throttle', 'expire', 'expireAccess'] as const)),
  role: optional(text),
  service: optional(text),
  pushService: optional(oneOf(['apns', 'fcm', 'wns', 'bb10'] as const)),
  share: optional(share),
  count: optional(whole(1, 1_000_000)),
  at: optional(oneOf(['request', 'answer'] as const)),
  delayMs: optional(whole(0, 600_000)),
  status: optional(whole(500, 599)),
});

interface StepFields {
  readonly at: number | undefined;
  readonly after: 'drained' | undefined;
  readonly before: 'activation' | undefined;
  readonly send: readonly CommandEntry[] | undefined;
  readonly sendToApps: readonly AppCommandEntry[] | undefined;
  readonly configure: readonly ConfigurationEntry[] | undefined;
  readonly to: AppSelection | undefined;
  readonly fault: LabFault | undefined;
  readonly for: number | undefined;
}

const stepRecord = (to: Read<AppSelection>): Read<StepFields> =>
  record<StepFields>({
    at: optional(duration),
    after: optional(oneOf(['drained'] as const)),
    before: optional(oneOf(['activation'] as const)),
    send: optional(listOf(commandEntry, 32, 1)),
    sendToApps: optional(listOf(appCommandEntry, 32, 1)),
    configure: optional(configurationEntries),
    to: optional(to),
    fault: optional(fault),
    for: optional(duration),
  });

const stepForDevices = stepRecord(selection);
const stepForApps = stepRecord(appSelection);

/** A step as it is written: when it names no time, it is due with the latest of those before it that it waits for. */
type WrittenStep = Omit<SendStep, 'atMs'> | Omit<SendToAppsStep, 'atMs'> | Omit<ConfigureStep, 'atMs'> | Omit<FaultStep, 'atMs'>;
interface ReadStep {
  readonly atMs: number | undefined;
  readonly step: WrittenStep;
  readonly place: Place;
}

const timelineStep: Read<ReadStep> = (place) => {
  // Of apps alone `to` says which app.
  const read = place.entries()?.some(({ key }) => key === 'sendToApps') === true ? stepForApps(place) : stepForDevices(place);
  if (read === INVALID) return INVALID;
  const { at: atMs = read.after === 'drained' ? undefined : 0, send, sendToApps, configure, fault: caused } = read;
  if ([send, sendToApps, configure, caused].filter((part) => part !== undefined).length !== 1)
    return place.wrong('an entry of the timeline has one of send, sendToApps, configure and fault');
  if (caused === undefined && read.for !== undefined) return place.wrong('for belongs to a fault');
  if (read.before !== undefined && (configure === undefined || read.at !== undefined || read.after !== undefined))
    return place.wrong('before belongs to configure, and to no other time');
  if (caused !== undefined && read.to !== undefined) return place.wrong('to belongs to send, sendToApps or configure');
  // check: what an app is sent behind its wipe would reach it or not, by chance
  if (sendToApps?.slice(0, -1).some(({ command }) => command === 'DELETE_APPLICATION') === true)
    return place.wrong('DELETE_APPLICATION comes last: an app that is wiped gets nothing more');
  return { atMs, step: stepOf(read), place };
};

function stepOf({ after, before, send, sendToApps, configure, to, fault: caused, for: forMs }: StepFields): WrittenStep {
  if (send !== undefined) return { kind: 'send', after, send, to: to ?? ALL };
  if (sendToApps !== undefined) return { kind: 'sendToApps', after, sendToApps, to: to ?? ALL };
  if (configure !== undefined) return { kind: 'configure', after, before, configure, to };
  return { kind: 'fault', after, fault: caused as LabFault, forMs };
}

/** The timeline, with the times of its steps and with who gets what is configured. */
export function timeline(maxSteps: number): Read<readonly TimelineStep[]> {
  return (place) => {
    const read = listOf(timelineStep, maxSteps)(place);
    if (read === INVALID) return INVALID;
    let latestMs = 0;
    const steps = read.map(({ atMs = latestMs, step, place: at }, index) => {
      latestMs = Math.max(latestMs, atMs);
      if (step.before !== undefined && read.slice(0, index).some(({ step: earlier }) => earlier.before === undefined))
        at.wrong('what comes before the activation stands first in the timeline');
      return { step: { ...step, atMs } satisfies StepTime as TimelineStep, at };
    });
    const receivers = receiversOf(steps);
    return steps.map(({ step }) => (step.kind === 'configure' ? { ...step, to: receivers.get(step) } : step));
  };
}

/** Whom each configure step is for beside those who have it: what nobody has yet is for all devices, unless `to` says otherwise. In the order in which steps are due. */
function receiversOf(steps: readonly { readonly step: TimelineStep; readonly at: Place }[]): ReadonlyMap<TimelineStep, Selection | undefined> {
  const known = new KnownObjects();
  const receivers = new Map<TimelineStep, Selection | undefined>();
  for (const { step, at } of steps.toSorted((a, b) => a.step.atMs - b.step.atMs)) {
    if (step.kind !== 'configure') continue;
    const found = known.note(step.configure, at);
    if (found === 'mixed' && step.to === undefined) at.wrong('some of it is new and some of it is not', 'say whom it is for with to, or make two steps of it');
    receivers.set(step, step.to ?? (found === 'new' ? ALL : undefined));
  }
  return receivers;
}
