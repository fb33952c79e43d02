import { toHex } from '@uemkit/protocol';
import type { WireDocument } from '@uemkit/protocol/wire';

/** A service of an app, in one version. */
export interface ServiceDetail {
  readonly serviceId: string;
  readonly version: string;
}

/** An app of this user on this device that offers services, as UEM says. */
export interface ServiceProvider {
  /** Names this installation of it. */
  readonly address: string;
  /** Entitlement id. */
  readonly applicationId: string;
  readonly name: string;
  /** Of the app. */
  readonly version: string;
  /** As the operating system knows it. */
  readonly platformId: string;
  readonly services: readonly ServiceDetail[];
}

/** Another app, with the keys that UEM has told for it; secret. */
export interface ServiceApp extends ServiceProvider {
  readonly instanceId: Uint8Array;
  readonly sendKey: Uint8Array | undefined;
  readonly receiveKey: Uint8Array | undefined;
}

/** What UEM has told of services (docs/protocol/14-inter-app-services.md, 14.3). */
export interface ServiceApps {
  /** What this app offers. */
  readonly offers: readonly ServiceDetail[];
  /** Of this app. */
  readonly platformId: string;
  readonly apps: readonly ServiceApp[];
}

/** Reads the entry `services` of policy; undefined when there is none. What does not have its form is left out: it gives nobody anything. */
export function serviceApps(policy: WireDocument | undefined): ServiceApps | undefined {
  const document = policy?.['services'] as Readonly<Record<string, unknown>> | undefined;
  if (typeof document?.['platformId'] !== 'string') return undefined;
  return { offers: detailsOf(document['offers']), platformId: document['platformId'], apps: listOf(document['apps']).flatMap(appOf) };
}

function appOf({
  instanceId,
  applicationId,
  name,
  version,
  platformId,
  services,
  sendKey,
  receiveKey,
}: Readonly<Record<string, unknown>>): readonly ServiceApp[] {
  if (!isBytes(instanceId, 16) || typeof applicationId !== 'string' || typeof name !== 'string' || typeof version !== 'string') return [];
  if (typeof platformId !== 'string') return [];
  return [
    {
      ...{ address: toHex(instanceId), applicationId, name, version, platformId, services: detailsOf(services), instanceId },
      sendKey: isBytes(sendKey, 32) ? sendKey : undefined,
      receiveKey: isBytes(receiveKey, 32) ? receiveKey : undefined,
    },
  ];
}

function detailsOf(value: unknown): readonly ServiceDetail[] {
  return listOf(value).flatMap(({ serviceId, version }) => (typeof serviceId === 'string' && typeof version === 'string' ? [{ serviceId, version }] : []));
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'object' && item !== null) : [];
}

function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length;
}
