import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressOf, type Machine, type Network } from './namespaces.ts';
import { Program } from './program.ts';

const SERVER = 'packages/lab-server/src/bin.ts';

export interface Roles {
  /** Root of the lab, PEM. */
  readonly ca: string;
  readonly tenantId: string;
  readonly noc: { readonly address: string; readonly processId: number };
  readonly node: { readonly processId: number };
  /** The scalar of the Proxy's static key. */
  readonly proxyKey: Buffer;
  /** Sets up a user and an app that may reach a host, and gives the access key. */
  administrator(host: string): Promise<string>;
}

/** UEM, NOC and Connectivity Node, each on its machine with nothing but its own role file. Resolves when the node is registered with UEM and stands at the NOC. */
export async function startRoles(network: Network, folder: string): Promise<Roles> {
  const lab = join(folder, 'lab');
  const place = `uem=${addressOf('uem')},noc=${addressOf('noc')},connectivity-node=${addressOf('node')}`;
  execFileSync(process.execPath, ['--conditions=@uemkit/source', '--import', 'tsx', SERVER, 'init', '--data', lab, '--place', place, '--allow-remote']);
  const start = async (role: string, machine: Machine): Promise<number> => {
    const args = ['start', '--role', role, '--join', join(lab, 'roles', `${role}.json`), '--data', join(folder, role), '--allow-remote', '--json'];
    const program = new Program<{ readonly processId: number }>(network, machine, SERVER, args);
    return (await program.next()).processId;
  };
  await start('uem', 'uem');
  const noc = await start('noc', 'noc');
  const node = await start('connectivity-node', 'node');
  const connection = JSON.parse(readFileSync(join(lab, 'connection.json'), 'utf8'));
  const { node: secrets } = JSON.parse(readFileSync(join(lab, 'roles', 'connectivity-node.json'), 'utf8'));
  const { d = '' } = createPrivateKey(secrets.keyExchangeKey).export({ format: 'jwk' });
  return {
    ca: connection.ca,
    tenantId: connection.tenantId,
    noc: { address: connection.noc, processId: noc },
    node: { processId: node },
    proxyKey: Buffer.from(d, 'base64url'),
    async administrator(host) {
      const program = new Program<{ readonly accessKey: string }>(network, 'uem', 'administrator.ts', [join(folder, 'uem', 'connection.json'), host]);
      return (await program.next()).accessKey;
    },
  };
}
