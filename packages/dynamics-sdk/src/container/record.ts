import { sameBytes, utf8, wipe } from '@uemkit/protocol';
import type { ContainerKeys } from './keys.ts';
import { openFailed } from './open-failed.ts';
import { openRow, sealRow, versionOf } from './sealed-row.ts';

/** What is inside a record: u16be(length of the name) || name || content. */
export interface RecordContent {
  readonly name: string;
  readonly content: Uint8Array;
}

/** @param version never used for this row before */
export function sealRecord(keys: ContainerKeys, nonce: Uint8Array, row: string, version: number, { name, content }: RecordContent): Uint8Array {
  const named = utf8(name);
  const plaintext = keys.plaintext(2 + named.length + content.length);
  plaintext[0] = named.length >>> 8;
  plaintext[1] = named.length & 0xff;
  plaintext.set(named, 2);
  plaintext.set(content, 2 + named.length);
  const sealed = sealRow(keys.sealing('records', version), nonce, row, version, plaintext);
  wipe(plaintext);
  return sealed;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws ProtocolError `ERR_CRYPTO_OPEN` */
export function openRecord(keys: ContainerKeys, row: string, value: Uint8Array): RecordContent {
  return parts(keys, row, value, (named, content) => ({ name: decoder.decode(named), content: content.slice() }));
}

/** Content of the record of this name. @throws ProtocolError `ERR_CRYPTO_OPEN` also for another name that has the same hash */
export function openNamed(keys: ContainerKeys, row: string, name: string, value: Uint8Array): Uint8Array {
  return parts(keys, row, value, (named, content) => {
    // check: name of the record
    if (!sameBytes(named, utf8(name))) throw openFailed();
    return content.slice();
  });
}

function parts<T>(keys: ContainerKeys, row: string, value: Uint8Array, use: (named: Uint8Array, content: Uint8Array) => T): T {
  const plaintext = openRow(keys.sealing('records', versionOf(value)), row, value);
  try {
    const end = 2 + (((plaintext[0] as number) << 8) | (plaintext[1] as number));
    return use(plaintext.subarray(2, end), plaintext.subarray(end));
  } finally {
    wipe(plaintext);
  }
}
