import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The script of a page in one file, from the sources as a bundler of a browser would make it. */
export async function bundledPage(script: URL): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(script)],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    conditions: ['@uemkit/source', 'browser'],
  });
  return outputFiles[0]?.text ?? '';
}
