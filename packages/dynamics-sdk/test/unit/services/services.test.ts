import { ProtocolError, toHex } from '@uemkit/protocol';
import { alert } from '@uemkit/protocol/wire';
import { describe, expect, it } from 'vitest';
import { type IncomingMessage, interAppServices, isServicesError, ServicesError } from '../../../src/services/index.ts';
import { serviceApps } from '../../../src/services/service-apps.ts';
import { App, clock, documentOf, idOf, instanceOf, keyOf, linkPair, MESSAGE, SERVICE, type World, world } from './services-bench.ts';

const failure = (work: Promise<unknown>): Promise<{ readonly code: string; readonly message: string; readonly details?: unknown }> =>
  work.then(
    () => Promise.reject(new Error('it went well')),
    (error) => error,
  );
const send = ({ mail, address }: World, more: object = {}) => mail.services.sendTo({ address }, { ...MESSAGE, ...more });
/** What became of the last connection at the printer. */
const ended = async ({ accepted }: World): Promise<unknown> => {
  const result = await accepted.at(-1);
  return result instanceof ProtocolError ? result.code : result;
};

describe('services between two apps', () => {
  it('are discovered by id and version, and show no key', () => {
    const { mail, address } = world();
    const provider = {
      ...{ address, applicationId: 'com.example.print', name: 'print', version: '1.0.0.0', platformId: idOf('print') },
      services: [SERVICE],
    };
    expect(mail.services.getServiceProviders()).toEqual([provider]);
    expect(mail.services.getServiceProvidersFor(SERVICE.serviceId)).toEqual([provider]);
    expect(mail.services.getServiceProvidersFor(SERVICE.serviceId, '1.0.0.0')).toEqual([provider]);
    expect([mail.services.getServiceProvidersFor('com.example.fax'), mail.services.getServiceProvidersFor(SERVICE.serviceId, '2.0')]).toEqual([[], []]);
    mail.document = undefined;
    expect(mail.services.getServiceProviders()).toEqual([]);
  });

  it('exchange a request and a reply, with attachments', async () => {
    const both = world();
    const heard: IncomingMessage[] = [];
    both.print.services.provide({ ...SERVICE, methods: ['print'] }, (message) => {
      heard.push(message);
      message.replyTo({
        params: { pages: 4 },
        attachments: [{ name: 'proof.pdf', bytes: new Uint8Array(70_000).fill(3) }],
        foreground: 'PreferPeerInForeground',
      });
    });
    const attachments = [
      { name: 'a.txt', bytes: new Uint8Array(40_000).fill(1) },
      { name: 'b', bytes: new Uint8Array(0) },
    ];
    const reply = await send(both, { attachments, foreground: 'PreferPeerInForeground' });
    expect(reply).toEqual({
      params: { pages: 4 },
      attachments: [{ name: 'proof.pdf', bytes: new Uint8Array(70_000).fill(3) }],
      foreground: 'PreferPeerInForeground',
    });
    expect(heard[0]).toMatchObject({
      ...{ ...MESSAGE, attachments, foreground: 'PreferPeerInForeground' },
      from: { address: toHex(instanceOf(1)), applicationId: 'com.example.mail', name: 'mail', version: '1.0.0.0' },
    });
    expect(await ended(both)).toBe('answered');
  });

  it('may be answered later, with nothing, and once', async () => {
    const both = world();
    let later: IncomingMessage | undefined;
    both.print.services.provide(SERVICE, (message) => {
      later = message;
    });
    const reply = send(both, { params: undefined });
    while (later === undefined) await Promise.resolve();
    expect(() => later?.replyTo({ params: 1n })).toThrow(ServicesError);
    later.replyTo();
    expect(() => later?.replyTo()).toThrow(ProtocolError);
    expect(await reply).toEqual({ params: undefined, attachments: [], foreground: 'NoForegroundPreference' });
    expect(later.params).toBe(undefined);
  });

  it('answer typed errors; of others the asking app hears that there was one', async () => {
    const both = world();
    const thrown: unknown[] = [
      new ServicesError('GDServicesErrorCustom', 'no paper', { details: { tray: 2 } }),
      new ServicesError('GDServicesErrorNotAllowed', ''),
      new ServicesError('GDServicesErrorInvalidParams', 'x'.repeat(2_000), { details: 'y'.repeat(9_000) }),
      new TypeError('secret of the printer'),
    ];
    both.print.services.provide(SERVICE, () => {
      throw thrown.shift();
    });
    const [custom, empty, long, other] = [await failure(send(both)), await failure(send(both)), await failure(send(both)), await failure(send(both))];
    expect([custom.code, custom.message, custom.details, isServicesError(custom)]).toEqual(['GDServicesErrorCustom', 'no paper', { tray: 2 }, true]);
    expect([empty.code, empty.message]).toEqual(['GDServicesErrorNotAllowed', 'the other app has refused']);
    expect([long.code, long.message.length, long.details]).toEqual(['GDServicesErrorInvalidParams', 256, undefined]);
    expect([other.code, other.message]).toEqual(['GDServicesErrorGeneral', 'the other app has refused']);
    expect(isServicesError(new Error())).toBe(false);
  });
});

