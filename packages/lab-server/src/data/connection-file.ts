import { ProtocolError } from '@uemkit/protocol';
import * as v from 'valibot';
import { readFileIfThere, writePrivateFile } from './private-file.ts';

/** What clients, scripts and the emulator need to reach a lab (`--target`). Holds the administrator's password: mode 0600. */
export interface ConnectionFile {
  readonly format: 1;
  readonly tenantId: string;
  readonly coreId: string;
  /** PEM of the root that all listeners come from. */
  readonly ca: string;
  /** `host:port` of discovery. */
  readonly infrastructure: string;
  /** `host:port` of the activation listener. */
  readonly activation: string;
  /** `host:port` of the device listener (mutual TLS). */
  readonly devices: string;
  /** `https://host:port` of the admin REST API. */
  readonly admin: string;
  /** `host:port` of the push connections. */
  readonly notification: string;
  /** `host:port` of the NOC, where apps are activated. */
  readonly noc: string;
  /** `https://host:port` of the Proxy's services for application servers; absent: there is no Connectivity Node. */
  readonly proxyServices?: string | undefined;
  readonly administrator: { readonly username: string; readonly password: string };
}

const schema: v.GenericSchema<unknown, ConnectionFile> = v.strictObject({
  format: v.literal(1),
  tenantId: v.string(),
  coreId: v.string(),
  ca: v.string(),
  infrastructure: v.string(),
  activation: v.string(),
  devices: v.string(),
  admin: v.string(),
  notification: v.string(),
  noc: v.string(),
  proxyServices: v.optional(v.string()),
  administrator: v.strictObject({ username: v.string(), password: v.string() }),
});

/** @throws ProtocolError `ERR_STORE_WRITE` */
export function writeConnectionFile(path: string, file: ConnectionFile): void {
  writePrivateFile(path, `${JSON.stringify(file, undefined, 2)}\n`);
}

/** @throws ProtocolError `ERR_STORE_READ` when there is no such file or it is none of ours */
export function readConnectionFile(path: string): ConnectionFile {
  const text = readFileIfThere(path);
  const result = v.safeParse(schema, text === undefined ? undefined : parseJson(text));
  if (result.success) return result.output;
  throw new ProtocolError('ERR_STORE_READ', text === undefined ? `${path}: there is no such file` : `${path} is no connection file of format 1`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
