import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { createUemClient, softwareKeyStore, trustOfPem } from '@uemkit/uem-client';
import { fileStore, nodeTransport } from '@uemkit/uem-client/node';
import { signIn } from './admin.ts';
import { commandLine, noAnswer } from './command-line.ts';
import { story } from './story.ts';
import { talkingTablet } from './talking-tablet.ts';

const { lab, user } = await commandLine();

// A device brings its own crypto, clock, randomness, storage, keys and operating system.
const crypto = nodeCrypto();
const entropy = nodeEntropy();
const store = fileStore(join(await mkdtemp(join(tmpdir(), 'one-device-')), 'state.json'));
const keyStore = softwareKeyStore({ crypto, entropy, store });
const transport = nodeTransport({ keyStore });
const client = createUemClient({ crypto, entropy, clock: systemClock(), store, keyStore, transport, operatingSystem: talkingTablet });

const admin = await signIn(lab).catch(noAnswer);
console.log('One device activates itself (F1), is locked and asked (F5). Step and what happened:');
await story({ client, admin, infrastructure: { address: lab.infrastructure, trust: trustOfPem(lab.ca) }, say: console.log, user });
await admin.close();
console.log(`Done. The lab lists it as device ${client.deviceId} now.`);