describe('the asking app is refused before anything is sent', () => {
  it.each<[string, string, object | ((both: World) => void)]>([
    ['an address that UEM does not name', 'GDServicesErrorApplicationNotFound', (both) => both.mail.set({ document: documentOf('mail', []) })],
    [
      'an app that offers nothing',
      'GDServicesErrorApplicationNotFound',
      (both) => both.mail.set({ document: documentOf('mail', [], { fill: 2, name: 'print' }) }),
    ],
    ['a service that the app does not offer', 'GDServicesErrorServiceNotFound', { serviceId: 'com.example.fax' }],
    ['a version that the app does not offer', 'GDServicesErrorServiceVersionNotFound', { version: '2.0' }],
    ['what is no JSON', 'GDServicesErrorInvalidParams', { params: () => 1 }],
    ['params that are too long', 'GDServicesErrorInvalidParams', { params: 'x'.repeat(49_153) }],
    ['attachments that are too large', 'GDServicesErrorInvalidParams', { attachments: [{ name: 'a', bytes: new Uint8Array(8_388_609) }] }],
    ['too many attachments', 'GDServicesErrorInvalidParams', { attachments: Array.from({ length: 17 }, () => ({ name: 'a', bytes: new Uint8Array(1) })) }],
    ['a name that is too long', 'ERR_WIRE_LENGTH', { attachments: [{ name: 'a'.repeat(256), bytes: new Uint8Array(1) }] }],
    ['while it is locked', 'ERR_APP_LOCKED', (both) => both.mail.set({ closed: new ProtocolError('ERR_APP_LOCKED', 'locked') })],
    ['when it is wiped', 'ERR_APP_WIPED', (both) => both.mail.set({ closed: new ProtocolError('ERR_APP_WIPED', 'wiped') })],
  ])('%s', async (_name, code, how) => {
    const both = world();
    both.print.services.provide(SERVICE, (message) => message.replyTo());
    if (typeof how === 'function') how(both);
    expect((await failure(send(both, typeof how === 'function' ? {} : how))).code).toBe(code);
    expect(both.accepted).toHaveLength(0);
  });

  it('an app that does not run, one that cannot be reached, and an abort', async () => {
    const errors: unknown[] = [new ProtocolError('ERR_TRANSPORT_CONNECT', 'x'), new ProtocolError('ERR_TRANSPORT_CLOSED', 'x'), new TypeError('x')];
    const mail = new App(1, documentOf('mail', [], { fill: 2, name: 'print', offers: true, sendKey: keyOf(7) }), {
      connect: () => Promise.reject(errors.shift()),
    });
    const to = { address: toHex(instanceOf(2)) };
    expect((await failure(mail.services.sendTo(to, MESSAGE))).code).toBe('GDServicesErrorApplicationNotFound');
    expect((await failure(mail.services.sendTo(to, MESSAGE))).code).toBe('ERR_TRANSPORT_CLOSED');
    await expect(mail.services.sendTo(to, MESSAGE)).rejects.toThrow(TypeError);
    await expect(mail.services.sendTo(to, MESSAGE, { signal: AbortSignal.abort('enough') })).rejects.toBe('enough');
    mail.tenantId = undefined;
    expect((await failure(mail.services.sendTo(to, MESSAGE))).code).toBe('GDServicesErrorApplicationNotFound');
  });

  it('services without a runtime, of another runtime, or without a way to others', async () => {
    const alone = interAppServices();
    for (const work of [() => alone.getServiceProviders(), () => alone.accept(linkPair().offering, 'x')]) expect(work).toThrow(ProtocolError);
    const app = new App(1, undefined);
    expect(() => app.services.attach({} as never)).toThrow(ProtocolError);
    expect((await failure(app.services.sendTo({ address: 'x' }, MESSAGE))).code).toBe('ERR_USAGE_STATE');
  });
});

