import { causesFault, restStep, shortRequest } from './rest-steps.ts';
import type { Actor, Trouble } from './step-sink.ts';
import type { TraceLine } from './trace-line.ts';

/** An entry of the lab's journal (docs/admin-rest.md), as far as a trace needs it. */
export interface JournalEntry {
  readonly timeMs: number;
  readonly role: 'infrastructure' | 'uem' | 'notification' | 'noc' | 'connectivity-node';
  readonly service: string;
  readonly step?: string | undefined;
  readonly request: string;
  readonly answer: string;
  readonly userId?: string | undefined;
  readonly deviceId?: string | undefined;
  readonly reason?: string | undefined;
  readonly receivedMs?: number | undefined;
  readonly bytes?: number | undefined;
  readonly refs?: readonly string[] | undefined;
}

/** Services that devices talk to: their messages are in the trace of the device, so of these only what the device cannot see is taken from the journal. */
const DEVICE_SERVICES = new Set(['discovery', 'activation', 'device', 'push']);

/** Services of UEM that the NOC calls (F3.10, F3.11). */
const NOC_SERVICES = new Set(['setUp', 'envelopes']);

/** What an entry of the journal adds to a trace; undefined for what the devices have seen themselves. */
export function journalLine(entry: JournalEntry): TraceLine | undefined {
  const { role, service, reason } = entry;
  if (role === 'uem' && service === 'admin') return adminLine(entry);
  if (role === 'uem' && service === 'mail') return mailLine(entry);
  if (role === 'uem' && service === 'notifications') return ownWakeUp(entry);
  if (role === 'notification' && service === 'wakeUp') return wakeUp(entry);
  // Apps at the data path are no devices: what they send is in their own traces (F10).
  if (role === 'connectivity-node' || service === 'links' || service === 'proxies' || service === 'tenants')
    return reason === undefined ? undefined : aside(entry);
  if (role === 'noc' && entry.request !== 'connection') return line(entry, service === 'accessKeys' ? 'uem' : 'app', role);
  if (role === 'uem' && NOC_SERVICES.has(service)) return line(entry, 'noc', role);
  if (DEVICE_SERVICES.has(service) || service === 'restart') return reason === undefined ? undefined : aside(entry);
  // The notification service notes the same request, unless it never came there.
  if (role === 'infrastructure' && entry.request === 'push')
    return reason === undefined ? undefined : { ...line(entry, role, 'notification'), trouble: 'retry' };
  if (role === 'infrastructure') return line(entry, 'uem', role);
  if (role === 'notification') return line(entry, 'infrastructure', role);
  return aside(entry);
}

function line(entry: JournalEntry, from: Actor, to: Actor, message: string = entry.request): TraceLine {
  const { timeMs, receivedMs = timeMs, step, answer, bytes, deviceId, userId, refs, reason } = entry;
  return {
    time: new Date(receivedMs).toISOString(),
    step,
    from,
    to,
    message,
    bytes,
    answer,
    tookMs: timeMs - receivedMs,
    ...troubleOf(entry),
    ...(reason === undefined ? {} : { reason }),
    deviceId,
    userId,
    refs,
  };
}

function adminLine(entry: JournalEntry): TraceLine {
  const [method = '', path = ''] = entry.request.split(' ');
  return {
    ...line(entry, 'administrator', 'uem', shortRequest(method, path)),
    step: restStep(method, path),
    body: { path },
    ...(causesFault(method, path) ? { trouble: 'fault' } : {}),
  };
}

/** One attempt to mail a user (F1.1c). The journal knows which mail it is and what became of it; what it says is secret. */
function mailLine(entry: JournalEntry): TraceLine {
  const trouble = Object.hasOwn(MAIL_TROUBLE, entry.answer) ? MAIL_TROUBLE[entry.answer] : undefined;
  return { ...line(entry, 'uem', 'user'), ...(trouble === undefined ? {} : { trouble }) };
}

const MAIL_TROUBLE: Readonly<Record<string, Trouble>> = { waiting: 'retry', failed: 'refused', expired: 'lost' };

/** UEM alone says which device a wake-up is for. Where all went well, the way of the wake-up itself is drawn from the other roles. */
function ownWakeUp(entry: JournalEntry): TraceLine {
  const fine = entry.reason === undefined && entry.answer !== 'unregistered';
  // When it is known what became of it, not when it was begun.
  const { receivedMs: _begun, ...answered } = entry;
  const made = line(answered, 'uem', 'uem', `wake-up ${entry.answer}`);
  return fine ? made : { ...made, trouble: entry.answer === 'unregistered' ? 'refused' : 'retry' };
}

/** What was sent is in the trace of the device, where it arrived. */
function wakeUp(entry: JournalEntry): TraceLine | undefined {
  if (entry.request !== 'wakeUp') return aside(entry);
  if (entry.answer === 'sent') return undefined;
  return { ...line(entry, 'notification', 'device'), trouble: entry.answer === 'delayed' ? 'fault' : 'lost' };
}

/** Something that a role met or decided, and that its peer does not see. */
function aside(entry: JournalEntry): TraceLine {
  return line(entry, entry.role, entry.role, `${entry.request}: ${entry.answer}`);
}

function troubleOf({ answer, reason }: JournalEntry): { readonly trouble?: Trouble } {
  if (reason?.startsWith('fault ') === true) return { trouble: answer === 'dropped' ? 'lost' : 'fault' };
  if (answer.startsWith('alert') || /^[45]\d\d$/.test(answer)) return { trouble: 'refused' };
  return {};
}
