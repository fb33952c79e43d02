import { scrypt } from 'node:crypto';
import { ProtocolError } from '../../errors/protocol-error.ts';
import type { ScryptCost } from '../../ports/crypto-provider.ts';
import { requireScryptCost, scryptMemoryBytes } from '../checks.ts';
import { plainBytes } from './plain-bytes.ts';

/** OpenSSL counts a little more than the formula of RFC 7914. */
const SPARE_MEMORY_BYTES = 1024 * 1024;

/**
 * scrypt on the thread pool, at most `concurrency` at once: each takes 32 MiB with the usual cost, and a thread.
 * Calls over `maxWaiting` are refused with `ERR_REJECTED_BUSY`.
 */
export function scryptNative(
  concurrency: number,
  maxWaiting: number,
): (password: Uint8Array, salt: Uint8Array, cost: ScryptCost, lengthBytes: number) => Promise<Uint8Array> {
  let running = 0;
  const waiting: (() => void)[] = [];
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  };
  const enter = (): Promise<void> | undefined => {
    if (running < concurrency) {
      running++;
      return undefined;
    }
    if (waiting.length >= maxWaiting) throw new ProtocolError('ERR_REJECTED_BUSY', 'too many scrypt calls wait');
    return new Promise((resolve) => waiting.push(resolve));
  };
  return async (password, salt, cost, lengthBytes) => {
    requireScryptCost(cost, lengthBytes);
    await enter();
    try {
      return await stretch(password, salt, cost, lengthBytes);
    } finally {
      leave();
    }
  };
}

function stretch(password: Uint8Array, salt: Uint8Array, cost: ScryptCost, lengthBytes: number): Promise<Uint8Array> {
  const options = { N: cost.N, r: cost.r, p: cost.p, maxmem: scryptMemoryBytes(cost) + SPARE_MEMORY_BYTES };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, lengthBytes, options, (error, key) => (error === null ? resolve(plainBytes(key)) : reject(error)));
  });
}
