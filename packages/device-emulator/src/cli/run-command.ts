import { createWriteStream, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isProtocolError, ProtocolError } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { readConnection } from '../admin/connection-file.ts';
import { lockFleet } from '../fleet/fleet-lock.ts';
import { FleetStore } from '../fleet/fleet-store.ts';
import { SharedClock } from '../fleet/shared-clock.ts';
import { checkAssertions } from '../metrics/check-assertions.ts';
import { measureEventLoopDelay } from '../metrics/event-loop-delay.ts';
import { judgeGenerator, worstLag } from '../metrics/generator-verdict.ts';
import { makePlan, type Plan } from '../plan/plan.ts';
import type { Progress } from '../run/progress.ts';
import { jsonReport, type RunReport } from '../run/report.ts';
import { runFleet } from '../run/run-fleet.ts';
import { type RunHeader, RunState } from '../run/run-state.ts';
import { parseScenario } from '../scenario/parse-scenario.ts';
import { TraceWriter } from '../trace/trace-writer.ts';
import { asTyped } from './as-typed.ts';
import type { CliIo, OwnSite } from './cli-io.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { interruption } from './interruption.ts';
import { progressDisplay } from './progress-display.ts';
import { textReport } from './text-report.ts';

/** scrypt calls of the devices at a time; the server needs the other core. */
const SCRYPT_CONCURRENCY = 2;

/** A run as the command line asks for it. */
export interface RunRequest {
  readonly stateFolder: string;
  /** What a new run begins with; absent: an old one goes on. */
  readonly fresh?: Omit<RunHeader, 'format' | 'starts' | 'finished'> | undefined;
  /** Connection file that takes the place of the one that the run began with. */
  readonly target?: string | undefined;
  readonly json: boolean;
  /** File that the JSON report is written to. */
  readonly out?: string | undefined;
  readonly trace?: string | undefined;
  /** The state is of no use after a run that went well. */
  readonly temporary?: boolean | undefined;
  /** Words after the report. */
  readonly epilogue?: string | undefined;
}

/** Whether the run has asked the server for anything that stays. */
interface Mark {
  begun: boolean;
}

/** Runs or resumes a fleet in its state folder. @throws ProtocolError, ScenarioError, AdminError */
export async function runCommand(request: RunRequest, io: CliIo): Promise<ExitCode> {
  const folder = resolve(io.cwd, request.stateFolder);
  const isNew = !existsSync(folder);
  const lock = lockFleet(folder, io.processId);
  // Kept when there is something to look at or to go on with.
  let keep = false;
  const mark: Mark = { begun: false };
  let code: ExitCode;
  try {
    const store = new FleetStore(folder);
    try {
      code = await runIn(folder, store, request, io, mark);
      keep = code !== EXIT.ok;
    } finally {
      await store.close();
    }
  } finally {
    lock.release();
    if (!keep && (request.temporary === true || (isNew && !mark.begun))) rmSync(folder, { recursive: true, force: true });
  }
  if (code !== EXIT.ok && code !== EXIT.interrupted) io.err(`The state of the run is in ${folder}\n`);
  return code;
}

