import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { ProtocolError } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { makePlan } from '../plan/plan.ts';
import { parseScenario } from '../scenario/parse-scenario.ts';
import type { CliIo } from './cli-io.ts';
import type { Command } from './command.ts';
import { conformance } from './conformance-command.ts';
import { DEMO_SCENARIO } from './demo-scenario.ts';
import { diagram } from './diagram-command.ts';
import { EXIT } from './exit-codes.ts';
import { appServerFlag, FLAGS, type ParsedFlags, planFlags, textFlag } from './flags.ts';
import { inspect } from './inspect-command.ts';
import { planReport } from './plan-report.ts';
import { type RunRequest, runCommand } from './run-command.ts';
import { whichRuns } from './run-folders.ts';

const SCENARIO = { type: 'positional', description: 'The scenario file', required: true } as const;

const DEMO_EPILOGUE = `
What you saw: a server and a fleet on this machine, over real TLS sockets. Each device proved its password (SPAKE2+) and got a certificate, was
woken by push, asked for its commands over mutual TLS, got the most urgent one first, and answered. What a lost push would have brought came with
the regular poll. Some kinds and activation types may not do everything: UEM refused it before anything was sent, or the device answered with a reason, each as
the plan had worked out. A policy was changed for all of them, and only the group of rules that differs travelled. Apps on some of them activated themselves
and read pages of a server behind the firewall, under keys that the NOC does not have. Try next:

  device-emulator demo --size 20 --trace demo.ndjson
  device-emulator diagram demo.ndjson --device 1  every message of one device as a picture, decoded, with its step
  device-emulator plan examples/scenarios/rollout.yaml
  device-emulator run examples/scenarios/refusals.yaml
  lab-server start --data .lab                    a server of your own, to manage with curl (README, "Three shells")
`;

const demo: Command = {
  name: 'demo',
  description: 'A server and 210 devices of all seven kinds: activation, commands and a policy by push, refusals, lost pushes, apps, audit',
  args: { ...FLAGS },
  examples: [
    ['device-emulator demo', 'see the whole thing once'],
    ['device-emulator demo --json | tail -n 1', 'the same for a script'],
    ['device-emulator demo --size 20 --trace demo.ndjson', 'few devices, every message in a file'],
  ],
  run(parsed, io) {
    const state = textFlag(parsed, 'state');
    return runCommand(
      {
        stateFolder: state ?? mkdtempSync(join(io.temporaryFolder, 'device-emulator-demo-')),
        temporary: state === undefined,
        fresh: freshRun(DEMO_SCENARIO, 'demo.yaml', parsed),
        json: parsed.flags.json === true,
        out: textFlag(parsed, 'out'),
        trace: textFlag(parsed, 'trace'),
        epilogue: DEMO_EPILOGUE,
      },
      io,
    );
  },
};

const run: Command = {
  name: 'run',
  description: 'Runs a scenario',
  args: { scenario: SCENARIO, ...FLAGS },
  examples: [
    ['device-emulator run examples/scenarios/rollout.yaml', 'with a lab server of its own'],
    ['device-emulator run examples/scenarios/rollout.yaml --target .lab/connection.json', 'against a server that is running'],
    ['device-emulator run examples/scenarios/rollout.yaml --size 1000 --seed 2 --json', 'a thousand other devices in the same mix'],
    ['device-emulator run examples/scenarios/app-commands.yaml', 'apps on devices that an administrator locks, blocks and wipes'],
  ],
  run(parsed, io) {
    const { source, file } = readScenario(parsed, io);
    const fresh = freshRun(source, file, parsed);
    // Read first, so that a mistake in the file leaves no folder behind.
    const scenario = parseScenario(source, file);
    return runCommand(
      {
        stateFolder: textFlag(parsed, 'state') ?? freeFolder(io, `${scenario.name}-${fresh.seed}`),
        fresh,
        json: parsed.flags.json === true,
        out: textFlag(parsed, 'out'),
        trace: textFlag(parsed, 'trace'),
      },
      io,
    );
  },
};

const resume: Command = {
  name: 'resume',
  description: 'Goes on with a run that was interrupted or killed; activates no device twice',
  args: {
    state: { type: 'positional', description: 'The folder with the state of the run', required: true },
    json: FLAGS.json,
    target: { ...FLAGS.target, description: 'Connection file that takes the place of the one that the run began with' },
    out: FLAGS.out,
    trace: FLAGS.trace,
  },
  examples: [['device-emulator resume .device-emulator/rollout-1', 'the folder that Ctrl-C named']],
  run(parsed, io) {
    const [stateFolder] = parsed.positionals;
    if (stateFolder === undefined) throw new ProtocolError('ERR_USAGE_ARGUMENT', `which run? name the folder with its state, ${whichRuns(io)}`);
    if (!existsSync(resolve(io.cwd, stateFolder)))
      throw new ProtocolError('ERR_USAGE_ARGUMENT', `there is no folder ${stateFolder}; runs are in folders, ${whichRuns(io)}`);
    return runCommand(
      { stateFolder, target: textFlag(parsed, 'target'), json: parsed.flags.json === true, out: textFlag(parsed, 'out'), trace: textFlag(parsed, 'trace') },
      io,
    );
  },
};

const plan: Command = {
  name: 'plan',
  description: 'Shows what a scenario would do, and does nothing',
  args: { scenario: SCENARIO, seed: FLAGS.seed, size: FLAGS.size, json: FLAGS.json },
  examples: [['device-emulator plan examples/scenarios/rollout.yaml --size 1000', 'how many of which kind, how long, which commands']],
  async run(parsed, io) {
    const { source, file } = readScenario(parsed, io);
    const made = makePlan(parseScenario(source, file), nodeCrypto(), planFlags(parsed));
    io.out(
      parsed.flags.json === true
        ? `${JSON.stringify({ fleetId: made.fleetId, plan: made.digest, devices: made.devices, steps: made.steps })}\n`
        : planReport(made),
    );
    return EXIT.ok;
  },
};

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [demo, run, resume, plan, diagram, inspect, conformance];

function readScenario(parsed: ParsedFlags, io: CliIo): { readonly source: string; readonly file: string } {
  const [file] = parsed.positionals;
  if (file === undefined) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'which scenario? name its file, for example examples/scenarios/rollout.yaml');
  try {
    return { source: readFileSync(resolve(io.cwd, file), 'utf8'), file };
  } catch (cause) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', `the scenario ${file} cannot be read; name its file, for example examples/scenarios/rollout.yaml`, { cause });
  }
}

function freshRun(scenarioSource: string, scenarioFile: string, parsed: ParsedFlags): NonNullable<RunRequest['fresh']> {
  const { seed, size } = planFlags(parsed);
  const target = textFlag(parsed, 'target');
  const appServer = appServerFlag(parsed);
  return {
    scenarioFile,
    scenarioSource,
    seed: seed ?? parseScenario(scenarioSource, scenarioFile).seed,
    ...(size === undefined ? {} : { size }),
    ...(target === undefined ? {} : { target }),
    ...(appServer === undefined ? {} : { appServer }),
  };
}

/** A folder for a run that names none: finished runs stay where they are, an unfinished one is asked about. */
function freeFolder(io: CliIo, name: string): string {
  for (let number = 1; ; number++) {
    const folder = join('.device-emulator', number === 1 ? name : `${name}.${number}`);
    if (!existsSync(resolve(io.cwd, folder))) return relative(io.cwd, resolve(io.cwd, folder));
  }
}
