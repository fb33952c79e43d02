import { ProtocolError, toHex, x509 } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeRole, makeRoot } from '../../src/data/lab-certificates.ts';
import { createRingJournal } from '../../src/journal/journal.ts';
import { certificateGuard } from '../../src/links/certificate-guard.ts';
import { createNotifier } from '../../src/links/notifier.ts';
import { createRegistrar } from '../../src/links/registrar.ts';
import { createRetryQueue } from '../../src/links/retry-queue.ts';
import { callRole } from '../../src/links/role-call.ts';
import type { RoleLink } from '../../src/roles/link-guard.ts';
import type { RoleAnswer, RoleName } from '../../src/roles/role.ts';

const crypto = nodeCrypto();
const NOW_MS = Date.UTC(2026, 0, 1);
let clock: FakeClock;

beforeEach(() => {
  clock = fakeClock(NOW_MS);
});

describe('a queue that tries again', () => {
  it('hands over in batches, the newest entry of a key only', async () => {
    const sent: string[][] = [];
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const queue = createRetryQueue<string>({
      clock,
      batch: 2,
      capacity: 10,
      async send(entries) {
        sent.push([...entries]);
        if (sent.length === 1) await held;
        return undefined;
      },
    });
    queue.put('a', 'a1');
    for (const [key, entry] of [
      ['b', 'b1'],
      ['c', 'c1'],
      ['b', 'b2'],
      ['d', 'd1'],
    ] as const)
      queue.put(key, entry);
    release();
    await clock.settle();
    expect(sent).toEqual([['a1'], ['c1', 'b2'], ['d1']]);
    expect(queue.waiting).toBe(0);
  });

  it('tries again with growing pauses, and begins with short ones after a success', async () => {
    const at: number[] = [];
    let fails = 4;
    const queue = createRetryQueue<string>({
      clock,
      batch: 2,
      capacity: 10,
      async send() {
        at.push(clock.monotonicMs());
        if (fails-- > 0) throw new Error('not there');
        return undefined;
      },
    });
    queue.put('a', 'a');
    await clock.advance(10_000);
    expect(at).toEqual([0, 250, 750, 1_750, 3_750]);
    fails = 1;
    queue.put('b', 'b');
    await clock.advance(1_000);
    expect(at.slice(5)).toEqual([10_000, 10_250]);
  });

  it('an attempt does not wait for the pause, and never rejects', async () => {
    let tries = 0;
    const queue = createRetryQueue<string>({
      clock,
      batch: 2,
      capacity: 10,
      async send() {
        tries += 1;
        throw new Error('not there');
      },
    });
    queue.put('a', 'a');
    await clock.settle();
    await queue.attempt();
    expect([tries, queue.waiting]).toEqual([2, 1]);
  });

  it('gives up the oldest entry when it is full, and everything at its end', async () => {
    const sent: string[] = [];
    let ready = false;
    const queue = createRetryQueue<string>({
      clock,
      batch: 10,
      capacity: 2,
      async send(entries) {
        if (!ready) throw new Error('not there');
        sent.push(...entries);
        return undefined;
      },
    });
    queue.put('a', 'a');
    await clock.settle();
    queue.put('b', 'b');
    queue.put('c', 'c');
    ready = true;
    await clock.advance(1_000);
    expect(sent).toEqual(['b', 'c']);
    queue.close();
    queue.put('d', 'd');
    await queue.attempt();
    expect([sent.length, queue.waiting, clock.pendingTimers]).toEqual([2, 0, 0]);
  });
});