describe('the offering app refuses', () => {
  const provided = (change?: Parameters<typeof world>[0]): World & { readonly heard: number[] } => {
    const heard: number[] = [];
    const both = Object.assign(world(change), { heard });
    both.print.services.provide({ ...SERVICE, methods: ['print'] }, (message) => {
      heard.push(1);
      message.replyTo();
    });
    return both;
  };

  it.each<[string, (both: World) => void]>([
    ['another package that poses as the app: the operating system knows', (both) => both.seeing(idOf('evil'))],
    ['an app that UEM has not named: of another user, tenant or device', (both) => both.print.set({ document: documentOf('print', [SERVICE]) })],
    ['an app that it is told no key for', (both) => both.print.set({ document: documentOf('print', [SERVICE], { fill: 1, name: 'mail' }) })],
    [
      'an app with the key of another one',
      (both) => both.mail.set({ document: documentOf('mail', [], { fill: 2, name: 'print', offers: true, sendKey: keyOf(8) }) }),
    ],
    [
      'another package that has the key of the app, and says what it is',
      (both) => {
        both.seeing(idOf('evil'));
        both.mail.set({ document: { ...(both.mail.document as object), platformId: idOf('evil') } });
      },
    ],
    ['an app of another tenant', (both) => both.mail.set({ tenantId: 'tenant-2' })],
    ['an app that means another installation of it', (both) => both.print.instanceId.fill(9)],
    ['an app that thinks that it is another package', (both) => both.mail.set({ document: { ...(both.mail.document as object), platformId: idOf('other') } })],
    ['anybody, when it is wiped', (both) => both.print.set({ closed: new ProtocolError('ERR_APP_WIPED', 'wiped') })],
    ['anybody, when it is not activated', (both) => both.print.set({ tenantId: undefined })],
  ])('%s: all alike, and nothing is shown', async (_name, how) => {
    const both = provided();
    how(both);
    const error = await failure(send(both));
    expect([error.code, await ended(both), both.heard]).toEqual(['ERR_PEER_ALERT', 'ERR_CRYPTO_KEY_CONFIRMATION', []]);
  });

  it('with busy while it is locked or blocked', async () => {
    const both = provided();
    both.print.closed = new ProtocolError('ERR_APP_LOCKED', 'locked');
    expect([(await failure(send(both))).code, await ended(both), both.heard]).toEqual(['ERR_REJECTED_BUSY', 'ERR_REJECTED_BUSY', []]);
  });

  it('what it does not offer, by name: UEM has told the asking app more than it', async () => {
    const both = provided();
    const offers = [SERVICE, { ...SERVICE, version: '2.0' }, { serviceId: 'com.example.fax', version: '1.0.0.0' }];
    const [app] = (both.mail.document as { apps: object[] }).apps;
    both.mail.document = { ...(both.mail.document as object), apps: [{ ...app, services: offers }] } as never;
    expect((await failure(send(both, { serviceId: 'com.example.fax' }))).code).toBe('GDServicesErrorServiceNotFound');
    expect((await failure(send(both, { version: '2.0' }))).code).toBe('GDServicesErrorServiceVersionNotFound');
    expect((await failure(send(both, { method: 'burn' }))).code).toBe('GDServicesErrorMethodNotFound');
    both.print.services.provide(SERVICE, () => undefined)();
    expect((await failure(send(both))).code).toBe('GDServicesErrorServiceDisabled');
    expect(both.heard).toEqual([]);
  });

  it('an end of what was replaced ends nothing', async () => {
    const both = world();
    const end = both.print.services.provide(SERVICE, () => undefined);
    both.print.services.provide(SERVICE, (message) => message.replyTo());
    end();
    expect((await send(both)).params).toBe(undefined);
  });

  it('what is changed or repeated on the way', async () => {
    for (const times of [0, 2]) {
      let count = 0;
      // The request is the third thing that the asking app sends.
      const both = provided((bytes, from) => {
        if (from !== 'asking' || ++count !== 3) return [bytes];
        if (times === 2) return [bytes, bytes];
        return [bytes.map((byte, index) => (index === bytes.length - 1 ? byte ^ 1 : byte))];
      });
      const error = await failure(send(both));
      expect([error.code, await ended(both), both.heard.length <= 1]).toEqual(['ERR_PEER_ALERT', 'ERR_CRYPTO_OPEN', true]);
    }
  });

  it('what was recorded and is sent again', async () => {
    const recorded: Uint8Array[] = [];
    const both = provided((bytes, from) => {
      if (from === 'asking') recorded.push(bytes);
      return [bytes];
    });
    await send(both);
    expect([recorded.length, both.heard.length]).toEqual([3, 1]);
    const { asking, offering } = linkPair();
    const [m1, ...rest] = recorded;
    // The printer answers the old M1 with a new M2.
    asking.receive({ received: () => rest.splice(0).forEach((bytes) => void asking.send(bytes)), closed: () => undefined });
    const again = both.print.services.accept(offering, idOf('mail')).catch((error: ProtocolError) => error.code);
    asking.send(m1 as Uint8Array);
    expect([await again, both.heard.length]).toEqual(['ERR_CRYPTO_KEY_CONFIRMATION', 1]);
  });

  it('one too many of an app, and of all apps, with busy', async () => {
    const both = world();
    const waiting: IncomingMessage[] = [];
    both.print.services.provide(SERVICE, (message) => void waiting.push(message));
    const sent = Array.from({ length: 4 }, () => send(both));
    while (waiting.length < 4) await Promise.resolve();
    expect((await failure(send(both))).code).toBe('ERR_REJECTED_BUSY');
    both.seen = idOf('other');
    const idle = Array.from({ length: 12 }, (_, index) => {
      const { asking, offering } = linkPair();
      asking.receive({ received: () => undefined, closed: () => undefined });
      return { asking, ended: both.print.services.accept(offering, idOf(`app-${index}`)).catch((error: ProtocolError) => error.code) };
    });
    const last = linkPair();
    const told: number[] = [];
    last.asking.receive({ received: (frame) => void told.push(frame.length), closed: () => undefined });
    await expect(both.print.services.accept(last.offering, idOf('one-more'))).rejects.toMatchObject({ code: 'ERR_REJECTED_BUSY' });
    const gone = linkPair();
    gone.offering.close();
    await expect(both.print.services.accept(gone.offering, idOf('one-more'))).rejects.toMatchObject({ code: 'ERR_REJECTED_BUSY' });
    expect(told).toEqual([alert.encode({ code: 'busy' }).length]);
    for (const message of waiting) message.replyTo();
    await Promise.all(sent);
    for (const { asking } of idle) asking.close();
    expect(await Promise.all(idle.map((one) => one.ended))).toEqual(Array(12).fill('ERR_TRANSPORT_CLOSED'));
  });

  it('an app that says nothing, after half a minute', async () => {
    const both = world();
    const { asking, offering } = linkPair();
    asking.receive({ received: () => undefined, closed: () => undefined });
    const silent = both.print.services.accept(offering, idOf('mail')).catch((error: ProtocolError) => error.code);
    await clock.advance(30_001);
    expect(await silent).toBe('ERR_PEER_TIMEOUT');
  });
});

