import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundledProgram } from '../../../scripts/lib/bundled-program.mjs';

/*
 * The clock of a real process on real TLS, moved by the `faketime` command (Debian package `faketime`). OpenSSL reads that clock by itself: certificates start a
 * day early, so a device whose clock is less than a day off is activated and managed, and one that is further off hears why not.
 */
const PROGRAM = await bundledProgram(new URL('../src/main.ts', import.meta.url));
const missing = spawnSync('faketime', ['--version']).error !== undefined;
const inCi = process.env['CI'] !== undefined && process.env['CI'] !== '';
if (missing) console.warn('SKIPPED: the tests of a wrong clock need the command faketime');

it('has faketime as a referee (required in CI)', () => {
  expect(missing && inCi).toBe(false);
});

describe.skipIf(missing)('one device on real TLS, with its clock moved', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wrong-clock-'));
  const target = join(folder, 'connection.json');
  let server: LabServer;

  beforeAll(async () => {
    server = await startLabServer({});
    writeFileSync(target, JSON.stringify(server.connection), { mode: 0o600 });
  });

  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  function run(offset: string): Promise<{ readonly code: number | null; readonly output: string }> {
    const command = [process.execPath, PROGRAM, '--target', target];
    const child = spawn('faketime', ['-f', offset, ...command], { env: { ...process.env, FAKETIME_DONT_FAKE_MONOTONIC: '1' } });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
  }

  it.each(['+23h', '-23h'])('%s: activated and managed', async (offset) => {
    const { code, output } = await run(offset);
    expect(output).toContain('REQUEST_DEVICE_INFO done');
    expect(code).toBe(0);
  });

  it('+400d: its certificate is refused by its own check, with the step', async () => {
    const { code, output } = await run('+400d');
    expect(output).toContain('ERR_CERTIFICATE_VALIDITY');
    expect(output).toContain('F1.4');
    expect(code).not.toBe(0);
  });
});
