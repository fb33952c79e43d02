import { joinId, sortable, type Table, table } from '../../state/table.ts';
import type { ReadView, WriteView } from '../../store/lab-store.ts';

/**
 * `provisional`: only set-up messages of its token pass, until UEM says that its key was used. `active`: the app may connect over it (F10). `coreOnly`: to UEM, and nowhere
 * else: the app is to hear that it is none of the tenant any more (docs/protocol/04, 4.9).
 */
export type LinkStatus = 'provisional' | 'active' | 'coreOnly';

/** One app's link to the NOC. Ids in hex. */
export interface LinkRecord {
  readonly linkId: string;
  /** psk of `link`; secret. */
  readonly masterLinkKey: Uint8Array;
  readonly status: LinkStatus;
  /** Of the key that it was begun with; the link has one token. */
  readonly keyId: string;
  readonly tenantId: string;
  readonly createdAtMs: number;
  /** Of the token. */
  readonly expiresAtMs: number;
}

/** Where the envelopes of a session belong: the NOC knows nothing else of a session. */
export interface NocSession {
  readonly linkId: string;
  readonly expiresAtMs: number;
}

/** Time in which an app may ask again for the last answer of its activation; as long as UEM keeps it. */
export const SESSION_KEPT_MS = 86_400_000;
/** Old sessions that are forgotten with each new one. */
const SWEEP = 4;

interface Reference {
  readonly id: string;
}
interface TokenKey {
  readonly key: Uint8Array;
}

const links: Table<LinkRecord> = table('noc-link');
const sessions: Table<NocSession> = table('noc-session');
const sessionsByEnd: Table<Reference> = table('noc-session-by-end');
const tokenKeys: Table<TokenKey> = table('noc-token-key');

export function putLink(tx: WriteView, link: LinkRecord): void {
  links.put(tx, link.linkId, link);
}

export function linkById(view: ReadView, linkId: string): LinkRecord | undefined {
  return links.get(view, linkId);
}

/** Forgets a link; its token and sessions lead nowhere then. */
export function deleteLink(tx: WriteView, linkId: string): void {
  links.delete(tx, linkId);
}

/** A link that lives: one that nobody has activated ends with its token. */
export function liveLink(view: ReadView, linkId: string, nowMs: number): LinkRecord | undefined {
  const link = links.get(view, linkId);
  return link?.status === 'provisional' && nowMs >= link.expiresAtMs ? undefined : link;
}

/** Notes which link a session belongs to. */
export function putNocSession(tx: WriteView, sessionId: string, linkId: string, nowMs: number): void {
  for (const { id, record } of sessionsByEnd.page(tx, { limit: SWEEP })) {
    if ((sessions.get(tx, record.id)?.expiresAtMs ?? 0) > nowMs) break;
    sessionsByEnd.delete(tx, id);
    sessions.delete(tx, record.id);
  }
  const expiresAtMs = nowMs + SESSION_KEPT_MS;
  sessions.put(tx, sessionId, { linkId, expiresAtMs });
  sessionsByEnd.put(tx, joinId(sortable(expiresAtMs), sessionId), { id: sessionId });
}

/** The link of a session. */
export function linkOfSession(view: ReadView, sessionId: string, nowMs: number): LinkRecord | undefined {
  const session = sessions.get(view, sessionId);
  return session === undefined || nowMs >= session.expiresAtMs ? undefined : liveLink(view, session.linkId, nowMs);
}

/** Secret key of the tokens; made once. */
export function tokenKeyOf(tx: WriteView, make: () => Uint8Array): Uint8Array {
  const known = tokenKeys.get(tx, 'this');
  if (known !== undefined) return known.key;
  const key = make();
  tokenKeys.put(tx, 'this', { key });
  return key;
}
