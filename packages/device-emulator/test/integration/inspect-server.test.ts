import type { LabServer } from '@uemkit/lab-server';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { InProcess } from './in-process.ts';

/** Bounds a hang; a run takes a few seconds. */
const PATIENCE_MS = 60_000;

const SCENARIO = `
format: 1
name: looked-at
populations: [{ name: apple, operatingSystem: ios, count: 1, credential: qr }]
timeline: [{ send: [{ command: GET_DEVICE_LOGS }] }]
drainWithin: 30s
generator: { maxEventLoopDelay: 10s, maxLag: 30s }
`;

let here: InProcess;
let lab: LabServer;
beforeEach(async () => {
  here = new InProcess();
  lab = await here.target();
  here.write('looked-at.yaml', SCENARIO);
  const { code, err } = await here.call(['run', 'looked-at.yaml', '--target', 'connection.json', '--state', 'state', '--json']);
  expect(code, err).toBe(EXIT.ok);
}, PATIENCE_MS);
afterEach(() => here.close());

const inspect = async (...more: readonly string[]): Promise<string> => {
  const { code, out, err } = await here.call(['inspect', '0', '--state', 'state', ...more]);
  expect(code, err).toBe(EXIT.ok);
  return out;
};

it('inspect shows what waits for a device at the server and what is finished there, whoever gave it', async () => {
  const [device] = [...lab.admin.devices()];
  const { commandId } = await lab.admin.sendCommand(device?.deviceId ?? '', { type: 'LOCK_DEVICE' });
  const shown = await inspect();
  expect(shown).toContain('Commands at the server: 1 pending, 1 finished');
  expect(shown).toMatch(new RegExp(`QUEUED +\\d{4}-\\d\\d-\\d\\d \\S+ LOCK_DEVICE ${commandId}`));
  expect(shown).toMatch(/COMPLETED +\d{4}-\d\d-\d\d \S+ GET_DEVICE_LOGS/);
  // The run itself has given only the other one.
  expect(shown).toContain('Commands: 1 carried out, 0 sent and not carried out');
  const { server } = JSON.parse(await inspect('--json')) as { server: unknown };
  expect(server).toMatchObject({
    pending: [{ guid: commandId, type: 'LOCK_DEVICE', status: 'QUEUED' }],
    finished: [{ type: 'GET_DEVICE_LOGS', status: 'COMPLETED' }],
  });
});

it('inspect says when no server can be asked, or when it refuses, and shows the rest', async () => {
  const { connection } = lab;
  here.write('wrong.json', JSON.stringify({ ...connection, administrator: { username: 'admin', password: 'wrong' } }));
  expect(await inspect('--target', 'wrong.json')).toMatch(/Commands at the server: NOT KNOWN\n +the server at https:\S+ refuses: admin REST: 401/);
  expect(await inspect('--target', 'nowhere.json')).toMatch(/NOT KNOWN\n +.*nowhere\.json cannot be read.*name another one with --target/);
  await lab.close();
  const shown = await inspect();
  expect(shown).toMatch(/Commands at the server: NOT KNOWN\n +no server at https:\S+: .*ECONNREFUSED/);
  expect(shown).toContain('Commands: 1 carried out');
  expect(JSON.parse(await inspect('--json'))).toMatchObject({ server: { unknown: expect.stringContaining('no server at') } });
});
