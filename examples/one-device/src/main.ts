import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { createUemClient, softwareKeyStore, trustOfPem } from '@uemkit/uem-client';
import { fileStore, nodeTransport } from '@uemkit/uem-client/node';
import { signIn } from './admin.ts';
import { story } from './story.ts';
import { talkingTablet } from './talking-tablet.ts';

// Written by `lab-server start`; has the addresses, the roots and the administrator's password.
const { values } = parseArgs({ options: { target: { type: 'string', default: '.lab/connection.json' } } });
const lab = JSON.parse(
  await readFile(values.target, 'utf8').catch(() => {
    console.error(`${values.target} cannot be read. Start a lab first: npx -y pnpm@10.34.9 lab-server start --data .lab`);
    process.exit(2);
  }),
);

// A device brings its own crypto, clock, randomness, storage, keys and operating system.
const crypto = nodeCrypto();
const entropy = nodeEntropy();
const store = fileStore(join(await mkdtemp(join(tmpdir(), 'one-device-')), 'state.json'));
const keyStore = softwareKeyStore({ crypto, entropy, store });
const transport = nodeTransport({ keyStore });
const client = createUemClient({ crypto, entropy, clock: systemClock(), store, keyStore, transport, operatingSystem: talkingTablet });

const admin = await signIn(lab);
await story({ client, admin, infrastructure: { address: lab.infrastructure, trust: trustOfPem(lab.ca) }, say: console.log });
await admin.close();
