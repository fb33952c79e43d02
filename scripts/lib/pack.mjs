import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './generated.mjs';
import { pnpm, run } from './run.mjs';

/** Packages of the workspace by the names of their folders. */
export function packageNames() {
  return readdirSync(join(ROOT, 'packages')).sort();
}

/** Packs a package that is built into `folder`. @returns how `pnpm pack` ended */
export function pack(name, folder) {
  return run([...pnpm(), 'pack', '--pack-destination', folder], { cwd: join(ROOT, 'packages', name) });
}
