import { type CryptoProvider, toHex } from '@uemkit/protocol';

/** References that an entry of the journal keeps; a request about more of them names the first ones. */
export const MAX_JOURNAL_REFERENCES = 64;

const REFERENCE_BYTES = 8;

/** What a request is about, as opaque references. Worked out by whoever reads the entry: most entries are never read, and wake-ups make many. */
export interface References {
  names(): readonly string[];
}

/** References of ids (wake-ups, F5.2): the beginning of their SHA-256 in hex, as the trace of a device shows the same id. */
export function idReferences(crypto: Pick<CryptoProvider, 'sha256'>, ids: readonly Uint8Array[]): References {
  const first = ids.length > MAX_JOURNAL_REFERENCES ? ids.slice(0, MAX_JOURNAL_REFERENCES) : ids;
  return { names: () => first.map((id) => begin(crypto.sha256(id))) };
}

class IdReference implements References {
  readonly #crypto: Pick<CryptoProvider, 'sha256'>;
  readonly #id: Uint8Array;

  constructor(crypto: Pick<CryptoProvider, 'sha256'>, id: Uint8Array) {
    this.#crypto = crypto;
    this.#id = id;
  }

  names(): readonly string[] {
    return [begin(this.#crypto.sha256(this.#id))];
  }
}

/** Reference of one id, in the least memory: the journal keeps one for each line about a wake-up. */
export function idReference(crypto: Pick<CryptoProvider, 'sha256'>, id: Uint8Array): References {
  return new IdReference(crypto, id);
}

/** References of users (F1.1), from the hashes by which the Infrastructure knows them. */
export function userReferences(hashes: readonly Uint8Array[]): References {
  const first = hashes.slice(0, MAX_JOURNAL_REFERENCES);
  return { names: () => first.map(begin) };
}

function begin(hash: Uint8Array): string {
  return toHex(hash.subarray(0, REFERENCE_BYTES));
}
