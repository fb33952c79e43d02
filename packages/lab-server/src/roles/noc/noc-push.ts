import { LIMITS, type PushNotifyResult } from '@uemkit/protocol/wire';
import { joinId, partOf, sortable, type Table, table } from '../../state/table.ts';
import type { ReadView, WriteView } from '../../store/lab-store.ts';
import { linkById } from './noc-links.ts';
import { isProxyOf } from './noc-tenants.ts';

/** The push channels of one app, by its link (hex). */
interface AppRecord {
  readonly tenantId: string;
  /** Hex. */
  readonly channelIds: readonly string[];
  /** When the app was connected for them the last time. */
  readonly seenAtMs: number;
  /** Number of the next message. */
  readonly next: number;
}

/** What waits for an app. The NOC knows whom it is for, how long it is and when it came. */
export interface WaitingPush {
  readonly number: number;
  /** Hex. */
  readonly channelId: string;
  readonly sealed: Uint8Array;
  readonly acceptedAtMs: number;
}

const apps: Table<AppRecord> = table('noc-push-app');
const owners: Table<{ readonly linkId: string }> = table('noc-push-channel');
const messages: Table<WaitingPush> = table('noc-push-message');

/** Takes the list of an app in place of the one before; what waits for channels that are gone goes with them. False: one of them is another app's. */
export function setPushChannels(
  tx: WriteView,
  link: { readonly linkId: string; readonly tenantId: string },
  channelIds: readonly string[],
  nowMs: number,
): boolean {
  const { linkId, tenantId } = link;
  // check: a channel of another app
  if (channelIds.some((id) => (owners.get(tx, id)?.linkId ?? linkId) !== linkId)) return false;
  const before = apps.get(tx, linkId);
  const gone = new Set(before?.channelIds.filter((id) => !channelIds.includes(id)));
  for (const id of gone) owners.delete(tx, id);
  for (const { id, record } of rowsOf(tx, linkId)) if (gone.has(record.channelId)) messages.delete(tx, id);
  for (const id of channelIds) owners.put(tx, id, { linkId });
  apps.put(tx, linkId, { tenantId, channelIds: [...new Set(channelIds)], seenAtMs: nowMs, next: before?.next ?? 0 });
  return true;
}

/** The app is there, or was until now. */
export function notePushApp(tx: WriteView, linkId: string, nowMs: number): void {
  const app = apps.get(tx, linkId);
  if (app !== undefined) apps.put(tx, linkId, { ...app, seenAtMs: nowMs });
}

/** The link leads nowhere any more: its channels go, and what waits for them. */
export function forgetPushApp(tx: WriteView, linkId: string): void {
  const app = apps.get(tx, linkId);
  if (app === undefined) return;
  for (const id of app.channelIds) owners.delete(tx, id);
  for (const { id } of rowsOf(tx, linkId)) messages.delete(tx, id);
  apps.delete(tx, linkId);
}

/** What a Proxy has for a channel. */
export interface OfferedPush {
  readonly proxyId: string;
  /** Hex. */
  readonly channelId: string;
  /** Absent: only asked. */
  readonly sealed: Uint8Array | undefined;
}

/** Keeps a message for an app. `linkId`: whom to tell. A channel of another tenant is as one that is not there. */
export function takePush(
  tx: WriteView,
  { proxyId, channelId, sealed }: OfferedPush,
  nowMs: number,
  isConnected: (linkId: string) => boolean,
): { readonly result: PushNotifyResult; readonly linkId?: string } {
  const linkId = owners.get(tx, channelId)?.linkId;
  const app = linkId === undefined ? undefined : apps.get(tx, linkId);
  // check: the channel is of the tenant of the Proxy
  if (linkId === undefined || app === undefined || !isProxyOf(tx, app.tenantId, proxyId)) return { result: 'unknown' };
  // check: the link leads somewhere
  if (linkById(tx, linkId)?.status !== 'active') return { result: 'unknown' };
  // check: channels of an app that does not come back end
  if (!isConnected(linkId) && nowMs - app.seenAtMs >= LIMITS.pushKeptMs) {
    forgetPushApp(tx, linkId);
    return { result: 'unknown' };
  }
  if (sealed === undefined) return { result: 'accepted' };
  let count = 0;
  for (const { id, record } of rowsOf(tx, linkId)) {
    if (isOld(record, nowMs)) messages.delete(tx, id);
    else count += 1;
  }
  // check: what waits for an app is bounded
  if (count >= LIMITS.pushWaiting) return { result: 'full' };
  const { next } = app;
  messages.put(tx, joinId(linkId, sortable(next)), { number: next, channelId, sealed, acceptedAtMs: nowMs });
  apps.put(tx, linkId, { ...app, next: next + 1 });
  return { result: 'accepted', linkId };
}

/** Messages for an app with a number above this one, oldest first; none that is out of date. */
export function waitingPushes(view: ReadView, linkId: string, above: number, limit: number, nowMs: number): readonly WaitingPush[] {
  return rowsOf(view, linkId)
    .map(({ record }) => record)
    .filter((message) => message.number > above && !isOld(message, nowMs))
    .slice(0, limit);
}

/** The app has it. */
export function endPush(tx: WriteView, linkId: string, number: number): void {
  messages.delete(tx, joinId(linkId, sortable(number)));
}

function rowsOf(view: ReadView, linkId: string): ReturnType<typeof messages.page> {
  return messages.page(view, { under: partOf(linkId), limit: LIMITS.pushWaiting });
}

function isOld({ acceptedAtMs }: WaitingPush, nowMs: number): boolean {
  return nowMs - acceptedAtMs >= LIMITS.pushKeptMs;
}