describe('entries that are given back', () => {
  it('wait for growing pauses of their own while others go ahead, and asking again does not shorten them', async () => {
    const sent: { readonly atMs: number; readonly entries: readonly string[] }[] = [];
    let refusals = 3;
    const queue = createRetryQueue<string>({
      clock,
      batch: 10,
      capacity: 10,
      async send(entries) {
        sent.push({ atMs: clock.monotonicMs(), entries });
        return entries.filter((entry) => entry.startsWith('slow') && refusals-- > 0);
      },
    });
    queue.put('slow', 'slow');
    await clock.settle();
    queue.put('other', 'other');
    queue.put('slow', 'slow again');
    await clock.settle();
    expect(queue.waiting).toBe(1);
    await clock.advance(10_000);
    expect(sent).toEqual([
      { atMs: 0, entries: ['slow'] },
      { atMs: 0, entries: ['other'] },
      { atMs: 250, entries: ['slow again'] },
      { atMs: 750, entries: ['slow again'] },
      { atMs: 1_750, entries: ['slow again'] },
    ]);
    expect([queue.waiting, clock.pendingTimers]).toEqual([0, 0]);
    queue.close();
  });

  it('count for the capacity, and go with the queue', async () => {
    const queue = createRetryQueue<string>({ clock, batch: 10, capacity: 3, send: async (entries) => entries });
    for (const name of ['a', 'b', 'c', 'd', 'e']) queue.put(name, name);
    await clock.settle();
    expect(queue.waiting).toBeLessThanOrEqual(3);
    queue.close();
    expect([queue.waiting, clock.pendingTimers]).toEqual([0, 0]);
  });
});

/** An Infrastructure that takes what it gets, or is not there. */
class FakeInfrastructure implements RoleLink {
  readonly frames: wire.Frame[] = [];
  there = true;
  answer: (frame: wire.Frame) => RoleAnswer = () => ({ status: 'answered', frame: wire.acknowledgement.encode({ ok: true }) });

  async request(_service: string, frame: Uint8Array): Promise<RoleAnswer> {
    if (!this.there) throw new ProtocolError('ERR_TRANSPORT_CONNECT', 'not there');
    const parsed = wire.parseFrame(frame);
    this.frames.push(parsed);
    return this.answer(parsed);
  }

  get registrations(): readonly wire.RegisterUsers[] {
    return this.frames.map((frame) => wire.registerUsers.decode(frame));
  }
}

const hash = (name: string): Uint8Array => crypto.sha256(new TextEncoder().encode(name));
const place = { tenantId: 'tenant', activationAddress: 'uem.example:443', spkiPins: [new Uint8Array(32)] };

