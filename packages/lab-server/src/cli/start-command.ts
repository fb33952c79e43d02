import { resolve } from 'node:path';
import { ProtocolError } from '@uemkit/protocol';
import { placeOf } from '../data/lab-addresses.ts';
import { readRoleFile, readRoleFiles, roleFilePath } from '../data/role-file.ts';
import type { RingJournal } from '../journal/journal.ts';
import { connectionFilePath, startLabServer } from '../lab-server.ts';
import { startRoleServer } from '../role-server.ts';
import type { RoleName } from '../roles/role.ts';
import type { MailSettingsRecord } from '../state/mail-settings.ts';
import { asTyped, type Environment } from './as-typed.ts';
import { type CliCommand, cliCommand } from './cli-command.ts';
import { writeJournalFile } from './journal-file.ts';
import { MAIL_OPTIONS, mailOf, mailWords } from './mail-options.ts';
import { DEFAULT_FOLDER, originsOf, portOf, requireAllowedHost, roleOf } from './options.ts';
import { type CliOutput, readyText } from './output.ts';

/** What runs until somebody ends it. */
interface Started {
  readonly journal: RingJournal;
  readonly text: readonly string[];
  /** One line of JSON. */
  readonly ready: object;
  close(): Promise<void>;
}

interface StartArguments {
  readonly folder: string;
  readonly role: RoleName | undefined;
  readonly join: string | undefined;
  readonly host: string | undefined;
  readonly advertise: string | undefined;
  readonly allowRemote: boolean;
  readonly origins: readonly string[];
  readonly allowUnboundLinks: boolean;
  readonly directPort: number | undefined;
  readonly mail: MailSettingsRecord | undefined;
}

/** `lab-server start`; `stopped` resolves when it is to end. */
export function startCommand(output: CliOutput, stopped: () => Promise<string>, env: Environment = {}): CliCommand {
  return cliCommand('lab-server', {
    name: 'start',
    description: 'Starts the lab: all roles, or one of them alone. Goes on where it was when it ended. Ctrl-C ends it.',
    options: {
      data: { type: 'string', default: DEFAULT_FOLDER, valueHint: 'DIR', description: 'Data folder: state, keys, ports, connection.json' },
      role: {
        type: 'string',
        valueHint: 'ROLE',
        description: 'Start uem, infrastructure, notification, noc or connectivity-node alone; all of them unless set',
      },
      join: { type: 'string', valueHint: 'FILE', description: 'Role file of the lab to join, made by `init`; the one in the data folder unless set' },
      host: { type: 'string', valueHint: 'ADDRESS', description: 'Address to listen on, for a new lab; 127.0.0.1 unless set' },
      advertise: { type: 'string', valueHint: 'NAME', description: 'Name or address that devices dial, for a new lab; the host unless set' },
      'allow-remote': { type: 'boolean', default: false, description: 'Allow an address that other machines can reach' },
      'allow-origin': {
        type: 'string',
        valueHint: 'ORIGINS',
        description: 'Origins whose pages may be devices, separated by commas, for example https://app.example; none unless set',
      },
      'allow-unbound-links': {
        type: 'boolean',
        default: false,
        description: 'Allow apps in pages, which have no channel binding, a link to the NOC; for all roles together',
      },
      'direct-port': {
        type: 'string',
        valueHint: 'PORT',
        description: 'Port of Direct Connect of a Connectivity Node alone; 17533 unless set, 0 for any',
      },
      ...MAIL_OPTIONS,
      journal: { type: 'string', valueHint: 'FILE', description: 'Append one line of JSON for each request' },
      json: { type: 'boolean', default: false, description: 'Print one line of JSON when ready, and nothing else' },
    },
    async run({ args }) {
      const { host, advertise, join } = args;
      const wanted = {
        folder: resolve(args.data),
        role: roleOf(args.role),
        join,
        host,
        advertise,
        allowRemote: args['allow-remote'],
        origins: originsOf(args['allow-origin']),
        allowUnboundLinks: args['allow-unbound-links'],
        directPort: portOf(args['direct-port']),
        mail: mailOf(args),
      };
      requireAllowedHost(host, wanted.allowRemote);
      const isWhole = wanted.role === undefined && join === undefined;
      if (wanted.allowUnboundLinks && !isWhole) throw new ProtocolError('ERR_USAGE_ARGUMENT', '--allow-unbound-links is for all roles together');
      if (wanted.directPort !== undefined && isWhole) throw new ProtocolError('ERR_USAGE_ARGUMENT', '--direct-port is for a Connectivity Node alone');
      const started = isWhole ? await startAll(wanted, output) : await startOne(wanted);
      const endJournal = args.journal === undefined ? undefined : writeJournalFile(started.journal, resolve(args.journal), output.error);
      if (args.json) output.out(JSON.stringify(started.ready));
      else for (const line of started.text) output.out(asTyped(line, env));
      const signal = await stopped();
      if (!args.json) output.out(`${signal}: the lab ends.`);
      await started.close();
      await endJournal?.();
    },
  });
}

