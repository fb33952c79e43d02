import { join } from 'node:path';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { type ContainerVault, containerVault, type PasswordPolicy } from '../../src/index.ts';
import { fileDeviceKey, openContainerStorage } from '../../src/node/index.ts';

export const KILL_POLICY: PasswordPolicy = { minLength: 1, classes: [], maxTries: 1_000, whenExhausted: 'lock', history: 0 };

/** The container of the process that is killed, and of the one that looks afterwards. */
export function folderVault(folder: string): ContainerVault {
  const crypto = nodeCrypto();
  const entropy = nodeEntropy();
  const storage = openContainerStorage({ directory: join(folder, 'container') });
  const deviceKey = fileDeviceKey(join(folder, 'device.key'), { crypto, entropy });
  return containerVault({ crypto, entropy, clock: systemClock(), storage, deviceKey, passwordCost: { N: 16, r: 1, p: 1 } });
}

/** Content of the file of step `n`: its number all over, of a length that changes. */
export function fileOfStep(n: number): Uint8Array {
  const bytes = new Uint8Array(((n * 7919) % 20) * 50_000 + 4);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at + 4 <= bytes.length; at += 4) view.setUint32(at, n);
  return bytes;
}