describe('the registrar (F1.1)', () => {
  it('sends the whole list in pages, the first one in place of what was there', async () => {
    const infrastructure = new FakeInfrastructure();
    const registrar = createRegistrar({ clock, infrastructure, place });
    const hashes = Array.from({ length: 2_345 }, (_, index) => hash(`user-${index}`));
    await registrar.replaceAll(hashes);
    expect(infrastructure.registrations.map(({ add, replaceAll }) => [add.length, replaceAll])).toEqual([
      [1_000, true],
      [1_000, false],
      [345, false],
    ]);
    expect(infrastructure.registrations[0]).toMatchObject(place);
  });

  it('an empty list is sent, too', async () => {
    const infrastructure = new FakeInfrastructure();
    await createRegistrar({ clock, infrastructure, place }).replaceAll([]);
    expect(infrastructure.registrations).toMatchObject([{ add: [], replaceAll: true }]);
  });

  it('sends changes together, and later when nobody is there, after the whole list', async () => {
    const infrastructure = new FakeInfrastructure();
    infrastructure.there = false;
    const registrar = createRegistrar({ clock, infrastructure, place });
    await registrar.replaceAll([hash('alice')]);
    registrar.add(hash('bob'));
    registrar.add(hash('carol'));
    registrar.remove(hash('bob'));
    await registrar.flush();
    infrastructure.there = true;
    await clock.advance(5_000);
    const [whole, changes] = infrastructure.registrations;
    expect(whole?.replaceAll).toBe(true);
    expect([changes?.add.map(toHex), changes?.remove.map(toHex)]).toEqual([[toHex(hash('carol'))], [toHex(hash('bob'))]]);
    expect(infrastructure.frames).toHaveLength(2);
    registrar.close();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('the notifier (F5.2)', () => {
  const target = (id: number) => ({ deviceId: `device-${id}`, pushToken: new Uint8Array(32).fill(id) });

  it('wakes devices in batches, tells which tokens are gone, and coalesces while nobody is there', async () => {
    const infrastructure = new FakeInfrastructure();
    infrastructure.answer = (frame) => {
      const { notifications } = wire.notify.decode(frame);
      const statuses = notifications.map(({ token }) => (token[0] === 2 ? ('unregistered' as const) : ('accepted' as const)));
      return { status: 'answered', frame: wire.notifyResult.encode({ statuses }) };
    };
    infrastructure.there = false;
    const gone: string[] = [];
    const journal = createRingJournal();
    const notifier = createNotifier({
      clock,
      crypto,
      entropy: seededEntropy('notifier'),
      journal,
      infrastructure,
      unregistered: ({ deviceId }) => void gone.push(deviceId),
    });
    for (let round = 0; round < 3; round++) notifier.wakeUp([target(1), target(2)]);
    await clock.settle();
    expect(notifier.waiting).toBe(2);
    infrastructure.there = true;
    await clock.advance(2_000);
    const [sent] = infrastructure.frames.map((frame) => wire.notify.decode(frame).notifications);
    expect(infrastructure.frames).toHaveLength(1);
    expect(sent?.map(({ token }) => token[0])).toEqual([1, 2]);
    expect(sent?.[0]?.expiresAtEpochS).toBeGreaterThan(clock.nowMs() / 1_000 + 86_000);
    expect(gone).toEqual(['device-2']);
    // UEM says for each wake-up whom it is for and what became of it, under the reference that the other roles use.
    const told = journal.entries().map(({ step, deviceId, answer, reason = '', refs }) => ({ step, deviceId, answer, reason, refs }));
    expect(told[0]).toMatchObject({ deviceId: 'device-1', answer: 'not delivered', reason: expect.stringContaining('ERR_TRANSPORT') });
    expect(told.slice(-2)).toEqual([
      { step: 'F5.2', deviceId: 'device-1', answer: 'accepted', reason: '', refs: [toHex(crypto.sha256(sent?.[0]?.wakeUpId as Uint8Array)).slice(0, 16)] },
      { step: 'F5.2', deviceId: 'device-2', answer: 'unregistered', reason: '', refs: [toHex(crypto.sha256(sent?.[1]?.wakeUpId as Uint8Array)).slice(0, 16)] },
    ]);
    notifier.close();
  });

  it('tries again what was throttled or could not be handed over, and nothing else', async () => {
    const infrastructure = new FakeInfrastructure();
    const answers: Record<number, wire.NotifyStatus[]> = {
      1: ['accepted'],
      2: ['throttled', 'throttled', 'accepted'],
      3: ['unavailable', 'accepted'],
      4: ['dropped'],
      5: ['unregistered'],
    };
    infrastructure.answer = (frame) => {
      const statuses = wire.notify.decode(frame).notifications.map(({ token }) => answers[token[0] as number]?.shift() ?? 'accepted');
      return { status: 'answered', frame: wire.notifyResult.encode({ statuses }) };
    };
    const gone: string[] = [];
    const notifier = createNotifier({
      clock,
      crypto,
      journal: createRingJournal(),
      entropy: seededEntropy('notifier'),
      infrastructure,
      unregistered: ({ deviceId }) => void gone.push(deviceId),
    });
    infrastructure.there = false;
    notifier.wakeUp([target(1), target(2), target(3), target(4), target(5)]);
    await clock.settle();
    infrastructure.there = true;
    await clock.advance(5_000);
    const sent = infrastructure.frames.map((frame) =>
      wire.notify
        .decode(frame)
        .notifications.map(({ token }) => token[0])
        .sort(),
    );
    expect(sent).toEqual([[1, 2, 3, 4, 5], [2, 3], [2]]);
    expect(gone).toEqual(['device-5']);
    expect(notifier.waiting).toBe(0);
    notifier.close();
  });

  it.each<[string, (count: number) => RoleAnswer | Promise<RoleAnswer>]>([
    ['are unavailable', (count) => ({ status: 'answered', frame: wire.notifyResult.encode({ statuses: Array(count).fill('unavailable') }) })],
    ['make the Infrastructure say that it is busy', () => ({ status: 'busy', retryAfterS: 1 })],
    ['never answer', () => new Promise(() => {})],
  ])('any number of services that %s hold back their own wake-ups only', async (_how, dead) => {
    const infrastructure = new FakeInfrastructure();
    const sent: { readonly atMs: number; readonly tokens: readonly string[] }[] = [];
    const throttled: string[] = [];
    infrastructure.answer = ((frame: wire.Frame) => {
      const tokens = wire.notify.decode(frame).notifications.map(({ token }) => Buffer.from(token).toString());
      sent.push({ atMs: clock.monotonicMs(), tokens });
      if (tokens.some((token) => !token.startsWith('wns'))) return dead(tokens.length);
      const statuses = tokens.map((token) => (throttled.includes(token) ? ('throttled' as const) : ('accepted' as const)));
      return { status: 'answered', frame: wire.notifyResult.encode({ statuses }) };
    }) as (frame: wire.Frame) => RoleAnswer;
    const notifier = createNotifier({
      clock,
      crypto,
      entropy: seededEntropy('notifier'),
      journal: createRingJournal(),
      infrastructure,
      unregistered: () => {},
    });
    const of = (service: wire.PushServiceName, id: number) => ({
      deviceId: `${service}-${id}`,
      pushToken: wire.pushTokenOf({ service, address: `${'address'.repeat(3)}-${id}` }),
    });
    const name = (id: number): string => `wns:${'address'.repeat(3)}-${id}`;
    notifier.wakeUp([of('apns', 1), of('fcm', 2), of('bb10', 3), of('wns', 4)]);
    await clock.settle();
    const woken = (): readonly string[] => sent.flatMap(({ tokens }) => tokens.filter((token) => token.startsWith('wns')));
    expect(woken()).toEqual([name(4)]);
    // The pauses of the dead ones have grown as long as they get.
    await clock.advance(120_000);
    notifier.wakeUp([of('apns', 5), of('wns', 6)]);
    await clock.settle();
    expect(woken()).toEqual([name(4), name(6)]);
    // A pause that the living service asks for is its own as well.
    throttled.push(name(7));
    notifier.wakeUp([of('wns', 7)]);
    await clock.settle();
    throttled.length = 0;
    await clock.advance(250);
    expect(woken()).toEqual([name(4), name(6), name(7), name(7)]);
    expect(notifier.waiting).toBeLessThanOrEqual(4);
    notifier.close();
    notifier.wakeUp([of('wns', 8)]);
    expect([notifier.waiting, clock.pendingTimers]).toEqual([0, 0]);
  });

  it.each<[string, RoleAnswer]>([
    ['is busy', { status: 'busy', retryAfterS: 1 }],
    ['answers an alert', { status: 'answered', frame: wire.alert.encode({ code: 'authFailed' }) }],
    ['answers something else', { status: 'answered', frame: wire.acknowledgement.encode({ ok: true }) }],
  ])('keeps the wake-up when the Infrastructure %s', async (_what, answer) => {
    const infrastructure = new FakeInfrastructure();
    infrastructure.answer = () => answer;
    const notifier = createNotifier({
      clock,
      crypto,
      entropy: seededEntropy('notifier'),
      journal: createRingJournal(),
      infrastructure,
      unregistered: () => {},
    });
    notifier.wakeUp([target(1)]);
    await clock.settle();
    expect(notifier.waiting).toBe(1);
    notifier.close();
  });

  it('a call of another role says what went wrong', async () => {
    const infrastructure = new FakeInfrastructure();
    infrastructure.answer = () => ({ status: 'answered', frame: wire.alert.encode({ code: 'authFailed' }) });
    const frame = wire.notify.encode({ notifications: [{ token: new Uint8Array(32), wakeUpId: new Uint8Array(16), expiresAtEpochS: 0 }] });
    const call = (): Promise<unknown> => callRole(infrastructure, 'notifications', frame, wire.notifyResult);
    await expect(call()).rejects.toMatchObject({ code: 'ERR_PEER_ALERT', details: { alert: 'authFailed' } });
    infrastructure.answer = () => ({ status: 'busy', retryAfterS: 1 });
    await expect(call()).rejects.toMatchObject({ code: 'ERR_REJECTED_BUSY' });
  });
});

describe('the guard between roles', () => {
  const maker = { crypto, entropy: seededEntropy('guard'), nowMs: NOW_MS };
  const root = makeRoot(maker, 'Test root');
  const guard = () => certificateGuard({ clock, crypto, root: root.certificate });
  const peer = (certificate: Uint8Array) => ({ kind: 'certificate', source: 'test', certificate }) as const;

  it.each(['infrastructure', 'uem', 'notification', 'noc'] as const)('knows %s by its certificate', (role) => {
    const { certificate } = makeRole(maker, root, role, ['localhost', '127.0.0.1', '::1', 'fe80::1:2']);
    expect(guard().roleOf(peer(certificate))).toBe(role);
  });

  it('knows the tenant of UEM by its certificate; no other role speaks for one', () => {
    const made = (role: RoleName, tenantId?: string) => guard().tenantOf(peer(makeRole(maker, root, role, ['localhost'], tenantId).certificate));
    expect(made('uem', 'tenant-1')).toEqual({ tenantId: 'tenant-1' });
    expect(made('uem')).toEqual({ refused: 'the certificate names no tenant' });
    expect(made('infrastructure', 'tenant-1')).toEqual({ refused: 'role infrastructure may not do this' });
    expect(guard().tenantOf({ kind: 'anonymous', source: 'test' })).toEqual({ refused: 'no role certificate' });
  });

  it('refuses a device, another root, bytes that are no certificate, and nobody', () => {
    const device = crypto.p256PublicKey(new Uint8Array(32).fill(3));
    const purpose = { kind: 'leaf', usages: ['clientAuth'], uris: [x509.deviceUri('d1')], dnsNames: [], ipAddresses: [] } as const;
    const issuer = { commonName: 'Test root', publicKey: root.publicKey };
    const dates = { notBeforeMs: NOW_MS - 1_000, notAfterMs: NOW_MS + 1_000_000 };
    const info = x509.certificateInfo(crypto, { serial: Uint8Array.of(1), issuer, commonName: 'd1', publicKey: device, purpose, ...dates });
    const ofDevice = x509.certificate(info, crypto.p256Sign(root.scalar, info));
    const elsewhere = makeRole(maker, makeRoot(maker, 'Test root'), 'uem', ['localhost']).certificate;
    expect(guard().roleOf(peer(ofDevice))).toEqual({ refused: 'the certificate names no role' });
    expect(guard().roleOf(peer(elsewhere))).toMatchObject({ refused: expect.stringMatching(/^ERR_CERTIFICATE_CHAIN/) });
    expect(guard().roleOf(peer(new Uint8Array(9)))).toMatchObject({ refused: expect.stringMatching(/^ERR_CERTIFICATE_FORMAT/) });
    expect(guard().roleOf({ kind: 'anonymous', source: 'test' })).toEqual({ refused: 'no role certificate' });
  });

  it('judges dates by the clock of the lab, on an open connection too', async () => {
    const { certificate } = makeRole(maker, root, 'uem', ['localhost']);
    const one = guard();
    const connection = peer(certificate);
    expect(one.roleOf(connection)).toBe('uem');
    await clock.advance(3_651 * 86_400_000);
    expect(one.roleOf(connection)).toMatchObject({ refused: expect.stringMatching(/^ERR_CERTIFICATE_VALIDITY/) });
  });
});
