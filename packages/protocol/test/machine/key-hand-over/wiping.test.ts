import { describe, expect, it } from 'vitest';
import { concatBytes, ProtocolError } from '../../../src/index.ts';
import { nodeCrypto } from '../../../src/providers/node/index.ts';
import * as wire from '../../../src/wire/index.ts';
import { watchedCrypto, watchedPlaintexts } from '../../watched-crypto.ts';
import {
  AskingSide,
  CHANNELS,
  type ChannelName,
  converse,
  HandingSide,
  initiatorOptions,
  lyingClient,
  responderOptions,
  responseTo,
} from './key-hand-over-bench.ts';

function watchedPair(channel: ChannelName) {
  const [ofApp, ofClient] = [watchedCrypto(nodeCrypto()), watchedCrypto(nodeCrypto())];
  const [atApp, atClient] = [watchedPlaintexts(ofApp.crypto), watchedPlaintexts(ofClient.crypto)];
  const app = new AskingSide(initiatorOptions(channel, { crypto: atApp.crypto })).start();
  const client = new HandingSide(responderOptions(channel, { crypto: atClient.crypto }));
  return { app, client, atApp, atClient, left: () => [ofApp.left(), ofClient.left()], seen: () => [ofApp.seen > 5, ofClient.seen > 5] };
}

const NOTHING = [[], []];
const isWiped = (bytes: Uint8Array | undefined): boolean => bytes?.every((byte) => byte === 0) === true;

describe.each(CHANNELS)('a key handed over in %s leaves in memory', (channel) => {
  it('nothing at the end, and no plaintext of the key', () => {
    const run = watchedPair(channel);
    converse(run);
    expect([run.app.machine.state, run.client.machine.state]).toEqual(['finished', 'finished']);
    expect(run.seen()).toEqual([true, true]);
    expect(run.left()).toEqual(NOTHING);
    expect([isWiped(run.atClient.sealed.at(-1)), isWiped(run.atApp.opened.at(-1))]).toEqual([true, true]);
    expect(run.app.record?.key?.accessKey).toHaveLength(15);
  });

  it.each([1, 2, 3, 4])('nothing when it ends after %d frames', (count) => {
    const run = watchedPair(channel);
    converse(run, count);
    run.app.input({ type: 'closed' });
    run.client.input({ type: 'closed' });
    expect(run.left()).toEqual(NOTHING);
  });

  it('nothing when UEM gives no key', () => {
    const run = watchedPair(channel);
    run.client.refusal = new ProtocolError('ERR_REJECTED_UNKNOWN', 'not assigned');
    converse(run);
    expect([run.app.machine.state, run.client.machine.state]).toEqual(['failed', 'failed']);
    expect(run.left()).toEqual(NOTHING);
  });

  it.each([
    ['refuses', accessKeyResponse(new Uint8Array(32)), 'ERR_PEER_MISMATCH'],
    ['cannot read', unreadable(accessKeyResponse(new Uint8Array(32))), 'ERR_WIRE_TRAILING'],
  ])('nothing of a key that the app %s', (_what, inner, code) => {
    const ofApp = watchedCrypto(nodeCrypto());
    const atApp = watchedPlaintexts(ofApp.crypto);
    const app = new AskingSide(initiatorOptions(channel, { crypto: atApp.crypto })).start();
    app.receive(lyingClient(channel, app).liar.record(inner));
    expect(app.error.code).toBe(code);
    expect([ofApp.left(), isWiped(atApp.opened.at(-1))]).toEqual([[], true]);
  });
});

function accessKeyResponse(nonce: Uint8Array): Uint8Array {
  return wire.accessKeyResponse.encode(responseTo(nonce));
}

/** The frame with one more byte in its body. */
function unreadable(frame: Uint8Array): Uint8Array {
  const longer = concatBytes(frame, new Uint8Array(1));
  longer[7] = (longer[7] as number) + 1;
  return longer;
}
