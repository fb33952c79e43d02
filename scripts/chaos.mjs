/**
 * Kills the emulator and the server with SIGKILL at random moments and lets them go on: nothing may be lost, nothing done twice.
 * Each round is a fleet of its own. In one half of the rounds the emulator is killed and resumed, in the other half the server is killed and started again
 * below a running fleet. A round holds when the audit agrees in the end: planned = activated = known to the server = drained, each command carried out once.
 *
 *   pnpm chaos [--rounds 20] [--seed 1] [--size 20]
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { bundledProgram } from './lib/bundled-program.mjs';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' }, size: { type: 'string', default: '20' } },
});
const ROUNDS = Number(values.rounds);
const SCENARIO = 'scripts/lib/chaos.yaml';
/** Longest time from the start of a program to its death. */
const LONGEST_LIFE_MS = 6_000;
const SHORTEST_LIFE_MS = 1_000;
/** More deaths of one fleet than that would leave it no time to live. */
const DEATHS = 3;
const ROUND_MS = 180_000;

// From the sources a program takes half of its life to start.
const LAB_SERVER = await bundledProgram(new URL('../packages/lab-server/src/bin.ts', import.meta.url));
const EMULATOR = await bundledProgram(new URL('../packages/device-emulator/src/bin.ts', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'uemkit-chaos-'));
const data = join(work, 'lab');
const connection = join(data, 'connection.json');
/** Of this script alone: at an address that others use, another lab could pick a port between a kill and the next start, and this one would move. */
const HOST = '127.0.0.12';

/** mulberry32: the same seed kills at the same moments. */
let state = Number(values.seed) >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
const moment = () => SHORTEST_LIFE_MS + Math.round(random() * (LONGEST_LIFE_MS - SHORTEST_LIFE_MS));

function start(script, args) {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (output.out += chunk));
  child.stderr.on('data', (chunk) => (output.err += chunk));
  const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal, ...output })));
  return { pid: child.pid, exited, output, kill: (signal) => child.kill(signal) };
}

async function startServer() {
  const server = start(LAB_SERVER, ['start', '--data', data, '--host', HOST, '--json']);
  const ready = (async () => {
    while (!server.output.out.includes('\n') || !existsSync(connection)) await pause(20);
    return true;
  })();
  const died = server.exited.then(({ err }) => Promise.reject(new Error(`the server did not start: ${err}`)));
  await Promise.race([ready, died]);
  died.catch(() => undefined);
  return server;
}

/** Lets the emulator go on until it ends by itself, killing it first at each of `moments`. */
async function live(first, resume, moments) {
  let deaths = 0;
  let begun = false;
  for (;;) {
    const emulator = start(EMULATOR, begun ? resume : first);
    const alarm = deaths < moments.length ? setTimeout(() => emulator.kill('SIGKILL'), moments[deaths]) : setTimeout(() => emulator.kill('SIGTERM'), ROUND_MS);
    const end = await emulator.exited;
    clearTimeout(alarm);
    // Killed before it had noted that it began: there is nothing to resume.
    const nothing = begun && end.code === 2 && end.err.includes('there is no run to resume');
    if (end.signal !== 'SIGKILL' && !nothing) return { ...end, deaths };
    if (!nothing) deaths++;
    begun = !nothing && (begun || existsSync(join(resume[1], 'fleet.mdb')));
  }
}

/** Kills the server at each of `moments` and starts it again, until the fleet is through. */
async function harass(server, moments, fleet) {
  let current = server;
  let deaths = 0;
  const through = fleet.then(() => 'through');
  for (const after of moments) {
    if ((await Promise.race([through, pause(after, 'kill')])) === 'through') break;
    current.kill('SIGKILL');
    await current.exited;
    deaths++;
    current = await startServer();
  }
  return { server: current, deaths };
}

function verdict({ code, out, err }) {
  if (code !== 0) return `exit code ${code}\n${err}\n${out}`;
  const report = JSON.parse(out.trim().split('\n').at(-1));
  const { devices, activated, serverKnown, drained, commandsSent, commandsDone, audit } = report;
  const equal = [activated, serverKnown, drained].every((count) => count === devices) && commandsDone === commandsSent && commandsSent > 0 && audit === 'ok';
  return equal ? undefined : JSON.stringify(report);
}

let failures = 0;
let emulatorDeaths = 0;
let serverDeaths = 0;
let server = await startServer();
try {
  for (let round = 1; round <= 2 * ROUNDS; round++) {
    const onServer = round > ROUNDS;
    const fleet = join(work, `fleet-${round}`);
    const moments = Array.from({ length: 1 + Math.floor(random() * DEATHS) }, moment);
    const first = ['run', SCENARIO, '--target', connection, '--state', fleet, '--seed', String(round), '--size', values.size, '--json'];
    const life = live(first, ['resume', fleet, '--json'], onServer ? [] : moments);
    const harassed = onServer ? await harass(server, moments, life) : { server, deaths: 0 };
    server = harassed.server;
    const end = await life;
    const problem = verdict(end);
    emulatorDeaths += end.deaths;
    serverDeaths += harassed.deaths;
    const victim = onServer ? `server killed ${harassed.deaths} times` : `emulator killed ${end.deaths} times`;
    console.log(`round ${round}: ${victim} after ${moments.join(', ')} ms: ${problem === undefined ? 'audit ok' : 'FAILED'}`);
    if (problem !== undefined) {
      failures++;
      console.error(problem);
    }
  }
} finally {
  server.kill('SIGTERM');
  await server.exited;
  if (failures === 0) rmSync(work, { recursive: true, force: true });
  else console.error(`state kept in ${work}`);
}
console.log(`${2 * ROUNDS - failures} of ${2 * ROUNDS} rounds ok; emulator killed ${emulatorDeaths} times, server ${serverDeaths} times; seed ${values.seed}`);
process.exitCode = failures === 0 ? 0 : 1;
