import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8 } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { fakeClock } from '@uemkit/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CliIo } from '../../src/cli/cli-io.ts';
import { DEMO_SCENARIO } from '../../src/cli/demo-scenario.ts';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { main } from '../../src/cli/main.ts';
import { MAX_TRACE_LINE_BYTES } from '../../src/diagram/read-trace.ts';
import { FleetStore } from '../../src/fleet/fleet-store.ts';
import { FlightRecorder } from '../../src/fleet/flight-recorder.ts';
import { encodeDeviceState } from '../../src/operating-systems/device-state.ts';
import { factoryState } from '../../src/operating-systems/factory-state.ts';
import { SYSTEMS } from '../../src/operating-systems/systems.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { RunState } from '../../src/run/run-state.ts';
import { parseScenario } from '../../src/scenario/parse-scenario.ts';

const PASSWORD_HASH = 'ab'.repeat(32);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'inspect-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function call(...argv: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const texts = { out: '', err: '' };
  const io = { cwd: folder, env: {}, out: (text: string) => (texts.out += text), err: (text: string) => (texts.err += text) } as unknown as CliIo;
  return { code: await main(argv, io), ...texts };
}

/** A run whose device 1 has a state, two commands and two steps. */
async function run(name: string): Promise<FleetStore> {
  const store = new FleetStore(join(folder, name));
  const state = new RunState(store);
  await state.putHeader({ format: 1, scenarioFile: 'demo.yaml', scenarioSource: DEMO_SCENARIO, seed: 7, size: 4, starts: 2, finished: false });
  const [, planned] = makePlan(parseScenario(DEMO_SCENARIO, 'demo.yaml'), nodeCrypto(), { seed: 7, size: 4 }).devices;
  if (planned === undefined) throw new Error('the demo has two devices');
  await state.putDeviceId(1, 'the-device-id');
  await state.putUserGuid(1, 'the-user-guid');
  await state.putCommand({ index: 1, place: 0, entry: 0, type: 'LOCK_DEVICE', commandId: 'aa' });
  await state.putCommand({ index: 1, place: 0, entry: 1, type: 'UNLOCK_DEVICE', commandId: 'bb' });
  const made = factoryState(SYSTEMS[planned.system], { serialNumber: 'S\u001b[31m', passwordHash: PASSWORD_HASH, supervised: false }, () => 0);
  const device = store.device(1);
  await device.commit([
    { key: 'os/state', value: encodeDeviceState({ ...made, locked: true }) },
    { key: 'os/executed/00000000', value: utf8(JSON.stringify({ commandId: 'aa', type: 'LOCK_DEVICE', status: 'done', atMs: 5 })) },
  ]);
  const recorder = new FlightRecorder({ store, clock: fakeClock(0) });
  recorder.device(1).noted({ timeMs: 9, step: 'F1.2', from: 'user', to: 'device', message: 'QR code' });
  recorder
    .device(1)
    .noted({ timeMs: 10, step: 'F5.3', from: 'device', to: 'device', message: 'poll failed', trouble: 'retry', reason: 'ERR_TRANSPORT_CLOSED' });
  await recorder.close();
  return store;
}