describe('an exchange ends', () => {
  const waiting = async (options: object = {}) => {
    const both = world();
    let message: IncomingMessage | undefined;
    both.print.services.provide(SERVICE, (one) => {
      message = one;
      return new Promise(() => undefined);
    });
    const reply = failure(both.mail.services.sendTo({ address: both.address }, MESSAGE, options));
    while (message === undefined) await Promise.resolve();
    return { both, reply, message };
  };

  it('when one of the two is locked, and the message is told so', async () => {
    const asking = await waiting();
    asking.both.mail.closed = new ProtocolError('ERR_APP_LOCKED', 'locked');
    asking.both.mail.attached.review();
    expect([(await asking.reply).code, await ended(asking.both), asking.message.signal.aborted]).toEqual(['ERR_APP_LOCKED', 'ERR_TRANSPORT_CLOSED', true]);
    const offering = await waiting();
    offering.both.print.attached.review();
    expect(offering.message.signal.aborted).toBe(false);
    offering.both.print.closed = new ProtocolError('ERR_APP_WIPED', 'wiped');
    offering.both.print.attached.review();
    expect([(await offering.reply).code, await ended(offering.both), offering.message.signal.aborted]).toEqual(['ERR_TRANSPORT_CLOSED', 'ERR_APP_WIPED', true]);
  });

  it('when its runtime is closed, when it is given up, and when its time is over', async () => {
    const closed = await waiting();
    closed.both.mail.attached.close();
    expect((await closed.reply).code).toBe('ERR_USAGE_STATE');
    const abort = new AbortController();
    const given = await waiting({ signal: abort.signal });
    abort.abort(new Error('enough'));
    expect((await given.reply).message).toBe('enough');
    const late = await waiting({ timeoutMs: 5_000 });
    await clock.advance(5_001);
    expect([(await late.reply).code, await ended(late.both)]).toEqual(
      ['ERR_PEER_TIMEOUT', 'ERR_PEER_TIMEOUT'].map((code, index) => (index === 0 ? code : 'ERR_PEER_ALERT')),
    );
  });

  it('at the offering app when its caller gives it up', async () => {
    const { print } = world();
    const abort = new AbortController();
    const { asking, offering } = linkPair();
    asking.receive({ received: () => undefined, closed: () => undefined });
    const accepted = print.services.accept(offering, idOf('mail'), { signal: abort.signal });
    abort.abort(new Error('closing'));
    await expect(accepted).rejects.toThrow('closing');
  });
});

describe('what UEM tells', () => {
  it.each([undefined, {}, { services: 5 }, { services: { platformId: 5 } }, { services: [] }])('%j is nothing', (policy) => {
    expect(serviceApps(policy as never)).toBe(undefined);
  });

  it('is taken as far as it has its form', () => {
    const good = { instanceId: instanceOf(2), applicationId: 'a', name: 'b', version: '1', platformId: 'c', services: [SERVICE, {}, 5], sendKey: keyOf(1) };
    const bad = [
      5,
      null,
      { ...good, instanceId: new Uint8Array(15) },
      { ...good, instanceId: 'x' },
      ...['applicationId', 'name', 'version', 'platformId'].map((name) => ({ ...good, [name]: 5 })),
    ];
    const apps = serviceApps({
      services: { platformId: 'own', offers: 'x', apps: [...bad, good, { ...good, sendKey: new Uint8Array(31), services: 'x' }] },
    } as never);
    expect(apps?.offers).toEqual([]);
    expect(apps?.apps.map(({ services, sendKey, receiveKey }) => [services, sendKey?.length, receiveKey])).toEqual([
      [[SERVICE], 32, undefined],
      [[], undefined, undefined],
    ]);
  });
});
