import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bundledProgram } from '../../../../scripts/lib/bundled-program.mjs';

const BIN = await bundledProgram(new URL('../../src/bin.ts', import.meta.url));

it.each(['lab-process', 'site-process'])('%s ends when the emulator was killed before it could look', { timeout: 60_000 }, async (command) => {
  const folder = mkdtempSync(join(tmpdir(), 'own-process-'));
  const argument = command === 'lab-process' ? folder : '0';
  const child = fork(BIN, [command, argument], { execArgv: [], stdio: 'ignore' });
  child.disconnect();
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe(null);
  rmSync(folder, { recursive: true });
});
