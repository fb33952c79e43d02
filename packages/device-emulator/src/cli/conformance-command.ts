import { resolve } from 'node:path';
import { ProtocolError } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { readConnection } from '../admin/connection-file.ts';
import type { ConformanceCase } from '../conformance/conformance-case.ts';
import { CONFORMANCE_CASES } from '../conformance/conformance-cases.ts';
import { conformanceReport } from '../conformance/conformance-report.ts';
import { runConformance } from '../conformance/run-conformance.ts';
import { wordHint } from '../scenario/did-you-mean.ts';
import type { CliIo } from './cli-io.ts';
import type { Command } from './command.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { FLAGS, textFlag } from './flags.ts';

/** Cases at once: most of the time of one is spent waiting for the server. */
const WIDTH = 4;

/** `device-emulator conformance` */
export const conformance: Command = {
  name: 'conformance',
  description: 'Checks a server against docs/protocol, case by case, as devices see it',
  args: {
    target: { ...FLAGS.target, description: 'Connection file of the server; the admin REST that it names is used to set the cases up' },
    case: { type: 'string', valueHint: 'name', description: 'One case alone' },
    slow: {
      type: 'boolean',
      description: 'Also the cases that wait for a minute (the end of a secret), and the one that takes all licences away for a moment',
    },
    json: { ...FLAGS.json, description: 'Print the results as one JSON object in place of the table' },
  },
  examples: [
    ['device-emulator conformance --target .lab/connection.json', 'the table of all cases; exit code 1 when one fails'],
    ['device-emulator conformance --target .lab/connection.json --case priority', 'one case'],
  ],
  async run(parsed, io) {
    const file = textFlag(parsed, 'target');
    if (file === undefined) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'which server? name its connection file with --target');
    const connection = readConnection(resolve(io.cwd, file));
    const cases = chosen(textFlag(parsed, 'case'), parsed.flags['slow'] === true);
    const results = await runConformance({
      connection,
      crypto: nodeCrypto(),
      entropy: nodeEntropy(),
      clock: systemClock(),
      cases,
      width: WIDTH,
      onResult: ({ name, ok }) => progress(io, name, ok),
    });
    const failed = results.filter(({ ok }) => !ok).length;
    io.out(parsed.flags['json'] === true ? `${JSON.stringify({ cases: results.length, failed, results })}\n` : conformanceReport(results));
    return verdict(failed);
  },
};

function chosen(name: string | undefined, slow: boolean): readonly ConformanceCase[] {
  if (name === undefined) return CONFORMANCE_CASES.filter((one) => slow || one.slow !== true);
  const found = CONFORMANCE_CASES.filter((one) => one.name === name);
  if (found.length > 0) return found;
  const names = CONFORMANCE_CASES.map((one) => one.name);
  throw new ProtocolError('ERR_USAGE_ARGUMENT', `there is no case ${name} (${wordHint(name, names)})`);
}

function progress(io: CliIo, name: string, ok: boolean): void {
  if (io.interactive) io.err(`\r\u001b[K${ok ? 'ok' : 'FAILED'}  ${name}`);
}

function verdict(failed: number): ExitCode {
  return failed === 0 ? EXIT.ok : EXIT.assertionFailed;
}
