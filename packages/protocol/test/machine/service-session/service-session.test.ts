import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  handshakeInitiator,
  handshakeResponder,
  ProtocolError,
  SERVICE_INITIATOR_TRANSITIONS,
  SERVICE_RESPONDER_TRANSITIONS,
  SERVICE_TIMER,
  type ServiceAnswer,
  type ServiceCall,
  serviceInitiator,
  transitionRecorder,
} from '../../../src/index.ts';
import { nodeCrypto } from '../../../src/providers/node/index.ts';
import type { GcmSealer } from '../../../src/record/index.ts';
import { seededEntropy } from '../../../src/testing/index.ts';
import * as wire from '../../../src/wire/index.ts';
import { watchedCrypto } from '../../watched-crypto.ts';
import { attend, CALL, converse, file, initiatorOptions, NOW_MS, PEER, PROLOGUE, pair, pskOf, REPLY, Side } from './service-bench.ts';

const recorder = transitionRecorder();
const onTransition = recorder.listener;
const watched = { asking: { onTransition }, offering: { onTransition } };
afterAll(() => {
  const rows = [...SERVICE_INITIATOR_TRANSITIONS, ...SERVICE_RESPONDER_TRANSITIONS];
  expect(recorder.missing(rows)).toEqual([]);
});

const crypto = nodeCrypto();

/** The other end as somebody who has the key and says what he likes. */
class Liar {
  readonly handshake;
  sealer: GcmSealer | undefined;
  constructor(role: 'asking' | 'offering') {
    this.handshake =
      role === 'asking'
        ? handshakeInitiator({
            ...{ crypto, entropy: seededEntropy('liar'), binding: { name: 'svc', prologue: PROLOGUE }, psk: pskOf() },
            start: { pskId: PROLOGUE.responderInstanceId, instanceId: PROLOGUE.instanceId },
          })
        : handshakeResponder({ crypto, entropy: seededEntropy('liar'), name: 'svc' });
  }

  run(input: Parameters<typeof this.handshake.handle>[0]): Uint8Array[] {
    const sent: Uint8Array[] = [];
    for (const effect of this.handshake.handle(input as never, NOW_MS)) {
      if (effect.type === 'send') sent.push(effect.frame);
      if (effect.type === 'request') sent.push(...this.run({ type: 'result', result: { type: 'identified', peer: PEER() } } as never));
      if (effect.type === 'done') this.sealer = (effect.output.records as { readonly sealer: GcmSealer }).sealer;
    }
    return sent;
  }

  sealed(...frames: readonly Uint8Array[]): Uint8Array {
    const bytes = new Uint8Array(frames.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const frame of frames) {
      bytes.set(frame, at);
      at += frame.length;
    }
    return (this.sealer as GcmSealer).sealData(bytes, NOW_MS);
  }
}

/** An offering app that waits for the request of a liar. */
function lied(): { readonly liar: Liar; readonly offering: Side } {
  const { offering } = pair(watched);
  const liar = new Liar('asking');
  for (const frame of liar.run({ type: 'start' })) offering.receive(frame);
  attend(offering);
  for (const frame of liar.run({ type: 'received', frame: offering.take() })) offering.receive(frame);
  expect(offering.machine.state).toBe('awaitingRequest');
  return { liar, offering };
}

/** An asking app that waits for the answer of a liar. */
function liedTo(call: ServiceCall = CALL): { readonly liar: Liar; readonly asking: Side } {
  const { asking } = pair({ asking: { onTransition, call } });
  const liar = new Liar('offering');
  const [m2] = liar.run({ type: 'received', frame: asking.take() });
  asking.receive(m2 as Uint8Array);
  liar.run({ type: 'received', frame: asking.take() });
  expect(asking.machine.state).toBe('awaitingAnswer');
  return { liar, asking };
}

const request = (more: Partial<wire.ServiceRequest> = {}): Uint8Array => wire.serviceRequest.encode({ ...CALL, ...more } as wire.ServiceRequest);
const reply = (more: Partial<wire.ServiceReply> = {}): Uint8Array =>
  wire.serviceReply.encode({ attachments: [], foreground: 'NoForegroundPreference', ...more });
const chunk = (index: number, length: number): Uint8Array => wire.serviceAttachment.encode({ index, bytes: new Uint8Array(length) });

