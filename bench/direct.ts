import { startAppLab } from './app-lab.ts';
import { barePki } from './bare/certificates.ts';
import { atLeast, type Bench, compared, type Figure } from './harness.ts';
import { startProcess } from './lab-process.ts';
import { moved, speed, tlsTo } from './transfer.ts';

const LENGTH_BYTES = 256 * 1_048_576;
const ROUNDS = 3;

/** An app's bytes through Direct Connect (F11) against bare TLS of Node to a relay of the same kind: TLS ended, bytes passed on to the server. */
export const bench: Bench = async (progress) => {
  const bytes = await startProcess<{ readonly port: number }>('bench/bare/bytes-server.ts', []);
  const pki = barePki(1);
  const relay = await startProcess<{ readonly port: number }>('bench/bare/tls-relay.ts', [String(bytes.info.port), JSON.stringify(pki.server)]);
  const lab = await startAppLab();
  try {
    const content = {
      additionalServers: [{ server: '127.0.0.1', route: 'PROXY', cluster: 'straight', ports: [bytes.info.port] }],
      proxyClusters: [{ name: 'straight', directConnect: true, proxies: [{ id: lab.proxyId }] }],
    };
    const { guid } = (await lab.post('/profiles', 'profile', { kind: 'dynamics-connectivity', name: 'Bench', content })) as { readonly guid: string };
    await lab.put(`/users/${lab.user}/profiles/${guid}`);
    progress('an app activates itself');
    const app = await lab.app('direct');
    const figures: Figure[] = [];
    for (const direction of ['download', 'upload'] as const) {
      const pairs: { value: number; baseline: number }[] = [];
      for (let round = -1; round < ROUNDS; round++) {
        if (round >= 0) progress(`${direction} ${round + 1} of ${ROUNDS}`);
        const lengthBytes = round < 0 ? LENGTH_BYTES / 8 : LENGTH_BYTES;
        const value = await speed(lengthBytes, async () => moved(await app.connect({ host: '127.0.0.1', port: bytes.info.port }), direction, lengthBytes));
        const baseline = await speed(lengthBytes, async () => moved(await tlsTo(relay.info.port, pki.ca), direction, lengthBytes));
        if (round >= 0) pairs.push({ value, baseline });
      }
      figures.push(compared(`${direction} of 256 MiB through Direct Connect`, 'MiB/s', pairs, atLeast(0.8)));
    }
    return figures;
  } finally {
    await lab.stop();
    await relay.stop();
    await bytes.stop();
  }
};
