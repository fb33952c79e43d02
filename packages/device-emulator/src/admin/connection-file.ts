import { readFileSync } from 'node:fs';
import { ProtocolError } from '@uemkit/protocol';
import * as v from 'valibot';

const text = v.pipe(v.string(), v.minLength(1));
const connection: v.GenericSchema<unknown, Connection> = v.object({
  format: v.literal(1),
  tenantId: text,
  coreId: text,
  ca: text,
  infrastructure: text,
  activation: text,
  devices: text,
  admin: v.pipe(v.string(), v.url()),
  notification: text,
  noc: v.optional(text),
  administrator: v.object({ username: text, password: text }),
});

/** Where a UEM server is and how to get in, as its connection file says. Holds the administrator's password. */
export interface Connection {
  readonly format: 1;
  readonly tenantId: string;
  readonly coreId: string;
  /** PEM. */
  readonly ca: string;
  /** `host:port`, as all addresses but `admin`. */
  readonly infrastructure: string;
  readonly activation: string;
  readonly devices: string;
  readonly admin: string;
  readonly notification: string;
  /** Of apps; absent: the server has no NOC. */
  readonly noc?: string | undefined;
  readonly administrator: { readonly username: string; readonly password: string };
}

/** @throws ProtocolError `ERR_USAGE_ARGUMENT` */
export function parseConnection(source: string, file: string): Connection {
  try {
    return v.parse(connection, JSON.parse(source));
  } catch (cause) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', `${file} is not a connection file of a lab server`, { cause });
  }
}

/** @throws ProtocolError `ERR_USAGE_ARGUMENT` */
export function readConnection(file: string): Connection {
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', `${file} cannot be read; is the lab server running, and did it write its connection file there?`, { cause });
  }
  return parseConnection(source, file);
}
