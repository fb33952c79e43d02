import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The page of this folder in one file, from the sources as a bundler of a browser would make it. */
export async function bundledPage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    conditions: ['@uemkit/source', 'browser'],
  });
  return outputFiles[0]?.text ?? '';
}
