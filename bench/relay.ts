import { startAppLab } from './app-lab.ts';
import { barePki } from './bare/certificates.ts';
import { startNginx } from './bare/nginx.ts';
import { atLeast, atMost, type Bench, compared, type Figure } from './harness.ts';
import { startProcess } from './lab-process.ts';
import { type Direction, moved, speed, tlsTo } from './transfer.ts';

const LENGTH_BYTES = 256 * 1_048_576;
const ROUNDS = 3;
type Pair = { value: number; baseline: number };

/** An app's bytes through NOC and Proxy, sealed from end to end (F10), against TLS from end to end through nginx twice: passed on where the NOC stands, ended where the Proxy stands. */
export const bench: Bench = async (progress) => {
  const bytes = await startProcess<{ readonly port: number }>('bench/bare/bytes-server.ts', []);
  const pki = barePki(1);
  const inner = await startNginx(bytes.info.port, pki.server);
  const outer = await startNginx(inner.port);
  // What stands where the NOC stands and does what it has to: ends TLS, and begins it anew.
  const ending = await startNginx(inner.port, pki.server, true);
  const endingNode = await startProcess<{ readonly port: number }>('bench/bare/tls-relay.ts', [String(inner.port), JSON.stringify(pki.server), pki.ca]);
  const lab = await startAppLab();
  try {
    const content = { additionalServers: [{ server: '127.0.0.1', route: 'PROXY', ports: [bytes.info.port] }] };
    const { guid } = (await lab.post('/profiles', 'profile', { kind: 'dynamics-connectivity', name: 'Bench', content })) as { readonly guid: string };
    await lab.put(`/users/${lab.user}/profiles/${guid}`);
    progress('an app activates itself');
    const app = await lab.app('relay');
    const ours = async (direction: Direction, lengthBytes: number): Promise<void> =>
      moved(await app.connect({ host: '127.0.0.1', port: bytes.info.port }), direction, lengthBytes);
    const bare = async (direction: Direction, lengthBytes: number, port = outer.port): Promise<void> =>
      moved(await tlsTo(port, pki.ca), direction, lengthBytes);
    const figures: Figure[] = [];
    for (const direction of ['download', 'upload'] as const) {
      await ours(direction, LENGTH_BYTES / 8);
      for (const port of [outer.port, ending.port, endingNode.info.port]) await bare(direction, LENGTH_BYTES / 8, port);
      const speeds: Pair[] = [];
      const middles: Pair[] = [];
      const besides: { readonly nginx: Pair; readonly node: Pair }[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        progress(`${direction} ${round + 1} of ${ROUNDS}`);
        const before = { noc: lab.noc.cpuMicros(), nginx: outer.cpuMicros(), ending: ending.cpuMicros(), endingNode: endingNode.cpuMicros() };
        const value = await speed(LENGTH_BYTES, () => ours(direction, LENGTH_BYTES));
        const baseline = await speed(LENGTH_BYTES, () => bare(direction, LENGTH_BYTES));
        speeds.push({ value, baseline });
        for (const port of [ending.port, endingNode.info.port]) await bare(direction, LENGTH_BYTES, port);
        const perMib = (micros: number): number => micros / (LENGTH_BYTES / 1_048_576);
        const noc = perMib(lab.noc.cpuMicros() - before.noc);
        middles.push({ value: noc, baseline: perMib(outer.cpuMicros() - before.nginx) });
        besides.push({
          nginx: { value: noc, baseline: perMib(ending.cpuMicros() - before.ending) },
          node: { value: noc, baseline: perMib(endingNode.cpuMicros() - before.endingNode) },
        });
      }
      figures.push(
        compared(`${direction} of 256 MiB through NOC and Proxy`, 'MiB/s', speeds, atLeast(0.5)),
        compared('CPU of the NOC for it', 'µs/MiB', middles, atMost(1.5)),
        compared(
          'the same against nginx with TLS on both sides',
          'µs/MiB',
          besides.map(({ nginx }) => nginx),
        ),
        compared(
          'the same against node:tls on both sides',
          'µs/MiB',
          besides.map(({ node }) => node),
        ),
      );
    }
    return figures;
  } finally {
    await lab.stop();
    await endingNode.stop();
    await ending.stop();
    await outer.stop();
    await inner.stop();
    await bytes.stop();
  }
};
