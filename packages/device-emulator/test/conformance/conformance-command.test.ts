import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import * as wire from '@uemkit/protocol/wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CliIo } from '../../src/cli/cli-io.ts';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { main } from '../../src/cli/main.ts';
import { alertOf, answered, isFrame } from './wrong-server.ts';

let folder: string;
let good: LabServer;
let wrong: LabServer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'conformance-command-'));
  good = await startLabServer();
  // Serves devices that have been removed.
  wrong = await startLabServer({
    interceptor: {
      async exchange(_role, request, next) {
        const answer = await next(request);
        if (!isFrame(request, 'poll') || alertOf(answer) !== 'revoked') return answer;
        return answered(wire.idle, { pollIntervalS: 1, pollJitterS: 0, serverTimeEpochS: 0 });
      },
    },
  });
  for (const [name, lab] of Object.entries({ good, wrong })) writeFileSync(join(folder, `${name}.json`), JSON.stringify(lab.connection));
});
afterAll(async () => {
  await good.close();
  await wrong.close();
  rmSync(folder, { recursive: true, force: true });
});

async function call(...argv: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let out = '';
  let err = '';
  const io = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    interactive: true,
    env: {},
    cwd: folder,
  } as unknown as CliIo;
  const code = await main(['conformance', ...argv], io);
  return { code, out, err };
}

describe('device-emulator conformance', () => {
  it('prints a table for a server that keeps the rules', async () => {
    const { code, out, err } = await call('--target', 'good.json', '--case', 'priority');
    expect(code).toBe(EXIT.ok);
    expect(out).toMatch(/^case +step +docs\/protocol +result$/m);
    expect(out).toMatch(/^priority +F5\.4 +6\.5 +ok$/m);
    expect(out).toContain('1 of 1 cases hold');
    expect(err).toContain('ok  priority');
  });

  it('says what it expected and saw, with exit code 1', async () => {
    const { code, out } = await call('--target', 'wrong.json', '--case', 'listener-removed-device');
    expect(code).toBe(EXIT.assertionFailed);
    expect(out).toMatch(/^listener-removed-device +F5\.3 +8\.6 +FAILED$/m);
    expect(out).toContain('expected  alert revoked for a removed device');
    expect(out).toContain('seen      frame idle');
    expect(out).toContain('0 of 1 cases hold, 1 FAILED');
  });

  it('gives the results as one JSON object', async () => {
    const { code, out } = await call('--target', 'wrong.json', '--case', 'listener-removed-device', '--json');
    expect(code).toBe(EXIT.assertionFailed);
    expect(JSON.parse(out)).toMatchObject({ cases: 1, failed: 1, results: [{ name: 'listener-removed-device', ok: false, seen: 'frame idle' }] });
  });

  it.each([
    [[], 'which server?'],
    [['--target', 'none.json'], 'none.json cannot be read'],
    [['--target', 'good.json', '--case', 'priorty'], 'there is no case priorty (did you mean priority?)'],
  ])('%j is a mistake in the command line', async (argv, hint) => {
    const { code, out, err } = await call(...argv);
    expect([code, out]).toEqual([EXIT.usage, '']);
    expect(err).toContain(hint);
  });
});
