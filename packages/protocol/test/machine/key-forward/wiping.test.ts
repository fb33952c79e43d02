import { describe, expect, it } from 'vitest';
import { type CryptoProvider, ProtocolError } from '../../../src/index.ts';
import { nodeCrypto } from '../../../src/providers/node/index.ts';
import * as wire from '../../../src/wire/index.ts';
import { watchedCrypto } from '../../watched-crypto.ts';
import { CoreSide, converse, initiatorOptions, Liar, REQUEST, responderOptions, responseTo, SiblingSide } from './key-forward-bench.ts';

/** A provider whose GCM plaintexts can be looked at afterwards. */
function watchedGcm(inner: CryptoProvider): { readonly crypto: CryptoProvider; readonly sealed: Uint8Array[]; readonly opened: Uint8Array[] } {
  const [sealed, opened]: Uint8Array[][] = [[], []];
  return {
    sealed: sealed as Uint8Array[],
    opened: opened as Uint8Array[],
    crypto: {
      ...inner,
      gcm(key) {
        const made = inner.gcm(key);
        return {
          seal(nonce, associatedData, plaintext, headroom) {
            sealed?.push(plaintext);
            return made.seal(nonce, associatedData, plaintext, headroom);
          },
          open(nonce, associatedData, sealedBytes) {
            const plaintext = made.open(nonce, associatedData, sealedBytes);
            opened?.push(plaintext);
            return plaintext;
          },
          wipe: () => made.wipe(),
        };
      },
    },
  };
}

function watchedPair() {
  const [ofSibling, ofCore] = [watchedCrypto(nodeCrypto()), watchedCrypto(nodeCrypto())];
  const [atSibling, atCore] = [watchedGcm(ofSibling.crypto), watchedGcm(ofCore.crypto)];
  const options = initiatorOptions({ crypto: atSibling.crypto });
  const sibling = new SiblingSide(options).start();
  const core = new CoreSide(responderOptions({ crypto: atCore.crypto }));
  const left = () => [ofSibling.left(options.psk), ofCore.left(core.peer?.psk, core.peer?.staticScalar)];
  return { sibling, core, atSibling, atCore, left, seen: () => [ofSibling.seen > 5, ofCore.seen > 5] };
}

const NOTHING = [[], []];
const isWiped = (bytes: Uint8Array | undefined): boolean => bytes?.every((byte) => byte === 0) === true;
const ofKey = (bytes: readonly Uint8Array[]): Uint8Array | undefined =>
  bytes.find(({ length }) => length === wire.accessKeyResponse.encode(responseTo(REQUEST)).length);

describe('an access key that a sibling asks for leaves in memory', () => {
  it('nothing at the end, and no plaintext of the key', () => {
    const run = watchedPair();
    converse(run);
    expect([run.sibling.machine.state, run.core.machine.state]).toEqual(['finished', 'finished']);
    expect(run.seen()).toEqual([true, true]);
    expect(run.left()).toEqual(NOTHING);
    expect([isWiped(ofKey(run.atCore.sealed)), isWiped(ofKey(run.atSibling.opened))]).toEqual([true, true]);
  });

  it.each([1, 2, 3])('nothing when it ends after %d frames', (count) => {
    const run = watchedPair();
    converse(run, count);
    run.sibling.input({ type: 'closed' });
    run.core.input({ type: 'closed' });
    expect(run.left()).toEqual(NOTHING);
  });

  it('nothing when UEM gives no key', () => {
    const run = watchedPair();
    run.core.refusal = new ProtocolError('ERR_REJECTED_UNKNOWN', 'not assigned');
    converse(run);
    expect([run.sibling.machine.state, run.core.machine.state]).toEqual(['failed', 'failed']);
    expect(run.left()).toEqual(NOTHING);
  });

  it('nothing of an answer that the sibling refuses', () => {
    const run = watchedPair();
    const liar = Liar.asCore(run.sibling);
    run.sibling.receive(liar.record(wire.accessKeyForward.encode(REQUEST)));
    expect(run.sibling.error.code).toBe('ERR_WIRE_TYPE');
    expect(run.left()[0]).toEqual([]);
  });
});
