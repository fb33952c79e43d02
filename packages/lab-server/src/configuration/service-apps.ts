import { type CryptoProvider, type Entropy, fromHex, keySchedule, sameBytes, secret } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { appConsoleOf, consoleDocument } from '../state/app-consoles.ts';
import { type AppInstanceRecord, listAppInstances } from '../state/app-instances.ts';
import type { ApplicationRecord } from '../state/applications.ts';
import { deviceById, isLive } from '../state/devices.ts';
import { servicesKeyOf } from '../state/services-key.ts';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { assignedApplication } from './app-provisioning.ts';

/** Other apps that one app is told of: the document of all of them has to fit beside others. */
export const MAX_SERVICE_APPS = 32;

export interface ServicePorts {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
}

/** An app that may talk to others: where it is, and as whom, UEM knows. */
interface KnownPeer {
  readonly app: AppInstanceRecord & { readonly deviceId: string; readonly platformId: string };
  readonly application: ApplicationRecord;
}

/**
 * Entry `services` of the policy of an app (docs/protocol/14): what it offers, and the other apps of its user on its device that offer something, or are to be served.
 * @returns undefined when there is nothing to tell
 */
export function servicesDocument(ports: ServicePorts, tx: WriteView, app: AppInstanceRecord, nowMs: number): wire.WireDocument | undefined {
  const own = peerOf(ports.crypto, tx, app, nowMs);
  if (own === undefined) return undefined;
  const offers = own.application.services ?? [];
  const others = listAppInstances(tx, app.userGuid).flatMap((other) => {
    if (other.instanceId === app.instanceId) return [];
    const peer = peerOf(ports.crypto, tx, other, nowMs);
    if (peer === undefined || !mayTalk(own, peer)) return [];
    return offers.length > 0 || (peer.application.services ?? []).length > 0 ? [peer] : [];
  });
  if (offers.length === 0 && others.length === 0) return undefined;
  // A device has few apps; of too many those that were activated last.
  others.sort((a, b) => b.app.activatedAtMs - a.app.activatedAtMs || (a.app.instanceId < b.app.instanceId ? -1 : 1));
  const key = secret<'services'>(servicesKeyOf(tx, () => ports.entropy.randomBytes(32)));
  const pair = (from: AppInstanceRecord, to: AppInstanceRecord): Uint8Array =>
    keySchedule.servicePsk(ports.crypto, key, fromHex(from.instanceId), fromHex(to.instanceId));
  const apps = others.slice(0, MAX_SERVICE_APPS).map(({ app: other, application }): wire.WireDocument => {
    const services = application.services ?? [];
    return {
      instanceId: fromHex(other.instanceId),
      applicationId: other.appId,
      name: application.name,
      version: other.appVersion,
      platformId: other.platformId,
      services: services.map(({ serviceId, version }) => ({ serviceId, version })),
      ...(services.length === 0 ? {} : { sendKey: pair(app, other) }),
      ...(offers.length === 0 ? {} : { receiveKey: pair(other, app) }),
    };
  });
  return { offers: offers.map(({ serviceId, version }) => ({ serviceId, version })), platformId: own.app.platformId, apps };
}

/** An app that others may hear of; undefined when something is against it. */
function peerOf(crypto: CryptoProvider, view: ReadView, app: AppInstanceRecord, nowMs: number): KnownPeer | undefined {
  const { deviceId, platformId, userGuid, appId } = app;
  // check: S a device and a package that UEM knows
  if (deviceId === undefined || platformId === undefined) return undefined;
  // check: S the app goes on
  if (app.endingSinceMs !== undefined || nowMs >= app.sessionKeyExpiresAtMs) return undefined;
  const device = deviceById(view, deviceId);
  // check: S the device counts, and is this user's
  if (device === undefined || !isLive(device) || device.userGuid !== userGuid) return undefined;
  const application = assignedApplication(view, userGuid, appId);
  // check: S the catalogue has the app under this package
  if (application?.platformIds?.includes(platformId) !== true) return undefined;
  // check: S nobody has closed the app
  if (isClosed(crypto, view, app.instanceId)) return undefined;
  return { app: { ...app, deviceId, platformId }, application };
}

/** Blocked or wiped by the console, or still in a lock of it. A lock that the user has opened again is none: the app, which has seen the lock, has said so. */
function isClosed(crypto: CryptoProvider, view: ReadView, instanceId: string): boolean {
  const record = appConsoleOf(view, instanceId);
  if (record === undefined) return false;
  const { wipe, blocks, lockId, said } = record;
  if (wipe || blocks.length > 0) return true;
  if (lockId === undefined) return false;
  const seen = said?.report.state === 'authorized' ? said.report.console : undefined;
  return seen === undefined || !sameBytes(seen, keySchedule.appDocumentHash(crypto, { name: 'console', content: consoleDocument(record) }));
}

/** One device, and one space of it. */
function mayTalk({ app: own }: KnownPeer, { app: other }: KnownPeer): boolean {
  return own.deviceId === other.deviceId && keySchedule.isSameSpace(own.platformId, other.platformId);
}
