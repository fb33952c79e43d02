import type { ConnectionFile } from '../data/connection-file.ts';

/** Where a command writes, so that a test can read it. */
export interface CliOutput {
  out(line: string): void;
  error(line: string): void;
}

/** Writes to the terminal. */
export const terminal: CliOutput = {
  out: (line) => void process.stdout.write(`${line}\n`),
  error: (line) => void process.stderr.write(`${line}\n`),
};

/** What a person sees when the lab runs. */
export function readyText(connection: ConnectionFile, connectionFile: string, mail: string): readonly string[] {
  const { tenantId, administrator } = connection;
  return [
    'The lab is ready.',
    '',
    `  discovery      ${connection.infrastructure}`,
    `  activation     ${connection.activation}`,
    `  devices        ${connection.devices}   (mutual TLS)`,
    `  push           ${connection.notification}`,
    `  NOC            ${connection.noc}   (apps)`,
    ...(connection.proxyServices === undefined ? [] : [`  Proxy          ${connection.proxyServices}   (application servers)`]),
    `  admin REST     ${connection.admin}/${tenantId}/api/v1`,
    `  administrator  ${administrator.username}, password in the connection file`,
    `  mail to users  ${mail}`,
    '',
    `Connection file: ${connectionFile}`,
    'This shell now belongs to the lab. In another one:',
    '',
    `  device-emulator run examples/scenarios/rollout.yaml --target ${connectionFile}`,
    '',
    'Stop: Ctrl-C. Start again with the same --data and everything is still there.',
  ];
}
