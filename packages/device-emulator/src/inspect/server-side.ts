import type { Clock, Entropy } from '@uemkit/protocol';
import { AdminApi, isOpen, type ServerCommand } from '../admin/admin-api.ts';
import { AdminError } from '../admin/admin-error.ts';
import { AdminHttp } from '../admin/admin-http.ts';
import type { Connection } from '../admin/connection-file.ts';

/** Commands of a device as the server has them, whoever gave them; `unknown` says why nobody could ask. */
export type ServerSide = { readonly pending: readonly ServerCommand[]; readonly finished: readonly ServerCommand[] } | { readonly unknown: string };

/** How long the server may take. */
const PATIENCE_MS = 5_000;

export interface ServerSideOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/** Asks the server once for the commands of a device, oldest first. Never rejects for a server that does not answer, or answers something else. */
export async function serverSide(device: { readonly userGuid: string; readonly deviceId: string }, options: ServerSideOptions): Promise<ServerSide> {
  const { connection, clock, entropy } = options;
  const late = new AbortController();
  const cancel = clock.setTimer(PATIENCE_MS, () => late.abort(new Error(`no answer within ${PATIENCE_MS / 1_000} s`)));
  const http = new AdminHttp(connection);
  const api = new AdminApi({ http, clock, entropy, signal: late.signal, patienceMs: 0 });
  try {
    const commands = (await api.commands(device)).toSorted((a, b) => (a.created ?? '').localeCompare(b.created ?? ''));
    return { pending: commands.filter(isOpen), finished: commands.filter((command) => !isOpen(command)) };
  } catch (error) {
    const reason = error instanceof Error && error.message !== '' ? error.message : String(error);
    return { unknown: error instanceof AdminError ? `the server at ${connection.admin} refuses: ${reason}` : `no server at ${connection.admin}: ${reason}` };
  } finally {
    cancel();
    await http.close();
  }
}