async function startAll({ folder, host, advertise, allowRemote, origins, allowUnboundLinks, mail }: StartArguments, output: CliOutput): Promise<Started> {
  const known = readRoleFiles(folder)?.uem.place;
  if (known !== undefined) {
    requireAllowedHost(known.host, allowRemote);
    const { host: sameHost = known.host, advertise: sameName = known.advertise } = { host, advertise };
    if (sameHost !== known.host || sameName !== known.advertise)
      throw new ProtocolError(
        'ERR_USAGE_ARGUMENT',
        `the lab in ${folder} listens on ${known.host} as ${known.advertise}, its certificates are for that; choose another folder for another host`,
      );
  }
  const server = await startLabServer({
    folder,
    host,
    advertise,
    origins,
    allowUnboundLinks,
    mail,
    connectivityNode: true,
    portMoved: (listener, from, to) =>
      output.error(
        `Port ${from} of listener ${listener} is taken by another program; it is ${to} from now on. Devices that know the old address do not find it.`,
      ),
  });
  const { admin, connection, journal } = server;
  const connectionFile = connectionFilePath(folder);
  const { administrator: _administrator, ca: _ca, format: _format, ...addresses } = connection;
  return {
    journal,
    text: readyText(connection, connectionFile, mailWords(admin.mailSettings())),
    ready: { event: 'ready', role: 'all', processId: process.pid, data: folder, connectionFile, ...addresses },
    close: () => server.close(),
  };
}

async function startOne({ folder, role, join, allowRemote, origins, directPort, mail }: StartArguments): Promise<Started> {
  const file = readRoleFile(join === undefined ? roleFilePath(folder, role as RoleName) : resolve(join));
  if (role !== undefined && file.role !== role) throw new ProtocolError('ERR_USAGE_ARGUMENT', `--join: that is the file of role ${file.role}, not of ${role}`);
  requireAllowedHost(placeOf(file.place, file.role).host, allowRemote);
  if (mail !== undefined && file.role !== 'uem') throw new ProtocolError('ERR_USAGE_ARGUMENT', `--smtp: mails are sent by role uem, not by ${file.role}`);
  if (directPort !== undefined && file.role !== 'connectivity-node')
    throw new ProtocolError('ERR_USAGE_ARGUMENT', `--direct-port: Direct Connect is of role connectivity-node, not of ${file.role}`);
  const server = await startRoleServer({ file, folder, origins, directPort, mail });
  const { addresses, connection } = server;
  const lines = Object.entries(addresses).map(([name, address]) => `  ${name.padEnd(20)} ${address}`);
  const connectionFile = connection === undefined ? undefined : connectionFilePath(folder);
  return {
    journal: server.journal,
    text: [`Role ${server.role} is ready.`, '', ...lines, ...(connectionFile === undefined ? [] : ['', `Connection file: ${connectionFile}`])],
    ready: { event: 'ready', role: server.role, processId: process.pid, data: folder, connectionFile, addresses },
    close: () => server.close(),
  };
}
