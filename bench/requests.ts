import { Agent, type Dispatcher, request } from 'undici';
import { startAppLab } from './app-lab.ts';
import { barePki } from './bare/certificates.ts';
import { atMost, type Bench, compared, cpuMicros, reported } from './harness.ts';
import { startProcess } from './lab-process.ts';

const BATCH = 400;
const ROUNDS = 9;

/** Warm requests of an app whose answers have 1 KiB: HTTPS from end to end, through NOC and Proxy (F10), against undici over TLS to the same server. */
export const bench: Bench = async (progress) => {
  const pki = barePki(1);
  const server = await startProcess<{ readonly port: number }>('bench/bare/page-server.ts', [JSON.stringify(pki.server)]);
  const lab = await startAppLab();
  const bare = new Agent({ connections: 1, pipelining: 1, connect: { ca: pki.ca, servername: 'localhost' } });
  try {
    const { port } = server.info;
    await lab.allow(port);
    progress('an app activates itself');
    const app = await lab.app('requests', { tls: { ca: pki.ca } });
    const through = (dispatcher: Dispatcher) => async (): Promise<void> => {
      for (let i = 0; i < BATCH; i++) {
        const { statusCode, body } = await request(`https://localhost:${port}/`, { dispatcher });
        const page = await body.arrayBuffer();
        if (statusCode !== 200 || page.byteLength !== 1_024) throw new Error(`${statusCode} with ${page.byteLength} bytes`);
      }
    };
    const [ours, theirs] = [through(app.dispatcher), through(bare)];
    for (const warm of [ours, theirs, ours, theirs]) await warm();
    const pairs: { value: number; baseline: number }[] = [];
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      progress(`round ${round + 1} of ${ROUNDS}`);
      const begunMs = performance.now();
      const value = (await cpuMicros(ours)) / BATCH;
      rates.push((BATCH * 1_000) / (performance.now() - begunMs));
      pairs.push({ value, baseline: (await cpuMicros(theirs)) / BATCH });
    }
    return [
      compared('client CPU of a warm request of 1 KiB through the dispatcher', 'µs', pairs, atMost(2)),
      reported('requests of one app, one after the other', '1/s', Math.max(...rates)),
    ];
  } finally {
    await bare.close();
    await lab.stop();
    await server.stop();
  }
};
