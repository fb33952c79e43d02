import { type CryptoProvider, type Entropy, keySchedule, ProtocolError, sameBytes } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { appConfiguration, appProxies } from '../../configuration/app-provisioning.ts';
import { policyOfApp } from '../../configuration/application-policy.ts';
import { servicesDocument } from '../../configuration/service-apps.ts';
import { type AppConsoleRecord, appConsoleOf, consoleDocument, putAppConsole } from '../../state/app-consoles.ts';
import { deleteAppInstance } from '../../state/app-instances.ts';
import { appendEvent } from '../../state/events.ts';
import type { ReadView, WriteView } from '../../store/lab-store.ts';
import { type AskingKnownApp, askingApp } from './known-app.ts';

/** Left for the head, the names and the lists around the documents. */
const AROUND_BYTES = 4_096;
/** Why an app ends that has said that it is wiped. */
export const WIPED = 'the app has destroyed its data';

export interface AppUpdatePorts {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly tenantRoots: readonly Uint8Array[];
}

/**
 * 0x43 of an activated app, and what has changed for it (F5.3, F5.4). What is asked for stands in the session, so it is this app that asks.
 * @throws ProtocolError `ERR_REJECTED_CREDENTIALS` when the app is not one any more
 */
export function compareApp(ports: AppUpdatePorts, tx: WriteView, asked: wire.ProxyKeyRequest, request: wire.AppUpdateRequest, nowMs: number): wire.AppUpdate {
  const known = requireApp(tx, asked, nowMs);
  const { report, appVersion } = request;
  const { instanceId } = known.app;
  const record = withUnlockKey(ports, appConsoleOf(tx, instanceId), report);
  const documents = documentsOf(ports, tx, known, record, nowMs);
  // What the app has is known now as well as behind 0x45, which may have been lost.
  const said = { atMs: nowMs, appVersion, report, isCurrent: documents.every((document) => isHeld(ports.crypto, report, document)) };
  putAppConsole(tx, instanceId, { ...record, said });
  return updateOf(ports.crypto, documents, report);
}

/**
 * 0x45: the app has carried it out (F5.5). One that has destroyed its data ends here.
 * @throws ProtocolError `ERR_REJECTED_CREDENTIALS` when the app is not one any more
 */
export function noteApp(ports: AppUpdatePorts, tx: WriteView, asked: wire.ProxyKeyRequest, report: wire.AppReport, nowMs: number): void {
  const known = requireApp(tx, asked, nowMs);
  const { userGuid, appId, deviceId, instanceId, appVersion, endingSinceMs } = known.app;
  if (report.state === 'wiped') {
    deleteAppInstance(tx, known.app);
    // Of an app that is not assigned any more it was told before.
    if (endingSinceMs === undefined) appendEvent(tx, { timeMs: nowMs, type: 'APPLICATION_ENDED', userGuid, deviceId, applicationId: appId, reason: WIPED });
    return;
  }
  const before = appConsoleOf(tx, instanceId);
  const record = withUnlockKey(ports, before, report);
  const isCurrent = documentsOf(ports, tx, known, record, nowMs).every((document) => isHeld(ports.crypto, report, document));
  putAppConsole(tx, instanceId, { ...record, said: { atMs: nowMs, appVersion: before?.said?.appVersion ?? appVersion, report, isCurrent } });
}

function requireApp(view: ReadView, asked: wire.ProxyKeyRequest, nowMs: number): AskingKnownApp {
  const known = askingApp(view, asked, nowMs);
  // check: F5.3 the session was taken back meanwhile
  if ('refused' in known) throw new ProtocolError('ERR_REJECTED_CREDENTIALS', known.refused);
  return known;
}

/** A new app gets its first unlock key, and one that has used its key gets another one. */
export function withUnlockKey({ entropy }: Pick<AppUpdatePorts, 'entropy'>, record: AppConsoleRecord | undefined, report?: wire.AppReport): AppConsoleRecord {
  const known = record ?? { blocks: [], unlockKey: newUnlockKey(entropy), isUnlockKeyHeld: false, wipe: false };
  if (report === undefined) return known;
  const holds = report.unlockKeyId !== undefined && sameBytes(report.unlockKeyId, known.unlockKey.id);
  if (holds) return { ...known, isUnlockKeyHeld: true };
  // check: F5.4 a key that was used is never the key again
  return known.isUnlockKeyHeld ? { ...known, unlockKey: newUnlockKey(entropy), isUnlockKeyHeld: false } : known;
}

function newUnlockKey(entropy: Entropy): wire.AppUnlockKey {
  return { id: entropy.randomBytes(16), key: keySchedule.generateAccessKey(entropy) };
}

/** Everything that an app is to have, what must not wait first. One that is not assigned any more gets that word and nothing else. */
function documentsOf(
  ports: AppUpdatePorts,
  tx: WriteView,
  { app, user, application }: AskingKnownApp,
  record: AppConsoleRecord,
  nowMs: number,
): readonly wire.AppDocument[] {
  // check: F5.4 no version of an app that is not assigned
  if (application === undefined) return [{ name: 'configuration', content: { entitledVersions: [] } }];
  const services = servicesDocument(ports, tx, app, nowMs);
  const policies = { ...policyOfApp(tx, app.userGuid, application), ...(services === undefined ? {} : { services }) };
  const policy = Object.entries(policies) as readonly (readonly [string, wire.WireDocument])[];
  return [
    { name: 'console', content: consoleDocument(record) },
    { name: 'configuration', content: appConfiguration(tx, application, user, app.instanceId) },
    ...policy.map(([name, content]) => ({ name: `policy/${name}`, content }) as const),
    { name: 'proxies', content: appProxies(tx, ports.tenantRoots) },
  ];
}

function isHeld(crypto: CryptoProvider, report: wire.AppReport, document: wire.AppDocument): boolean {
  const held = heldHash(report, document.name);
  return held !== undefined && sameBytes(held, keySchedule.appDocumentHash(crypto, document));
}

function heldHash(report: wire.AppReport, name: wire.AppDocument['name']): Uint8Array | undefined {
  if (name === 'configuration' || name === 'proxies' || name === 'console') return report[name];
  return report.policies.find((policy) => `policy/${policy.name}` === name)?.hash;
}

/** The documents that are others than those of the app, as far as there is room. */
function updateOf(crypto: CryptoProvider, documents: readonly wire.AppDocument[], report: wire.AppReport): wire.AppUpdate {
  const isEnding = documents.length === 1;
  const names = new Set(documents.map(({ name }) => name));
  const endedPolicies = isEnding ? [] : report.policies.map(({ name }) => name).filter((name) => !names.has(`policy/${name}`));
  let room = wire.LIMITS.bodyBytes - AROUND_BYTES;
  let more = false;
  const update: { configuration?: wire.WireDocument; proxies?: readonly wire.ProxyInstance[]; console?: wire.AppConsole } = {};
  const policies: Record<string, wire.WireDocument> = {};
  for (const document of documents) {
    if (isHeld(crypto, report, document)) continue;
    room -= wire.encodeAppDocument(document).length;
    if (room < 0) {
      more = true;
      break;
    }
    if (document.name === 'configuration') update.configuration = document.content as wire.WireDocument;
    else if (document.name === 'proxies') update.proxies = document.content as readonly wire.ProxyInstance[];
    else if (document.name === 'console') update.console = document.content as wire.AppConsole;
    else policies[document.name.slice('policy/'.length)] = document.content as wire.WireDocument;
  }
  return { ...update, ...(Object.keys(policies).length === 0 ? {} : { policies }), endedPolicies, more };
}
