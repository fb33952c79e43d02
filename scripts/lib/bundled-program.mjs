import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** Variable of the environment: the folder of a run of vitest. */
export const PROGRAMS_FOLDER = 'UEMKIT_PROGRAMS';

/** @type {Map<string, Promise<string>>} */
const made = new Map();

/**
 * A program from its sources in a few files, which `node` runs as they are: it starts in a fifth of the time that the sources take,
 * and tests start some dozens. The files go when this process ends; under vitest, whose workers are ended from outside, with the whole run.
 * @param {URL} source its first file
 * @returns {Promise<string>} path of the file to start
 */
export function bundledProgram(source) {
  const path = fileURLToPath(source);
  const program = made.get(path) ?? bundle(path);
  made.set(path, program);
  return program;
}

/** @param {string} source @returns {Promise<string>} */
async function bundle(source) {
  const ofRun = process.env[PROGRAMS_FOLDER];
  const folder = mkdtempSync(join(ofRun ?? tmpdir(), 'uemkit-program-'));
  if (ofRun === undefined) process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  await build({
    entryPoints: [source],
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@uemkit/source', 'import'],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    sourcemap: 'linked',
    plugins: [installedAsTheyAre],
  });
  return join(folder, `${basename(source, '.ts')}.mjs`);
}

/**
 * Leaves what comes from the registry where it is installed, by its full address: the bundle lies where nothing is installed.
 * @type {import('esbuild').Plugin}
 */
const installedAsTheyAre = {
  name: 'installed-as-they-are',
  setup(building) {
    const resolving = Symbol('resolving');
    building.onResolve({ filter: /^[^./]/ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
      if (pluginData === resolving || kind === 'entry-point' || path.startsWith('node:')) return undefined;
      const found = await building.resolve(path, { kind, importer, resolveDir, pluginData: resolving });
      if (found.external || found.errors.length > 0 || !found.path.includes('/node_modules/')) return found;
      return { path: pathToFileURL(found.path).href, external: true };
    });
  },
};
