import { resolve } from 'node:path';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { writeConnectionFile } from '../data/connection-file.ts';
import { readRoleFiles, roleFilePath, writeRoleFiles } from '../data/role-file.ts';
import { connectionFilePath, connectionOf, makeLab } from '../lab-server.ts';
import { type CliCommand, cliCommand } from './cli-command.ts';
import { DEFAULT_FOLDER, placesOf, requireAllowedHost } from './options.ts';
import type { CliOutput } from './output.ts';

/** `lab-server init` */
export function initCommand(output: CliOutput): CliCommand {
  return cliCommand('lab-server', {
    name: 'init',
    description: 'Makes a new lab: authority, a certificate for each role, administrator, ports. `start` does it by itself; you need it to start roles alone.',
    options: {
      data: { type: 'string', default: DEFAULT_FOLDER, valueHint: 'DIR', description: 'Data folder of the lab' },
      host: { type: 'string', valueHint: 'ADDRESS', description: 'Address to listen on; 127.0.0.1 unless set' },
      advertise: { type: 'string', valueHint: 'NAME', description: 'Name or address that devices dial; the host unless set' },
      place: {
        type: 'string',
        valueHint: 'ROLES',
        description: 'Roles on machines of their own, with their addresses, for a new lab: noc=10.0.0.2,connectivity-node=10.0.1.2',
      },
      'allow-remote': { type: 'boolean', default: false, description: 'Allow an address that other machines can reach' },
      json: { type: 'boolean', default: false, description: 'Print one line of JSON' },
    },
    async run({ args }) {
      const folder = resolve(args.data);
      const roles = placesOf(args.place);
      for (const host of [args.host, ...Object.values(roles).map((place) => place?.host)]) requireAllowedHost(host, args['allow-remote']);
      const known = readRoleFiles(folder);
      const files =
        known ??
        (await makeLab({ folder, host: args.host, advertise: args.advertise, roles }, { clock: systemClock(), crypto: nodeCrypto(), entropy: nodeEntropy() }));
      if (known === undefined) writeRoleFiles(folder, files);
      const connectionFile = connectionFilePath(folder);
      writeConnectionFile(connectionFile, connectionOf(files));
      const roleFiles = Object.fromEntries(Object.values(files).map(({ role }) => [role, roleFilePath(folder, role)]));
      if (args.json) return output.out(JSON.stringify({ event: known === undefined ? 'made' : 'kept', data: folder, connectionFile, roleFiles }));
      output.out(known === undefined ? `A new lab is in ${folder}.` : `There is a lab in ${folder} already; it is kept.`);
      output.out('');
      output.out('Start all roles in one process:');
      output.out(`  lab-server start --data ${args.data}`);
      output.out('Or each alone, each with its own data folder; they find each other over mutual TLS:');
      for (const [role, path] of Object.entries(roleFiles)) output.out(`  lab-server start --role ${role} --join ${path} --data ${args.data}-${role}`);
      output.out('');
      output.out('The files of the roles hold private keys: copy them only to where the role runs.');
    },
  });
}