async function runIn(folder: string, store: FleetStore, request: RunRequest, io: CliIo, mark: Mark): Promise<ExitCode> {
  const state = new RunState(store);
  const header = await beginRun(state, request, folder);
  const crypto = nodeCrypto({ scryptConcurrency: SCRYPT_CONCURRENCY });
  const scenario = parseScenario(header.scenarioSource, header.scenarioFile);
  const plan = makePlan(scenario, crypto, { seed: header.seed, size: header.size });
  const display = progressDisplay({ write: io.err, interactive: io.interactive && !io.env.NO_COLOR, colour: io.interactive && !io.env.NO_COLOR });
  if (header.finished) display.note('this run had finished; its devices come up once more, nothing is sent twice');
  const progress: Progress = {
    ...display,
    phase(title) {
      mark.begun = true;
      display.phase(title);
    },
  };
  const interrupt = interruption(io, () => display.note('saving; press Ctrl-C again to end at once'));
  const clock = new SharedClock(systemClock());
  const trace =
    request.trace === undefined
      ? undefined
      : new TraceWriter(createWriteStream(resolve(io.cwd, request.trace), { mode: 0o600 }), (data) => crypto.sha256(data));
  const lab = header.target === undefined ? await io.startLab(join(folder, 'lab')) : undefined;
  let site: OwnSite | undefined;
  const beganMs = clock.monotonicMs();
  const delay = measureEventLoopDelay();
  try {
    const connection = lab?.connection ?? readConnection(resolve(io.cwd, header.target as string));
    site = await ownSite(plan, header, state, io);
    const outcome = await runFleet({
      plan,
      connection,
      store,
      state,
      resumed: header.starts > 1,
      start: header.starts,
      clock,
      crypto,
      entropy: nodeEntropy(),
      progress,
      signal: interrupt.signal,
      trace,
      appServer: header.appServer ?? scenario.appServer ?? site?.url,
      temporaryFolder: io.temporaryFolder,
    });
    const metrics = outcome.metrics.summary();
    const eventLoopDelay = delay.summary();
    const report: RunReport = {
      plan,
      starts: header.starts,
      metrics,
      order: outcome.order,
      audit: outcome.audit,
      kinds: outcome.kinds,
      assertions: checkAssertions(scenario.assertions, metrics, outcome.audit.ok),
      generator: judgeGenerator({ eventLoopDelay, lag: worstLag(metrics) }, scenario.generator),
      eventLoopDelay,
      tookMs: clock.monotonicMs() - beganMs,
    };
    const code = verdict(report);
    if (code === EXIT.ok) await state.putHeader({ ...header, finished: true });
    display.end();
    if (request.out !== undefined) writeFileSync(resolve(io.cwd, request.out), `${JSON.stringify(jsonReport(report), undefined, 2)}\n`);
    io.out(request.json ? `${JSON.stringify(jsonReport(report))}\n` : textReport(report) + (code === EXIT.ok ? asTyped(request.epilogue ?? '', io.env) : ''));
    return code;
  } catch (error) {
    display.end();
    // Refused before anything was left at the server: nothing to go on with.
    if (isUsage(error)) mark.begun = plan.devices.some(({ index }) => state.userGuid(index) !== undefined);
    if (!interrupt.signal.aborted) {
      if (mark.begun && request.temporary !== true && !isUsage(error))
        io.err(asTyped(`The run cannot go on now. What was done is saved; go on with: device-emulator resume ${folder}\n`, io.env));
      throw error;
    }
    io.err(asTyped(`Interrupted. Everything is saved; go on with: device-emulator resume ${folder}\n`, io.env));
    return EXIT.interrupted;
  } finally {
    delay.stop();
    interrupt.end();
    await lab?.stop();
    await site?.stop();
    await trace?.close();
  }
}

/** The HTTP server that apps ask where nobody names one. A resumed run has it where it was: apps that are activated know it by its port. */
async function ownSite(plan: Plan, { appServer }: RunHeader, state: RunState, io: CliIo): Promise<OwnSite | undefined> {
  if (plan.apps.length === 0 || appServer !== undefined || plan.scenario.appServer !== undefined) return undefined;
  const site = await io.startSite(state.site());
  await state.putSite(site.url);
  return site;
}

/** True when another try of the same run would end in the same way. */
function isUsage(error: unknown): boolean {
  return isProtocolError(error) && (error.code === 'ERR_USAGE_STATE' || error.code === 'ERR_USAGE_ARGUMENT');
}

async function beginRun(state: RunState, { fresh, target }: RunRequest, folder: string): Promise<RunHeader> {
  const before = state.header();
  if (fresh === undefined && before === undefined) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', `there is no run to resume in ${folder}`);
  }
  if (fresh !== undefined && before !== undefined) {
    const hint = before.finished ? 'take another --state, or delete that folder' : `go on with: device-emulator resume ${folder}`;
    throw new ProtocolError('ERR_USAGE_STATE', `there is a run in ${folder} already; ${hint}`);
  }
  const header: RunHeader =
    before === undefined
      ? { format: 1, ...(fresh as NonNullable<typeof fresh>), starts: 1, finished: false }
      : { ...before, ...(target === undefined ? {} : { target }), starts: before.starts + 1 };
  await state.putHeader(header);
  return header;
}

/** The most telling code: a generator that was too slow makes everything else doubtful. */
function verdict({ generator, audit, assertions }: RunReport): ExitCode {
  if (!generator.valid) return EXIT.generatorInvalid;
  if (!audit.ok) return EXIT.auditFailed;
  return assertions.every(({ ok }) => ok) ? EXIT.ok : EXIT.assertionFailed;
}
