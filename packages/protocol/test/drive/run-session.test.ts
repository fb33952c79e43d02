import { expect, it } from 'vitest';
import { type HandshakeRequestResult, proxySessionInitiator, proxySessionResponder, type RunningSession, runProxySession, secret } from '../../src/index.ts';
import { nobleCrypto } from '../../src/providers/noble/index.ts';
import { fakeClock, seededEntropy } from '../../src/testing/index.ts';

const crypto = nobleCrypto();
const SCALAR = crypto.sha256(new Uint8Array([1]));
const KEX_KEY = crypto.p256PublicKey(SCALAR);
const ID = new Uint8Array(16).fill(3);
const BINDING = { name: 'px', prologue: { tenantId: 'tenant', proxyId: 'proxy-1', instanceId: ID, keyExchangeKey: KEX_KEY } } as const;

it.each(['in time', 'when the app has gone'])('keys of an app that come %s are wiped behind their use', async (when) => {
  const clock = fakeClock(0);
  const [psk, staticScalar] = [secret<'psk'>(new Uint8Array(32).fill(7)), secret<'static-scalar'>(SCALAR.slice())];
  let found: (result: HandshakeRequestResult) => void = () => {};
  const told = new Promise<HandshakeRequestResult>((resolve) => {
    found = resolve;
  });
  let isEstablished = false;
  const ends: { app?: RunningSession; proxy?: RunningSession } = {};
  ends.proxy = runProxySession(proxySessionResponder({ crypto, entropy: seededEntropy('proxy') }), 'responder', {
    clock,
    send: (bytes) => ends.app?.received(bytes),
    identify: () => told,
    onEvent: (event) => {
      isEstablished ||= event.type === 'established';
    },
    ended: () => {},
  });
  const options = { crypto, entropy: seededEntropy('app'), binding: BINDING, sessionKeyId: ID, responderStaticKey: KEX_KEY };
  const waiting: Uint8Array[] = [];
  ends.app = runProxySession(proxySessionInitiator({ ...options, psk: secret<'psk'>(psk.slice()) }), 'initiator', {
    clock,
    send: (bytes) => (ends.app === undefined ? void waiting.push(bytes) : ends.proxy?.received(bytes)),
    onEvent: () => {},
    ended: () => {},
  });
  for (const bytes of waiting) ends.proxy.received(bytes);
  if (when !== 'in time') ends.proxy.closed();
  found({ type: 'identified', peer: { binding: BINDING, psk, staticScalar } });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isEstablished).toBe(when === 'in time');
  expect([...psk, ...staticScalar].some((byte) => byte !== 0)).toBe(false);
});
