import { join } from 'node:path';
import { type CryptoProvider, type Entropy, ProtocolError, toBase64url } from '@uemkit/protocol';
import * as v from 'valibot';
import type { RoleName } from '../roles/role.ts';
import { randomUuid } from '../state/ids.ts';
import { type LabPlace, LISTENERS, type ListenerName } from './lab-addresses.ts';
import { makeRole, makeRoot } from './lab-certificates.ts';
import { privateKeyPem, toPem } from './pem.ts';
import { readFileIfThere, writePrivateFile } from './private-file.ts';

/** Everything that one role needs to join a lab (`--join`): who it is, whom it believes, where the others are. Secret: mode 0600. */
export interface RoleFile {
  readonly format: 1;
  readonly role: RoleName;
  readonly tenantId: string;
  readonly coreId: string;
  /** Root of the lab, PEM. */
  readonly root: string;
  /** Key and certificate of the role, PEM. */
  readonly key: string;
  readonly certificate: string;
  readonly place: LabPlace;
  /** UEM alone: it issues device certificates and has the administrator. */
  readonly uem?: UemSecrets | undefined;
}

export interface UemSecrets {
  /** Private key of the root, PEM. */
  readonly rootKey: string;
  readonly username: string;
  readonly password: string;
  /** Key of values for the Authorization header, base64url. */
  readonly sessionKey: string;
}

/** The files of all roles. */
export type RoleFiles = Readonly<Record<RoleName, RoleFile>>;

const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535));
const ports = v.strictObject(Object.fromEntries(LISTENERS.map((name) => [name, port])) as Record<ListenerName, typeof port>);
const schema: v.GenericSchema<unknown, RoleFile> = v.strictObject({
  format: v.literal(1),
  role: v.picklist(['infrastructure', 'uem', 'notification']),
  tenantId: v.string(),
  coreId: v.string(),
  root: v.string(),
  key: v.string(),
  certificate: v.string(),
  place: v.strictObject({ host: v.string(), advertise: v.string(), ports }),
  uem: v.optional(v.strictObject({ rootKey: v.string(), username: v.string(), password: v.string(), sessionKey: v.string() })),
});

/** Makes the identities of a new lab: tenant, root, role certificates, administrator. Nothing is written. */
export function makeRoleFiles(options: {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly nowMs: number;
  readonly place: LabPlace;
}): RoleFiles {
  const { entropy, place } = options;
  const tenantId = randomUuid(entropy);
  const coreId = `uem-${tenantId.slice(0, 8)}`;
  const root = makeRoot(options, `uemkit lab ${tenantId.slice(0, 8)}`);
  const hosts = [...new Set(['localhost', '127.0.0.1', '::1', place.advertise])];
  const password = toBase64url(entropy.randomBytes(16));
  const sessionKey = toBase64url(entropy.randomBytes(32));
  const uem: UemSecrets = { rootKey: privateKeyPem(root.scalar, root.publicKey), username: 'admin', password, sessionKey };
  const file = (role: RoleName): RoleFile => {
    const { scalar, publicKey, certificate } = makeRole(options, root, role, hosts);
    return {
      format: 1,
      role,
      tenantId,
      coreId,
      root: toPem('CERTIFICATE', root.certificate),
      key: privateKeyPem(scalar, publicKey),
      certificate: toPem('CERTIFICATE', certificate),
      place,
      ...(role === 'uem' ? { uem } : {}),
    };
  };
  return { infrastructure: file('infrastructure'), uem: file('uem'), notification: file('notification') };
}

/** The same files for another place. */
export function movedTo(files: RoleFiles, place: LabPlace): RoleFiles {
  const { infrastructure, uem, notification } = files;
  return { infrastructure: { ...infrastructure, place }, uem: { ...uem, place }, notification: { ...notification, place } };
}

/** Path of a role's file in a data folder. */
export function roleFilePath(folder: string, role: RoleName): string {
  return join(folder, 'roles', `${role}.json`);
}

/** @throws ProtocolError `ERR_STORE_WRITE` */
export function writeRoleFiles(folder: string, files: RoleFiles): void {
  for (const file of Object.values(files)) writePrivateFile(roleFilePath(folder, file.role), `${JSON.stringify(file, undefined, 2)}\n`);
}

/** All role files of a data folder, or undefined when there is no lab yet. @throws ProtocolError `ERR_STORE_READ` */
export function readRoleFiles(folder: string): RoleFiles | undefined {
  if (readFileIfThere(roleFilePath(folder, 'uem')) === undefined) return undefined;
  const read = (role: RoleName): RoleFile => readRoleFile(roleFilePath(folder, role));
  return { infrastructure: read('infrastructure'), uem: read('uem'), notification: read('notification') };
}

/** @throws ProtocolError `ERR_STORE_READ` when there is no such file or it is none of ours */
export function readRoleFile(path: string): RoleFile {
  const text = readFileIfThere(path);
  if (text === undefined) throw new ProtocolError('ERR_STORE_READ', `${path}: there is no such file`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError('ERR_STORE_READ', `${path} is not JSON`, { cause });
  }
  const result = v.safeParse(schema, json);
  if (!result.success) throw new ProtocolError('ERR_STORE_READ', `${path} is no role file of format 1`);
  return result.output;
}
