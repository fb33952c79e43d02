import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Metafile } from 'esbuild';
import { atMost, type Bench, type Figure, reported, round } from './harness.ts';

/** What a page needs of the client, from its published names: activation, management, push, signatures, the portable provider and the state in IndexedDB. */
const CLIENT = `
export { createUemClient, fetchTransport } from '@uemkit/uem-client';
export { openBrowserState } from '@uemkit/uem-client/browser';
export { nobleCrypto, systemClock, webEntropy } from '@uemkit/protocol/noble';
`;
const CLIENT_BAR = atMost(60);

/** What a page needs of the SDK: activation with a typed key, container, connections and `fetch`, the portable provider; without a cookie jar, which an app brings. */
const SDK = `
export { openContainerStorage, openDynamicsRuntime, webCryptoDeviceKey, webSocketNocTransport } from '@uemkit/dynamics-sdk/browser';
export { nobleCrypto, systemClock, webEntropy } from '@uemkit/protocol/noble';
`;
const SDK_BAR = atMost(90);
const KIB = 1_024;
/** Parts smaller than this are added up. */
const LEAST_SHARE = 0.02;

/** Bundles client and SDK for a browser, minified, and says how much of each comes from where. Deterministic: nothing is timed. */
export const bench: Bench = async (progress) => [...(await sizeOf('client', CLIENT, CLIENT_BAR, progress)), ...(await sizeOf('SDK', SDK, SDK_BAR, progress))];

async function sizeOf(name: string, page: string, bar: ReturnType<typeof atMost>, progress: Parameters<Bench>[0]): Promise<readonly Figure[]> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: page, resolveDir: fileURLToPath(new URL('..', import.meta.url)), loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    conditions: ['@uemkit/source', 'browser'],
    legalComments: 'none',
  });
  const bundle = outputFiles[0]?.contents ?? new Uint8Array();
  const gzipKib = gzipSync(bundle, { level: 9 }).length / KIB;
  progress(`${name}: ${bundle.length} bytes minified`);
  const whole: Figure = { metric: `${name} in a page, minified and gzip`, unit: 'KiB', value: round(gzipKib), bar: `${bar.text} KiB`, ok: bar.holds(gzipKib) };
  return [whole, reported(`${name} in a page, minified`, 'KiB', bundle.length / KIB), ...parts(metafile)];
}

function parts(metafile: Metafile): readonly Figure[] {
  const bytes = new Map<string, number>();
  const inputs = Object.values(metafile.outputs).flatMap(({ inputs: of }) => Object.entries(of));
  for (const [path, { bytesInOutput }] of inputs) bytes.set(partOf(path), (bytes.get(partOf(path)) ?? 0) + bytesInOutput);
  const total = [...bytes.values()].reduce((sum, size) => sum + size, 0);
  const large = [...bytes].filter(([, size]) => size >= total * LEAST_SHARE).sort(([, a], [, b]) => b - a);
  const rest = total - large.reduce((sum, [, size]) => sum + size, 0);
  return [...large, ['everything else', rest] as const].map(([name, size]) => reported(`  of it ${name}`, 'KiB', size / KIB));
}

/** Package and folder that a module belongs to. */
function partOf(path: string): string {
  const foreign = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(path);
  if (foreign !== null) return foreign[1] as string;
  const own = /packages\/([^/]+)\/src\/(?:([^/]+)\/)?/.exec(path);
  return own === null ? path : `${own[1]}/${own[2] ?? ''}`;
}
