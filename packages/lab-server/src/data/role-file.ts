import { join } from 'node:path';
import { type CryptoProvider, type Entropy, ProtocolError, toBase64url, x509 } from '@uemkit/protocol';
import * as v from 'valibot';
import { tenantUri } from '../links/certificate-guard.ts';
import type { PushCredentials } from '../roles/infrastructure/push/push-credentials.ts';
import type { PushAccounts } from '../roles/notification/push-accounts.ts';
import type { RoleName } from '../roles/role.ts';
import { randomUuid } from '../state/ids.ts';
import { type LabPlace, LISTENERS, type ListenerName, placeOf } from './lab-addresses.ts';
import { makeRole, makeRoot, makeSigningKey } from './lab-certificates.ts';
import { fromPem, privateKeyPem, toPem } from './pem.ts';
import { readFileIfThere, writePrivateFile } from './private-file.ts';
import { makePushIdentities } from './push-identities.ts';

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
  /** The Infrastructure alone: what the tenant sends with at the notification services. */
  readonly pushCredentials?: PushCredentials | undefined;
  /** The notification services alone: who may send. */
  readonly pushAccounts?: PushAccounts | undefined;
  /** The Connectivity Node alone. */
  readonly node?: NodeSecrets | undefined;
}

export interface NodeSecrets {
  /** Static key of `px` and `dc`, PEM. */
  readonly keyExchangeKey: string;
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

const rolePlace = { host: v.string(), advertise: v.string() };
const elsewhere = v.strictObject(rolePlace);
const roles = { infrastructure: elsewhere, uem: elsewhere, notification: elsewhere, noc: elsewhere, 'connectivity-node': elsewhere };
const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535));
/** A lab that was made before the Proxy had services takes any port for them. */
const ports = v.strictObject({
  ...(Object.fromEntries(LISTENERS.map((name) => [name, port])) as Record<ListenerName, typeof port>),
  proxyServices: v.optional(port, 0),
});
const signingKey = { keyId: v.string(), key: v.string() };
const pushCredentials: v.GenericSchema<unknown, PushCredentials> = v.strictObject({
  apns: v.strictObject({ topic: v.string(), key: v.string(), certificate: v.string() }),
  apnsApp: v.strictObject({ topic: v.string(), teamId: v.string(), ...signingKey }),
  fcm: v.strictObject({ projectId: v.string(), clientEmail: v.string(), ...signingKey }),
  wns: v.strictObject({ packageSid: v.string(), clientSecret: v.string() }),
  bb10: v.strictObject({ applicationId: v.string(), password: v.string() }),
});
const accountKeys = v.array(v.strictObject({ keyId: v.string(), publicKey: v.string() }));
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const pushAccounts: v.GenericSchema<unknown, PushAccounts> = v.strictObject({
  apns: v.array(v.strictObject({ topic: v.string(), team: v.optional(v.strictObject({ teamId: v.string(), keys: accountKeys })) })),
  fcm: v.array(v.strictObject({ projectId: v.string(), clientEmail: v.string(), keys: accountKeys })),
  wns: v.array(v.strictObject({ packageSid: v.string(), secretHash: sha256 })),
  bb10: v.array(v.strictObject({ applicationId: v.string(), passwordHash: sha256 })),
});
const schema: v.GenericSchema<unknown, RoleFile> = v.strictObject({
  format: v.literal(1),
  role: v.picklist(['infrastructure', 'uem', 'notification', 'noc', 'connectivity-node']),
  tenantId: v.string(),
  coreId: v.string(),
  root: v.string(),
  key: v.string(),
  certificate: v.string(),
  place: v.strictObject({ ...rolePlace, roles: v.optional(v.partial(v.strictObject(roles))), ports }),
  uem: v.optional(v.strictObject({ rootKey: v.string(), username: v.string(), password: v.string(), sessionKey: v.string() })),
  pushCredentials: v.optional(pushCredentials),
  pushAccounts: v.optional(pushAccounts),
  node: v.optional(v.strictObject({ keyExchangeKey: v.string() })),
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
  const password = toBase64url(entropy.randomBytes(16));
  const sessionKey = toBase64url(entropy.randomBytes(32));
  const uem: UemSecrets = { rootKey: privateKeyPem(root.scalar, root.publicKey), username: 'admin', password, sessionKey };
  const exchange = makeSigningKey(options);
  const push = makePushIdentities(options, root, tenantId);
  const own: Readonly<Record<RoleName, Partial<RoleFile>>> = {
    infrastructure: { pushCredentials: push.credentials },
    uem: { uem },
    notification: { pushAccounts: push.accounts },
    noc: {},
    'connectivity-node': { node: { keyExchangeKey: privateKeyPem(exchange.scalar, exchange.publicKey) } },
  };
  const file = (role: RoleName): RoleFile => {
    const hosts = [...new Set(['localhost', '127.0.0.1', '::1', placeOf(place, role).advertise])];
    const { scalar, publicKey, certificate } = makeRole(options, root, role, hosts, role === 'uem' ? tenantId : undefined);
    return {
      format: 1,
      role,
      tenantId,
      coreId,
      root: toPem('CERTIFICATE', root.certificate),
      key: privateKeyPem(scalar, publicKey),
      certificate: toPem('CERTIFICATE', certificate),
      place,
      ...own[role],
    };
  };
  return {
    infrastructure: file('infrastructure'),
    uem: file('uem'),
    notification: file('notification'),
    noc: file('noc'),
    'connectivity-node': file('connectivity-node'),
  };
}

/** The same files for another place. */
export function movedTo(files: RoleFiles, place: LabPlace): RoleFiles {
  return Object.fromEntries(Object.entries(files).map(([role, file]) => [role, { ...file, place }])) as RoleFiles;
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
  return {
    infrastructure: read('infrastructure'),
    uem: read('uem'),
    notification: read('notification'),
    noc: read('noc'),
    'connectivity-node': read('connectivity-node'),
  };
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
  const missing = missingRole(json);
  if (missing !== undefined)
    throw new ProtocolError('ERR_STORE_READ', `${path} is of a lab without the role ${missing}; make a new lab in another folder with init`);
  const result = v.safeParse(schema, json);
  if (!result.success) throw new ProtocolError('ERR_STORE_READ', `${path} is no role file of format 1`);
  const { role, tenantId, certificate } = result.output;
  const { purpose } = x509.readCertificate(fromPem('CERTIFICATE', certificate));
  if (role === 'uem' && !(purpose.kind === 'leaf' && purpose.uris.includes(tenantUri(tenantId))))
    throw new ProtocolError(
      'ERR_STORE_READ',
      `${path} is of an earlier version, or changed: the certificate of UEM does not name its tenant; make a new lab in another folder with init`,
    );
  return result.output;
}

/** The role that a lab of an earlier version lacks: its file knows no port of it, and there is no certificate for it. */
function missingRole(json: unknown): RoleName | undefined {
  const known = v.looseObject({ uemLink: v.optional(port), nodes: v.optional(port) });
  const result = v.safeParse(v.looseObject({ format: v.literal(1), place: v.looseObject({ ports: known }) }), json);
  if (!result.success) return undefined;
  const { ports: opened } = result.output.place;
  if (opened.uemLink === undefined) return 'noc';
  return opened.nodes === undefined ? 'connectivity-node' : undefined;
}
