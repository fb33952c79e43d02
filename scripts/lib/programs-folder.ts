import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROGRAMS_FOLDER } from './bundled-program.mjs';

/** One folder for the programs that the workers of a run bundle, gone with the run. */
export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'uemkit-programs-'));
  process.env[PROGRAMS_FOLDER] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
