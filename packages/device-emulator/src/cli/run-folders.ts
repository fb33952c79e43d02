import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FLEET_FILE } from '../fleet/fleet-store.ts';
import type { CliIo } from './cli-io.ts';

/** Where runs keep their state that name no folder. */
export const RUNS = '.device-emulator';
/** Runs that an error names. */
const NAMED = 5;

/** Folders of the runs in `RUNS`, the newest first, as a user would type them. */
export function runFolders(io: CliIo): readonly string[] {
  const all = resolve(io.cwd, RUNS);
  const names = existsSync(all) ? readdirSync(all).filter((name) => existsSync(join(all, name, FLEET_FILE))) : [];
  const changedMs = new Map(names.map((name) => [name, statSync(join(all, name, FLEET_FILE)).mtimeMs]));
  return names.sort((a, b) => (changedMs.get(b) ?? 0) - (changedMs.get(a) ?? 0)).map((name) => join(RUNS, name));
}

/** For an error that asks for a run: those that there are, or where they would be. */
export function whichRuns(io: CliIo): string {
  const folders = runFolders(io);
  if (folders.length === 0) return `for example ${RUNS}/rollout-1`;
  const left = folders.length - NAMED;
  return `newest first: ${folders.slice(0, NAMED).join(', ')}${left > 0 ? ` and ${left} more` : ''}`;
}