describe('inspect', () => {
  it('shows a device of a run that is open in another process or here, and no secret', async () => {
    const store = await run('state');
    const { code, out } = await call('inspect', '1', '--state', 'state');
    expect(code, out).toBe(EXIT.ok);
    expect(out).toContain('locked             true');
    expect(out).toContain('devicePasswordSet  true');
    expect(out).toMatch(/pending +UNLOCK_DEVICE bb/);
    expect(out).toMatch(/done +1970-01-01 00:00:00.005 LOCK_DEVICE aa/);
    expect(out).toMatch(/F1.2 +user → device +QR code/);
    expect(out).toContain('RETRY ERR_TRANSPORT_CLOSED');
    // Its server is the run's own, which is not there any more.
    expect(out).toMatch(/Commands at the server: NOT KNOWN\n.*lab.connection\.json cannot be read/);
    expect(out).not.toContain(PASSWORD_HASH);
    // What a terminal would act on is shown by its number.
    expect(out).not.toContain('\u001b');
    await store.close();
  });

  it('finds the newest run, and a device by user id or device id, for scripts as JSON', async () => {
    await (await run('.device-emulator/old')).close();
    await (await run('.device-emulator/new')).close();
    utimesSync(join(folder, '.device-emulator/old/fleet.mdb'), 1, 1);
    const byId = await call('inspect', 'the-device-id', '--json');
    expect(byId.err).toContain(join('.device-emulator', 'new'));
    const found = JSON.parse(byId.out) as { device: { index: number; userId: string }; pending: unknown; steps: unknown[]; management: unknown };
    expect(found).toMatchObject({ device: { index: 1 }, pending: [{ type: 'UNLOCK_DEVICE', commandId: 'bb' }], management: { phase: 'inactive' } });
    expect(found.steps).toHaveLength(2);
    expect(JSON.parse((await call('inspect', found.device.userId, '--json')).out)).toMatchObject({ device: { index: 1 } });
    const { out } = await call('inspect', '0');
    expect(out).toContain('never started');
    expect(out).toMatch(/NOT KNOWN\n +the run knows of no activation/);
  });

  it('tells what is damaged and shows the rest', async () => {
    const store = await run('state');
    await store.device(1).commit([{ key: 'os/state', value: utf8('{') }]);
    await store.commit('recorder/000001/', [{ key: '0', value: utf8('[]') }]);
    await store.close();
    const { code, out } = await call('inspect', '1', '--state', 'state');
    expect(code).toBe(EXIT.ok);
    expect(out).toMatch(/DAMAGED +state: .*ERR_STORE_READ/);
    expect(out).toMatch(/DAMAGED +steps: /);
    expect(out).toContain('LOCK_DEVICE aa');
  });

  it.each([
    ['no such folder', ['inspect', '1', '--state', 'nowhere'], 'there is no folder nowhere'],
    ['a folder without a run', ['inspect', '1', '--state', 'empty'], 'there is no run in empty'],
    ['a run that has not begun', ['inspect', '1', '--state', 'begun'], 'there is no run in this folder'],
    ['no run at all', ['inspect', '1'], 'name its folder with --state'],
    ['no device', ['inspect'], 'which device?'],
    ['an index that is too high', ['inspect', '4', '--state', 'state'], 'has no device 4: it has the devices 0 to 3'],
    ['an unknown user', ['inspect', 'mallory', '--state', 'state'], 'has no device mallory'],
  ])('says what to do: %s', async (_what, argv, words) => {
    mkdirSync(join(folder, 'empty'));
    await new FleetStore(join(folder, 'begun')).close();
    await (await run('state')).close();
    const { code, err } = await call(...argv);
    expect(code).toBe(EXIT.usage);
    expect(err).toContain(words);
  });
});

describe('diagram on the command line', () => {
  const line = (device: number) => ({ time: '2026-01-01T00:00:00.000Z', device, step: 'F5.3', from: 'device', to: 'uem', message: 'poll', bytes: 3 });

  it('writes a file beside the trace, another format, or standard output', async () => {
    writeFileSync(join(folder, 'run.ndjson'), `${JSON.stringify(line(0))}\nrubbish\n${JSON.stringify(line(1))}\n`);
    const page = await call('diagram', 'run.ndjson', '--device', '1');
    expect(page.code, page.err).toBe(EXIT.ok);
    expect(page.err).toContain('run.html: 1 messages and steps');
    expect(page.err).toContain('run.ndjson: line 2 cannot be read');
    expect((await call('diagram', 'run.ndjson', '--format', 'svg', '--out', '-')).out).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect((await call('diagram', 'run.ndjson', '--format', 'mermaid', '--flow', 'F5', '--out', '-')).out).toMatch(/^sequenceDiagram\n/);
  });

  it('tells how far it is with a long trace, and says nothing of a short one', async () => {
    writeFileSync(join(folder, 'run.ndjson'), JSON.stringify(line(0)));
    expect((await call('diagram', 'run.ndjson')).err).not.toContain('MiB');
    const padding = `${'x'.repeat(MAX_TRACE_LINE_BYTES)}\n`.repeat(32);
    writeFileSync(join(folder, 'run.ndjson'), `${padding}${JSON.stringify(line(0))}\n`);
    const { code, err } = await call('diagram', 'run.ndjson');
    expect(code, err).toBe(EXIT.ok);
    expect(err.match(/\d+ of 65 MiB of the trace, read twice/g)).toHaveLength(4);
    expect(err).toContain('   65 of 65 MiB');
  });

  it.each([
    [['diagram'], 'which trace?'],
    [['diagram', 'nowhere.ndjson'], 'there is no trace nowhere.ndjson'],
    [['diagram', 'run.ndjson', '--journal', 'nowhere'], 'there is no journal nowhere'],
    [['diagram', 'run.ndjson', '--format', 'png'], '--format is one of html, svg, mermaid'],
    [['diagram', 'run.ndjson', '--flow', 'five'], '--flow is a flow or a step'],
    [['diagram', 'run.ndjson', '--device', 'x'], '--device takes a whole number'],
    [['diagram', 'run.ndjson', '--device', '5'], 'has no message of device 5'],
    [['diagram', 'package.json'], 'package.json has no message of any device; a trace is the file that --trace has written'],
    [['diagram', 'run.ndjson', '--max', '0'], '--max takes a whole number'],
  ])('says what is wrong with %j', async (argv, words) => {
    writeFileSync(join(folder, 'run.ndjson'), JSON.stringify(line(0)));
    writeFileSync(join(folder, 'package.json'), '{\n  "name": "no-trace"\n}\n');
    const { code, err } = await call(...argv);
    expect(code).toBe(EXIT.usage);
    expect(err).toContain(words);
  });
});
