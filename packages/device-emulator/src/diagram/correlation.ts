import { type CryptoProvider, toHex, userIdHash } from '@uemkit/protocol';
import type { TraceLine } from '../trace/trace-line.ts';
import { hashOf, textOf } from './read-line.ts';

/** Ids, users and wake-ups that are remembered; beyond it the oldest are forgotten, and lines about them are nobody's. */
export const MAX_KNOWN_REFERENCES = 500_000;

const REFERENCE_BYTES = 8;

/**
 * Finds the device that a line without an index is about. The trace of a device says its device id, its user and the ids of its wake-ups; servers speak of
 * the same by device id, user id or reference.
 */
export class Correlation {
  readonly #crypto: Pick<CryptoProvider, 'sha256'>;
  /** Only this device is of interest. */
  readonly #wanted: number | undefined;
  /** BOUNDED by MAX_KNOWN_REFERENCES. */
  readonly #known: Map<string, number> = new Map();
  /** Wake-ups of which UEM has said the device id. BOUNDED likewise. */
  readonly #deviceIdOf: Map<string, string> = new Map();

  constructor(crypto: Pick<CryptoProvider, 'sha256'>, wanted?: number) {
    this.#crypto = crypto;
    this.#wanted = wanted;
  }

  /** Takes in what a line says about who is who. */
  learn({ device, deviceId, refs, body }: TraceLine): void {
    if (device === undefined) {
      if (deviceId !== undefined) for (const ref of refs ?? []) put(this.#deviceIdOf, ref, deviceId);
      return;
    }
    if (this.#wanted !== undefined && device !== this.#wanted) return;
    for (const ref of refs ?? []) put(this.#known, ref, device);
    if (body === undefined || body === null) return;
    const wakeUp = hashOf(body, 'wakeUpId');
    if (wakeUp !== undefined) put(this.#known, wakeUp, device);
    const id = textOf(body, 'deviceId');
    if (id !== undefined) put(this.#known, `device ${id}`, device);
    const userId = textOf(body, 'userId');
    if (userId === undefined || this.#known.has(`user ${userId}`)) return;
    put(this.#known, `user ${userId}`, device);
    put(this.#known, toHex(userIdHash(this.#crypto as CryptoProvider, userId).subarray(0, REFERENCE_BYTES)), device);
  }

  /** Index of the device; `undefined`: of nobody in particular; `unknown`: of one that is not known, or not of interest. */
  deviceOf({ device, deviceId, userId, refs = [] }: TraceLine): number | 'unknown' | undefined {
    if (device !== undefined) return device;
    if (deviceId === undefined && userId === undefined && refs.length === 0) return undefined;
    const found =
      (deviceId === undefined ? undefined : this.#known.get(`device ${deviceId}`)) ?? (userId === undefined ? undefined : this.#known.get(`user ${userId}`));
    if (found !== undefined) return found;
    // A line about several wake-ups is of each of their devices; which one counts is only a question where all are drawn.
    for (const ref of refs) {
      const known = this.#known.get(ref) ?? this.#known.get(`device ${this.#deviceIdOf.get(ref)}`);
      if (known !== undefined) return refs.length > 1 && this.#wanted === undefined ? undefined : known;
    }
    return 'unknown';
  }
}

function put<T>(map: Map<string, T>, key: string, value: T): void {
  if (map.size >= MAX_KNOWN_REFERENCES && !map.has(key)) map.delete(map.keys().next().value as string);
  map.set(key, value);
}
