import { join, resolve } from 'node:path';
import { ProtocolError } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { makeNodeFile } from '../data/another-node.ts';
import { placeOf } from '../data/lab-addresses.ts';
import { readFileIfThere, writePrivateFile } from '../data/private-file.ts';
import { readRoleFile, roleFilePath } from '../data/role-file.ts';
import { type CliCommand, cliCommand } from './cli-command.ts';
import { DEFAULT_FOLDER, requireAllowedHost } from './options.ts';
import type { CliOutput } from './output.ts';

/** `lab-server add-node` */
export function addNodeCommand(output: CliOutput): CliCommand {
  return cliCommand('lab-server', {
    name: 'add-node',
    description: 'Makes the file of one more Connectivity Node of a lab, for clusters of several Proxies. Its roles have to run alone.',
    options: {
      data: { type: 'string', default: DEFAULT_FOLDER, valueHint: 'DIR', description: 'Data folder of the lab' },
      name: { type: 'string', default: 'second', valueHint: 'NAME', description: 'Part of the name of its file' },
      host: { type: 'string', valueHint: 'ADDRESS', description: 'Address of its machine; that of the first node unless set' },
      'allow-remote': { type: 'boolean', default: false, description: 'Allow an address that other machines can reach' },
      json: { type: 'boolean', default: false, description: 'Print one line of JSON' },
    },
    async run({ args }) {
      const { name, host } = args;
      if (!/^[a-z0-9-]{1,32}$/.test(name)) throw new ProtocolError('ERR_USAGE_ARGUMENT', `--name ${name}: small letters, digits and hyphens, at most 32`);
      requireAllowedHost(host, args['allow-remote']);
      const folder = resolve(args.data);
      const path = join(folder, 'roles', `connectivity-node-${name}.json`);
      const isKnown = readFileIfThere(path) !== undefined;
      if (!isKnown) {
        const uem = readRoleFile(roleFilePath(folder, 'uem'));
        const place = host === undefined ? placeOf(uem.place, 'connectivity-node') : { host, advertise: host };
        const file = makeNodeFile({ crypto: nodeCrypto(), entropy: nodeEntropy(), nowMs: systemClock().nowMs() }, uem, place);
        writePrivateFile(path, `${JSON.stringify(file, undefined, 2)}\n`);
      }
      if (args.json) return output.out(JSON.stringify({ event: isKnown ? 'kept' : 'made', roleFile: path }));
      output.out(isKnown ? `There is a node ${name} already; it is kept.` : `One more Connectivity Node is in ${path}.`);
      output.out('On the machine of another node it needs a port of its own for Direct Connect:');
      output.out(`  lab-server start --role connectivity-node --join ${path} --data ${args.data}-${name} --direct-port 0`);
    },
  });
}