describe('a service between two apps', () => {
  it('is asked for and answered: one request, one reply, and the session is over', () => {
    const both = pair(watched);
    expect(both.asking.timers.get(SERVICE_TIMER)).toBe(600_000);
    expect(both.offering.timers.get(SERVICE_TIMER)).toBe(30_000);
    converse(both);
    expect(both.offering.output).toEqual(CALL);
    expect(both.asking.output).toEqual(REPLY);
    expect([both.asking.machine.state, both.offering.machine.state]).toEqual(['finished', 'finished']);
    expect([both.asking.steps, both.offering.steps]).toEqual([
      ['S.1', 'S.1', 'S.2'],
      ['S.1', 'S.3', 'S.3'],
    ]);
    expect([both.asking.timers.size, both.offering.timers.size]).toEqual([0, 0]);
    for (const side of [both.asking, both.offering])
      expect([side.receive(Uint8Array.of(1)).sent, side.input({ type: 'timer', timer: SERVICE_TIMER }).failure]).toEqual([[], undefined]);
  });

  it('takes attachments both ways, empty ones and ones of many records among them', () => {
    const attachments = [file('empty', 0), file('a', 100_000), file('b', 1), file('nothing', 0), file('c', 32_768)];
    const call = { ...CALL, attachments };
    const answer: ServiceAnswer = {
      type: 'reply',
      content: { attachments: [...attachments].reverse(), foreground: 'NoForegroundPreference', params: undefined },
    };
    const both = pair({ ...watched, asking: { onTransition, call } });
    converse(both, { answer });
    expect(both.offering.output).toEqual(call);
    expect(both.asking.output).toEqual(answer);
    const none: ServiceAnswer = { type: 'reply', content: { attachments: [file('x', 0)], foreground: 'NoForegroundPreference' } };
    const other = pair();
    converse(other, { answer: none });
    expect(other.asking.output).toEqual({ ...none, content: { ...none.content, params: undefined } });
  });

  it('carries parameters of more than one record', () => {
    const params = JSON.stringify('x'.repeat(49_000));
    const both = pair({ asking: { call: { ...CALL, params } } });
    converse(both, { answer: { ...REPLY, content: { params, attachments: [], foreground: 'NoForegroundPreference' } } as ServiceAnswer });
    expect([(both.offering.output as ServiceCall).params, (both.asking.output as { content: { params: string } }).content.params]).toEqual([params, params]);
  });

  it('may be answered by a typed error', () => {
    const answer: ServiceAnswer = { type: 'error', error: { code: 'GDServicesErrorMethodNotFound', message: 'no such method', details: '{"method":"x"}' } };
    const both = pair(watched);
    converse(both, { answer });
    expect([both.asking.output, both.asking.machine.state, both.offering.machine.state]).toEqual([answer, 'finished', 'finished']);
  });

  it('round trip of whatever fits', () => {
    const files = fc.array(fc.record({ name: fc.string({ minLength: 1, maxLength: 40 }), bytes: fc.uint8Array({ maxLength: 40 }) }), { maxLength: 4 });
    const text = fc.string({ minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(text, text, fc.option(text, { nil: undefined }), files, (serviceId, method, params, attachments) => {
        const call: ServiceCall = { serviceId, version: '1.0.0.0', method, params, attachments, foreground: 'PreferMeInForeground' };
        const both = pair({ asking: { call } });
        converse(both, { answer: { type: 'reply', content: call } });
        expect(both.offering.output).toEqual(call);
        expect((both.asking.output as { content: object }).content).toEqual({ params, attachments, foreground: call.foreground });
      }),
      { numRuns: 20 },
    );
  });

  it('sends the same M2 for the same M1, and waits no longer than it is told to', () => {
    const { asking, offering } = pair({ ...watched, asking: { runMs: 5_000, onTransition } });
    expect(asking.timers.get(SERVICE_TIMER)).toBe(5_000);
    expect(pair({ asking: { runMs: 1e9 } }).asking.timers.get(SERVICE_TIMER)).toBe(600_000);
    const m1 = asking.take();
    offering.receive(m1);
    attend(offering);
    const m2 = offering.take();
    expect(offering.receive(m1).take()).toEqual(m2);
    asking.receive(m2);
    offering.receive(asking.take());
    expect(offering.timers.get(SERVICE_TIMER)).toBe(30_000);
    offering.receive(asking.take());
    expect([offering.requests.length, offering.timers.get(SERVICE_TIMER)]).toEqual([1, 600_000]);
  });

  it('waits for its owner before it answers M1, however often that comes; a bug is not taken for an error of the other app', () => {
    const { asking, offering } = pair();
    const m1 = asking.take();
    expect(offering.receive(m1).receive(m1).sent).toEqual([]);
    attend(offering);
    expect(offering.sent).toHaveLength(1);
    for (const side of [asking, offering]) expect(() => side.receive(undefined as never)).toThrow(TypeError);
  });

  it('does nothing with what it has not asked for', () => {
    const side = new Side(pair().asking.machine as never);
    expect(side.input({ type: 'result', result: { type: 'identified' } }).sent).toEqual([]);
    const { offering } = pair();
    expect(
      offering.input({ type: 'result', result: { type: 'served', answer: REPLY } }).input({ type: 'result', result: { type: 'identified' } }).failure,
    ).toBe(undefined);
    expect(offering.input({ type: 'call', call: undefined as never }).sent).toEqual([]);
  });
});

describe('is refused', () => {
  it('an app whose key is another one, and one that nobody knows, alike; nothing is asked of the owner', () => {
    for (const peer of [PEER(8), undefined]) {
      const both = pair(watched);
      converse(both, { peer });
      expect([both.offering.error.code, both.asking.error.code]).toEqual(['ERR_CRYPTO_KEY_CONFIRMATION', 'ERR_PEER_ALERT']);
      expect([both.offering.error.step, both.asking.error.step, both.offering.requests.length]).toEqual(['S.1', 'S.1', 0]);
    }
  });

  it.each<[string, object]>([
    ['platform id of the asking app', { initiatorPlatformId: `android:com.example.other:${'ab'.repeat(32)}` }],
    ['platform id of the offering app', { responderPlatformId: `android:com.example.other:${'ab'.repeat(32)}` }],
    ['tenant', { tenantId: 'tenant-2' }],
  ])('another %s', (_name, other) => {
    const both = pair();
    converse(both, { peer: { binding: { name: 'svc', prologue: { ...PROLOGUE, ...other } }, psk: pskOf() } });
    expect(both.offering.error.code).toBe('ERR_CRYPTO_KEY_CONFIRMATION');
  });

  it('an M1 that names another installation than its key is for', () => {
    for (const other of [{ instanceId: new Uint8Array(16).fill(9) }, { responderInstanceId: new Uint8Array(16).fill(9) }]) {
      const liar = handshakeInitiator({
        ...{ crypto, entropy: seededEntropy('liar'), binding: { name: 'svc', prologue: PROLOGUE }, psk: pskOf() },
        start: { pskId: PROLOGUE.responderInstanceId, instanceId: PROLOGUE.instanceId },
      });
      const { offering } = pair();
      const [, m1] = liar.handle({ type: 'start' }, NOW_MS);
      offering.receive((m1 as { frame: Uint8Array }).frame);
      attend(offering, { peer: { binding: { name: 'svc', prologue: { ...PROLOGUE, ...other } }, psk: pskOf() } });
      expect(offering.failure).toBeDefined();
    }
    expect(() => pair({ asking: { prologue: { ...PROLOGUE, tenantId: '' } } })).toThrow();
  });

  it('with busy what the owner cannot serve now, before and behind mac3', () => {
    const busy = new ProtocolError('ERR_REJECTED_BUSY', 'locked');
    const both = pair(watched);
    both.offering.receive(both.asking.take());
    both.offering.input({ type: 'failed', error: busy });
    both.asking.receive(both.offering.take());
    expect([both.asking.error.code, both.offering.error.code]).toEqual(['ERR_REJECTED_BUSY', 'ERR_REJECTED_BUSY']);
    const later = pair(watched);
    converse(later, { answer: busy });
    expect([later.asking.error.code, later.offering.error.code, later.offering.error.step]).toEqual(['ERR_REJECTED_BUSY', 'ERR_REJECTED_BUSY', 'S.3']);
  });

  it('an answer of the owner that fits no message', () => {
    const both = pair();
    converse(both, { answer: { type: 'error', error: { code: 'GDServicesErrorCustom', message: '' } } });
    expect([both.offering.error.code, both.asking.failure?.code]).toEqual(['ERR_WIRE_LENGTH', 'ERR_PEER_ALERT']);
  });

  it('what was recorded: M1 again leads nowhere, and records of another session open nothing', () => {
    const seen: Uint8Array[] = [];
    const both = pair();
    seen.push(both.asking.sent[0] as Uint8Array);
    both.offering.receive(both.asking.take());
    attend(both.offering);
    both.asking.receive(both.offering.take());
    seen.push(...both.asking.sent);
    converse(both);
    expect(both.offering.machine.state).toBe('finished');
    // The old M1 gets a new M2, and the old M3 does not confirm that.
    const replayed = pair({ offering: { entropy: seededEntropy('later') } }).offering;
    replayed.receive(seen[0] as Uint8Array);
    attend(replayed);
    replayed.receive(seen[1] as Uint8Array);
    expect([replayed.error.code, replayed.requests.length]).toEqual(['ERR_CRYPTO_KEY_CONFIRMATION', 0]);
    const target = pair({ asking: { entropy: seededEntropy('another run') } });
    target.offering.receive(target.asking.take());
    attend(target.offering);
    target.asking.receive(target.offering.take());
    target.offering.receive(target.asking.take());
    expect(target.offering.machine.state).toBe('awaitingRequest');
    target.offering.receive(seen[2] as Uint8Array);
    expect([target.offering.error.code, target.offering.requests.length]).toEqual(['ERR_CRYPTO_OPEN', 0]);
  });

  it('the same record twice', () => {
    const { liar, offering } = lied();
    const record = liar.sealed(request({ attachments: [{ name: 'a', size: 10 }] }));
    offering.receive(record).receive(record);
    expect(offering.error.code).toBe('ERR_CRYPTO_OPEN');
  });

  it.each<[string, (liar: Liar) => Uint8Array, string]>([
    ['a message of the other side', (liar) => liar.sealed(reply()), 'ERR_WIRE_TYPE'],
    ['an attachment before the request', (liar) => liar.sealed(chunk(0, 1)), 'ERR_WIRE_TYPE'],
    ['two requests', (liar) => liar.sealed(request(), request()), 'ERR_WIRE_TYPE'],
    ['attachments out of order', (liar) => liar.sealed(request({ attachments: [{ name: 'a', size: 1 }] }), chunk(1, 1)), 'ERR_PEER_UNEXPECTED'],
    ['more of an attachment than was announced', (liar) => liar.sealed(request({ attachments: [{ name: 'a', size: 1 }] }), chunk(0, 2)), 'ERR_PEER_UNEXPECTED'],
    [
      'attachments that are too large together',
      (liar) =>
        liar.sealed(
          request({
            attachments: [
              { name: 'a', size: 8_388_608 },
              { name: 'b', size: 1 },
            ],
          }),
        ),
      'ERR_WIRE_LIMIT',
    ],
    ['an attachment behind the whole', (liar) => liar.sealed(request({ attachments: [{ name: 'a', size: 1 }] }), chunk(0, 1), chunk(0, 1)), 'ERR_WIRE_TYPE'],
    ['a frame that is too long', (liar) => liar.sealed(Uint8Array.of(1, 0xb0, 0, 0, 0, 1, 0, 1)), 'ERR_WIRE_LIMIT'],
    ['a close in place of the request', (liar) => (liar.sealer as GcmSealer).close(), 'ERR_PEER_UNEXPECTED'],
  ])('by the app that offers: %s', (_name, say, code) => {
    const { liar, offering } = lied();
    offering.receive(say(liar));
    expect([offering.error.code, offering.machine.state, offering.timers.size]).toEqual([code, 'failed', 0]);
    // It says that it is over, and not why.
    expect(offering.sent).toHaveLength(1);
  });

  it.each<[string, (liar: Liar) => Uint8Array, string]>([
    ['a request as answer', (liar) => liar.sealed(request()), 'ERR_WIRE_TYPE'],
    ['an attachment before the reply', (liar) => liar.sealed(chunk(0, 1)), 'ERR_WIRE_TYPE'],
    [
      'an error in the middle of a reply',
      (liar) => liar.sealed(reply({ attachments: [{ name: 'a', size: 1 }] }), wire.serviceError.encode({ code: 'GDServicesErrorGeneral' })),
      'ERR_WIRE_TYPE',
    ],
    ['attachments out of order', (liar) => liar.sealed(reply({ attachments: [{ name: 'a', size: 1 }] }), chunk(1, 1)), 'ERR_PEER_UNEXPECTED'],
    [
      'too much',
      (liar) =>
        liar.sealed(
          reply({
            attachments: [
              { name: 'a', size: 8_388_608 },
              { name: 'b', size: 1 },
            ],
          }),
        ),
      'ERR_WIRE_LIMIT',
    ],
    ['a close without an answer', (liar) => (liar.sealer as GcmSealer).close(), 'ERR_PEER_UNEXPECTED'],
  ])('by the app that asks: %s', (_name, say, code) => {
    const { liar, asking } = liedTo();
    asking.sent.splice(0);
    asking.receive(say(liar));
    expect([asking.error.code, asking.machine.state, asking.timers.size, asking.sent.length]).toEqual([code, 'failed', 0, 1]);
  });

  it('nothing is looked at behind the answer; a key update in between changes nothing', () => {
    const { liar, asking } = liedTo();
    asking.receive((liar.sealer as GcmSealer).updateKey(NOW_MS)).receive(liar.sealed(reply(), chunk(0, 1)));
    expect([asking.machine.state, asking.failure]).toEqual(['finished', undefined]);
  });

  it('too much to be sent, before anything is', () => {
    const large = { name: 'a', bytes: new Uint8Array(8_388_609) };
    for (const call of [
      { ...CALL, attachments: [large] },
      { ...CALL, attachments: Array.from({ length: 17 }, () => file('x', 0)) },
      { ...CALL, params: 'x'.repeat(49_153) },
      { ...CALL, method: '' },
      { ...CALL, version: '1.0.0.0.0.0.0.0.0' },
    ])
      expect(() => pair({ asking: { call } })).toThrow(/.+/);
  });

  it('both ends keep their deadlines, and hear of a connection that has gone, in each state', () => {
    const at = (frames: number) => {
      const both = pair({ ...watched, asking: { onTransition, call: { ...CALL, attachments: [file('a', 1)] } } });
      let left = frames;
      const step = (from: Side, to: Side): void => {
        if (left-- > 0) {
          to.receive(from.take());
          for (const request of to.requests.splice(0))
            if (request.type === 'identify') to.input({ type: 'result', result: { type: 'identified', peer: PEER() } });
        }
      };
      step(both.asking, both.offering);
      step(both.offering, both.asking);
      for (let n = 0; n < 3; n++) if (both.asking.sent.length > 0) step(both.asking, both.offering);
      return both;
    };
    for (let frames = 0; frames <= 5; frames++) {
      for (const input of [
        { type: 'timer', timer: SERVICE_TIMER },
        { type: 'closed' },
        { type: 'closed', error: new ProtocolError('ERR_TRANSPORT_TLS', 'x') },
      ] as const) {
        const both = at(frames);
        for (const side of [both.asking, both.offering]) {
          side.input(input);
          expect([side.error.code, side.machine.state]).toEqual([
            input.type === 'timer' ? 'ERR_PEER_TIMEOUT' : input.error === undefined ? 'ERR_TRANSPORT_CLOSED' : 'ERR_TRANSPORT_TLS',
            'failed',
          ]);
        }
      }
    }
    const unstarted = lone();
    expect(unstarted.receive(Uint8Array.of(1)).failure).toBe(undefined);
    expect(unstarted.input({ type: 'closed' }).error.step).toBe('S.1');
    const fresh = lone();
    expect(fresh.input({ type: 'timer', timer: SERVICE_TIMER }).error.code).toBe('ERR_PEER_TIMEOUT');
  });
});

/** An asking app that nobody has started. */
function lone(): Side {
  const options = initiatorOptions({ onTransition });
  return new Side(serviceInitiator(options) as never);
}

describe('nothing of a session stays in memory', () => {
  it.each([0, 1, 2, 3, 4, 5])('when it ends after %d frames', (frames) => {
    const [ofAsking, ofOffering] = [watchedCrypto(nodeCrypto()), watchedCrypto(nodeCrypto())];
    const psk = pskOf();
    const peer = PEER();
    const both = pair({ asking: { crypto: ofAsking.crypto, psk }, offering: { crypto: ofOffering.crypto } });
    converse(both, { peer }, frames);
    both.asking.input({ type: 'closed' });
    both.offering.input({ type: 'closed' });
    expect([ofAsking.seen > 0, ofAsking.left(psk), ofOffering.left(peer.psk)]).toEqual([true, [], []]);
  });

  it('what was said, in neither app, also where it took several records', () => {
    const said: Uint8Array[] = [];
    const inner = nodeCrypto();
    const crypto = {
      ...inner,
      gcm(key: Parameters<typeof inner.gcm>[0]) {
        const made = inner.gcm(key);
        return {
          ...{ open: made.open.bind(made), wipe: made.wipe.bind(made) },
          seal(...[nonce, associatedData, plaintext, headroom]: Parameters<typeof made.seal>) {
            said.push(plaintext);
            return made.seal(nonce, associatedData, plaintext, headroom);
          },
        };
      },
    };
    const params = JSON.stringify('x'.repeat(40_000));
    const both = pair({ asking: { crypto, call: { ...CALL, params, attachments: [file('a', 100)] } }, offering: { crypto } });
    converse(both);
    // The byte that closes the session says nothing.
    const left = said.filter((bytes) => bytes.length > 1);
    expect([both.asking.output, left.length, left.every((bytes) => bytes.every((byte) => byte === 0))]).toEqual([REPLY, 4, true]);
  });
});
