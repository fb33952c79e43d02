import { type CryptoProvider, ProtocolError } from '@uemkit/protocol';
import { describe, expect, it } from 'vitest';
import { clock, crypto, idOf, linkPair, MESSAGE, SERVICE, type World, world } from './services-bench.ts';

/** Remembers every secret that goes in or comes out, and every cipher. */
function watchedCrypto(inner: CryptoProvider): { readonly crypto: CryptoProvider; left(): readonly string[]; readonly seen: number } {
  const secrets = new Map<Uint8Array, string>();
  const ciphers: { wiped: boolean }[] = [];
  const watch = (name: string, bytes: Uint8Array): Uint8Array => {
    secrets.set(bytes, secrets.get(bytes) ?? name);
    return bytes;
  };
  return {
    crypto: {
      ...inner,
      hkdfExtract: (salt, input) => watch('extracted', inner.hkdfExtract(salt, watch('input of an extraction', input))),
      hkdfExpand: (key, info, lengthBytes) => watch('derived', inner.hkdfExpand(watch('expanded', key), info, lengthBytes)),
      p256PublicKey: (scalar) => inner.p256PublicKey(watch('scalar', scalar)),
      p256Ecdh: (scalar, publicKey) => watch('agreement', inner.p256Ecdh(watch('scalar', scalar), publicKey)),
      gcm(key) {
        const made = inner.gcm(watch('key', key));
        const cipher = { wiped: false };
        ciphers.push(cipher);
        return {
          ...made,
          wipe() {
            cipher.wiped = true;
            made.wipe();
          },
        };
      },
    },
    left: () => [
      ...[...secrets].filter(([bytes]) => bytes.some((byte) => byte !== 0)).map(([, name]) => name),
      ...ciphers.filter(({ wiped }) => !wiped).map(() => 'cipher'),
    ],
    get seen() {
      return secrets.size + ciphers.length;
    },
  };
}

/** Two apps whose secrets are watched; the keys that UEM tells stay with the app. */
function watchedWorld(change?: Parameters<typeof world>[0]) {
  const [asking, offering] = [watchedCrypto(crypto), watchedCrypto(crypto)];
  const both = world(change, { mail: asking.crypto, print: offering.crypto });
  const left = (): readonly string[] => [...asking.left(), ...offering.left()];
  return { ...both, both, left, seen: () => [asking.seen, offering.seen] };
}
const send = ({ mail, address }: World): Promise<unknown> => mail.services.sendTo({ address }, MESSAGE);

describe('nothing of a session stays in memory', () => {
  it('when it was answered', async () => {
    const { both, left, seen } = watchedWorld();
    both.print.services.provide(SERVICE, (message) => message.replyTo({}));
    await send(both);
    await Promise.all(both.accepted);
    for (const count of seen()) expect(count).toBeGreaterThan(5);
    expect(left()).toEqual([]);
  });

  it('when one of the two is given up in the middle', async () => {
    const { both, left } = watchedWorld();
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    both.print.services.provide(SERVICE, () => asked());
    const sent = send(both).catch((error: ProtocolError) => error.code);
    await isAsked;
    expect(left()).not.toEqual([]);
    both.mail.attached.close();
    expect(await sent).toBe('ERR_USAGE_STATE');
    expect(await both.accepted[0]).toMatchObject({ code: 'ERR_TRANSPORT_CLOSED' });
    expect(left()).toEqual([]);
  });

  it('when the other app is not there, or does not hold the key', async () => {
    const { both, left } = watchedWorld();
    both.print.set({ closed: new ProtocolError('ERR_APP_LOCKED', 'locked') });
    await send(both).catch(() => undefined);
    await Promise.all(both.accepted);
    expect(left()).toEqual([]);
  });

  it('when an app stops in the middle of the handshake, and the one that is asked is closed', async () => {
    const frames: Uint8Array[] = [];
    const { both, left } = watchedWorld((bytes, from) => (from === 'asking' && frames.push(bytes) > 1 ? [] : [bytes]));
    const sent = send(both).catch((error: ProtocolError) => error.code);
    while (frames.length < 2) await Promise.resolve();
    both.print.attached.close();
    both.mail.attached.close();
    await sent;
    await Promise.all(both.accepted);
    expect(left()).toEqual([]);
  });
});

it('an app that is one too many has its connection closed', async () => {
  const both = world();
  const idle = Array.from({ length: 4 }, () => {
    const { asking, offering } = linkPair();
    asking.receive({ received: () => undefined, closed: () => undefined });
    return { asking, ended: both.print.services.accept(offering, idOf('mail')).catch((error: ProtocolError) => error.code) };
  });
  const { asking, offering } = linkPair();
  const heard: string[] = [];
  asking.receive({ received: () => void heard.push('alert'), closed: () => void heard.push('closed') });
  await expect(both.print.services.accept(offering, idOf('mail'))).rejects.toMatchObject({ code: 'ERR_REJECTED_BUSY' });
  await clock.settle();
  expect([heard[0], heard.at(-1)]).toEqual(['alert', 'closed']);
  for (const each of idle) each.asking.close();
  await Promise.all(idle.map(({ ended }) => ended));
});
