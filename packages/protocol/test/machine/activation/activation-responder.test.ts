import { describe, expect, it } from 'vitest';
import {
  ACTIVATION_RESPONDER_TRANSITIONS,
  type ActivationAnswer,
  answerActivationDone,
  concatBytes,
  ProtocolError,
  restoreActivation,
  transitionRecorder,
  writeActivation,
} from '../../../src/index.ts';
import { PendingRuns } from '../../../src/machine/activation/pending-runs.ts';
import * as wire from '../../../src/wire/index.ts';
import {
  converse,
  crypto,
  DeviceBench,
  detailsFor,
  NOW_MS,
  PASSWORD,
  passwordSecret,
  qrSecretOf,
  ServerBench,
  type ServerOptions,
  USER,
} from './activation-bench.ts';

const recorder = transitionRecorder();

function uem(options: ServerOptions = {}): ServerBench {
  return new ServerBench({ onTransition: recorder.listener, ...options });
}

function codeOf({ frame }: ActivationAnswer): wire.AlertCode {
  return wire.alert.decode(wire.parseFrame(frame)).code;
}

function nameOf({ frame }: ActivationAnswer): string | undefined {
  return wire.peekFrameName(frame);
}

/** A device that has sent A3, and A3. */
function shared(server: ServerBench, seed = 'device', secret = passwordSecret()): { readonly phone: DeviceBench; readonly a3: Uint8Array } {
  const phone = new DeviceBench({ seed, secret }).start();
  phone.receive(server.handle(phone.take()).frame);
  return { phone, a3: phone.take() };
}

/** A device that has sent A5, and A5. */
function proving(server: ServerBench, seed = 'device', secret = passwordSecret()): { readonly phone: DeviceBench; readonly a5: Uint8Array } {
  const { phone, a3 } = shared(server, seed, secret);
  phone.receive(server.handle(a3).frame);
  return { phone, a5: phone.take() };
}

function changedRequest(a5: Uint8Array, change: (request: wire.ActivationRequest) => Partial<wire.ActivationRequest>): Uint8Array {
  const request = wire.activationRequest.decode(wire.parseFrame(a5));
  return wire.activationRequest.encode({ ...request, ...change(request) });
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
}

const authFailed = { refusal: expect.any(String) };

describe('A1', () => {
  it.each([
    ['a version that is not known', { versions: [2] }],
    ['a suite that is not known', { suites: [2, 3] }],
    ['a user id that is not canonical', { userId: 'Alice@example.com' }],
  ])('is refused with %s', (_name, change) => {
    const server = uem();
    const start = wire.activationStart.decode(wire.parseFrame(new DeviceBench().start().take()));
    const answer = server.handle(wire.activationStart.encode({ ...start, ...change }));
    expect(codeOf(answer)).toBe('badMessage');
    expect(server.responder.pending).toBe(0);
  });

  it('may be no larger than a frame of a stranger', () => {
    const server = uem();
    const start = wire.parseFrame(new DeviceBench().start().take());
    // An unknown field from 64 on is passed over, so only the size is wrong.
    const body = concatBytes(Uint8Array.of(0xa7), start.body.subarray(1), Uint8Array.of(0x18, 64, 0x59, 0x10, 0x00), new Uint8Array(4_096));
    const frame = concatBytes(start.core.subarray(0, 4), Uint8Array.of(0, 0, body.length >> 8, body.length & 0xff), body);
    expect(codeOf(server.handle(frame))).toBe('badMessage');
    expect(server.responder.pending).toBe(0);
    const small = concatBytes(Uint8Array.of(0xa7), start.body.subarray(1), Uint8Array.of(0x18, 64, 0x41, 0));
    const fits = concatBytes(start.core.subarray(0, 4), Uint8Array.of(0, 0, small.length >> 8, small.length & 0xff), small);
    expect(nameOf(server.handle(fits))).toBe('activationParameters');
  });

  it('gets the same salt and cost on each try, known user or not', () => {
    const server = uem();
    const parameters = (userId: string): wire.ActivationParameters => {
      const start = wire.activationStart.decode(wire.parseFrame(new DeviceBench().start().take()));
      return wire.activationParameters.decode(wire.parseFrame(server.handle(wire.activationStart.encode({ ...start, userId })).frame));
    };
    const [known, unknown, other] = [parameters(USER), parameters('bob@example.com'), parameters('carol@example.com')];
    expect(parameters(USER).salt).toEqual(known.salt);
    expect(parameters('bob@example.com').salt).toEqual(unknown.salt);
    expect(other.salt).not.toEqual(unknown.salt);
    expect(unknown.cost).toEqual(known.cost);
    server.addSecret(USER, 'password', { expired: true, tries: 0 });
    expect(parameters(USER).salt).toEqual(known.salt);
  });

  it('does the same work for a user that does not exist, so that time tells nothing', () => {
    const work = (users: readonly string[]): readonly string[] => {
      const calls: string[] = [];
      const counting = new Proxy(crypto, {
        get: (provider, name: keyof typeof crypto) => {
          calls.push(name);
          return provider[name];
        },
      });
      const server = uem({ users, options: { crypto: counting } });
      calls.length = 0;
      server.handle(new DeviceBench().start().take());
      return calls;
    };
    expect(work([USER])).not.toEqual([]);
    expect(work([])).toEqual(work([USER]));
  });

  it('finds bounded room, per source and in all, and room again after 30 seconds', () => {
    const server = uem({ limits: { pendingPerSource: 2, pendingRuns: 3 } });
    const a1 = new DeviceBench().start().take();
    const from = (source: string): string | undefined => nameOf(server.handle(a1, { source }));
    expect([from('a'), from('a'), from('a'), from('b'), from('b')]).toEqual([
      'activationParameters',
      'activationParameters',
      'alert',
      'activationParameters',
      'alert',
    ]);
    expect(codeOf(server.handle(a1, { source: 'a' }))).toBe('busy');
    server.nowMs += 29_999;
    expect(from('a')).toBe('alert');
    server.nowMs += 1;
    expect(from('a')).toBe('activationParameters');
    expect(server.responder.pending).toBe(1);
    server.nowMs -= 86_400_000;
    expect(from('a')).toBe('activationParameters');
    expect(server.responder.pending).toBe(1);
  });
});

describe('tries (crypto design 14.8)', () => {
  it('takes one try before A4 leaves and gives it back after a right proof', () => {
    const server = uem();
    const { a5 } = proving(server);
    expect(server.triesLeft()).toBe(4);
    expect(nameOf(server.handle(a5))).toBe('activationResult');
    expect(server.triesLeft()).toBe(5);
  });

  it('gives the same A3 the same A4 without another charge', () => {
    const server = uem();
    const { a3 } = shared(server);
    const first = server.handle(a3);
    const second = server.handle(a3);
    expect(second.frame).toEqual(first.frame);
    expect(server.triesLeft()).toBe(4);
  });

  it('lets parallel guesses have no more tries than guesses in a row, and dead is dead for the right one too', () => {
    const server = uem();
    const runs = Array.from({ length: 8 }, (_, run) => shared(server, `guess ${run}`, passwordSecret('wrong horse')));
    const answers = runs.map(({ a3 }) => server.handle(a3));
    expect(answers.map(nameOf)).toEqual(Array(8).fill('activationShareReply'));
    expect(answers.filter(({ refusal }) => refusal === 'noUsableSecret')).toHaveLength(3);
    expect(server.triesLeft()).toBe(0);
    const right = new DeviceBench();
    converse(right.start(), server);
    expect(right.error.code).toBe('ERR_REJECTED_CREDENTIALS');
    expect(server.state.devices.size).toBe(0);
  });

  it('gives back at most what a full budget holds', () => {
    const server = uem();
    const { a5 } = proving(server);
    server.state.secrets.get(`${USER}/password`)!.tries = 5;
    server.handle(a5);
    expect(server.triesLeft()).toBe(5);
  });

  it('does a write of the same weight for a user that does not exist', () => {
    const server = uem({ users: [] });
    const { a3 } = shared(server);
    expect(nameOf(server.handle(a3))).toBe('activationShareReply');
    expect(server.state.decoys).toBe(1);
  });

  it('ends a run at another A3', () => {
    const server = uem();
    const { a3 } = shared(server);
    const other = wire.activationShare.encode({
      ...wire.activationShare.decode(wire.parseFrame(a3)),
      shareP: crypto.p256PublicKey(new Uint8Array(32).fill(3)),
    });
    server.handle(a3);
    expect(server.handle(other)).toMatchObject({ refusal: 'otherShare' });
    expect(server.handle(a3)).toMatchObject({ refusal: 'unknownRun' });
    expect(server.triesLeft()).toBe(4);
  });

  it('sends no A4 whose try is not durable', () => {
    const server = uem();
    const { phone, a3 } = shared(server);
    const pending = server.begin(a3);
    expect(codeOf(server.handle(a3))).toBe('busy');
    expect(server.handle(a3)).toMatchObject({ refusal: 'notDurableYet' });
    server.state = pending.rollback;
    pending.settle(false);
    expect(server.handle(a3)).toMatchObject({ refusal: 'unknownRun' });
    expect(server.triesLeft()).toBe(5);
    expect(phone.ended).toBeUndefined();
  });
});

describe('A5 (crypto design 14.10)', () => {
  it.each([
    ['a wrong confirmation', (a5: Uint8Array) => changedRequest(a5, ({ confirmP }) => ({ confirmP: flipped(confirmP, 31) })), 'wrongSecret', 4],
    ['a record that is changed', (a5: Uint8Array) => changedRequest(a5, ({ record }) => ({ record: flipped(record, 40) })), 'badRecord', 5],
    ['a record that is cut', (a5: Uint8Array) => changedRequest(a5, ({ record }) => ({ record: record.subarray(1) })), 'badRecord', 5],
  ])('is refused with %s', (_name, change, refusal, tries) => {
    const server = uem();
    const { a5 } = proving(server);
    const answer = server.handle(change(a5));
    expect(codeOf(answer)).toBe('authFailed');
    expect(answer.refusal).toBe(refusal);
    expect(server.triesLeft()).toBe(tries);
    expect(server.state.devices.size).toBe(0);
    expect(server.handle(a5)).toMatchObject({ refusal: 'unknownRun' });
    expect(server.responder.pending).toBe(0);
  });

  it('looks at nothing before the confirmation', () => {
    const server = uem({
      options: {
        readCertificateRequest: () => {
          throw new Error('must not be reached');
        },
      },
    });
    const { a5 } = proving(server);
    expect(server.handle(changedRequest(a5, () => ({ confirmP: new Uint8Array(32) })))).toMatchObject({ refusal: 'wrongSecret' });
  });

  it('is refused for a certificate request whose signature is wrong', () => {
    const server = uem();
    const { phone, a3 } = shared(server);
    phone.manual = true;
    phone.receive(server.handle(a3).frame);
    phone.input({ type: 'result', result: { type: 'signed', signature: new Uint8Array(64).fill(1) } });
    expect(server.handle(phone.take())).toMatchObject({ refusal: 'badCertificateRequest' });
    expect(server.state.devices.size).toBe(0);
  });

  it('is refused for a certificate request of another run (splice)', () => {
    const server = uem();
    const other = shared(server, 'other');
    other.phone.manual = true;
    other.phone.receive(server.handle(other.a3).frame);
    const [signing] = other.phone.requests;
    if (signing?.type !== 'sign') throw new Error('no signature wanted');
    const { phone, a3 } = shared(server, 'this', passwordSecret());
    const spliced = new DeviceBench({
      seed: 'this',
      certificates: {
        requestInfo: () => signing.message,
        request: (info, signature) => concatBytes(new Uint8Array([0, 0, 0, info.length]), info, signature),
        checkIssued: () => {},
      },
    });
    expect(a3.length).toBeGreaterThan(0);
    expect(phone.ended).toBeUndefined();
    spliced.start();
    spliced.receive(server.handle(spliced.take()).frame);
    spliced.receive(server.handle(spliced.take()).frame);
    expect(server.handle(spliced.take())).toMatchObject({ refusal: 'notBoundToRun' });
    expect(server.state.devices.size).toBe(0);
  });

  it('is refused while another device key has proved the secret', () => {
    const server = uem();
    server.mayActivate = false;
    const { a5 } = proving(server);
    expect(server.handle(a5)).toMatchObject({ refusal: 'otherDeviceKey' });
    expect(server.state.devices.size).toBe(0);
  });

  it('gets a refusal like a certificate: sealed, again for the same A5, with the try given back', () => {
    const [phone, server] = [new DeviceBench().start(), new ServerBench()];
    server.refused = { refusal: 'deviceLimit', message: 'one device a user' };
    while (wire.peekFrameName((phone.sent[0] as { frame: Uint8Array }).frame) !== 'activationRequest') phone.receive(server.handle(phone.take()).frame);
    const request = phone.take();
    const answer = server.handle(request);
    expect([wire.peekFrameName(answer.frame), answer.refused, answer.refusal]).toEqual(['activationResult', 'deviceLimit', undefined]);
    expect(new TextDecoder().decode(answer.frame)).not.toContain('one device');
    expect([server.triesLeft(), server.responder.pending, server.state.devices.size]).toEqual([5, 0, 0]);
    server.refused = undefined;
    expect(server.handle(request).frame).toEqual(answer.frame);
  });

  it('gets the same A6 again, byte for byte', () => {
    const server = uem();
    const { phone, a5 } = proving(server);
    const first = server.handle(a5);
    expect(server.responder.pending).toBe(0);
    expect(server.handle(a5).frame).toEqual(first.frame);
    phone.receive(first.frame);
    expect(phone.record?.phase).toBe('configured');
  });

  it('is answered only when everything is durable, and may come again when it was not', () => {
    const server = uem();
    const { phone, a5 } = proving(server);
    const pending = server.begin(a5);
    expect(server.handle(a5)).toMatchObject({ refusal: 'notDurableYet' });
    server.state = pending.rollback;
    pending.settle(false);
    expect(server.triesLeft()).toBe(4);
    expect(server.state.devices.size).toBe(0);
    const answer = server.handle(a5);
    phone.receive(answer.frame);
    expect(phone.machine.state).toBe('confirming');
    expect(server.triesLeft()).toBe(5);
  });

  it('before A3 ends the run', () => {
    const server = uem();
    const phone = new DeviceBench().start();
    const a2 = server.handle(phone.take()).frame;
    const { activationId } = wire.activationParameters.decode(wire.parseFrame(a2));
    const early = wire.activationRequest.encode({ activationId, confirmP: new Uint8Array(32), record: new Uint8Array(78) });
    expect(server.handle(early)).toMatchObject({ refusal: 'wrongSecret' });
    expect(server.responder.pending).toBe(0);
  });

  it('passes a fault of the server on: it says nothing about the device', () => {
    const server = uem();
    const { a5 } = proving(server);
    server.issueError = new ProtocolError('ERR_STORE_READ', 'disk');
    expect(() => server.handle(a5)).toThrow(expect.objectContaining({ code: 'ERR_STORE_READ' }));
    server.issueError = undefined;
    expect(nameOf(server.handle(a5))).toBe('activationResult');
  });
});

describe('every refusal looks alike', () => {
  it('is the same alert for an unknown run, a wrong secret, a bad point, a bad record', () => {
    const server = uem();
    const badPoint = (): Uint8Array => {
      const { a3 } = shared(server);
      return wire.activationShare.encode({ ...wire.activationShare.decode(wire.parseFrame(a3)), shareP: new Uint8Array(65).fill(4) });
    };
    const unknown = changedRequest(proving(server).a5, () => ({ activationId: new Uint8Array(16) }));
    const answers = [
      server.handle(badPoint()),
      server.handle(unknown),
      server.handle(changedRequest(proving(server).a5, () => ({ confirmP: new Uint8Array(32) }))),
      server.handle(changedRequest(proving(server).a5, ({ record }) => ({ record: flipped(record, 50) }))),
      server.handle(wire.activationShare.encode({ activationId: new Uint8Array(16), shareP: crypto.p256PublicKey(new Uint8Array(32).fill(3)) })),
    ];
    expect(answers).toMatchObject(Array(5).fill(authFailed));
    for (const { frame } of answers) expect(frame).toEqual(answers[0]?.frame);
    expect(new Set(answers.map(({ refusal }) => refusal))).toEqual(new Set(['badPoint', 'unknownRun', 'wrongSecret', 'badRecord']));
  });

  it('takes the same steps for a user without a usable secret, and fails at A5 with the same alert', () => {
    const server = uem();
    const honest = proving(server);
    const { record } = wire.activationRequest.decode(wire.parseFrame(honest.a5));
    const known = shared(server, 'wrong', passwordSecret('wrong horse'));
    const unknown = (() => {
      server.state.secrets.clear();
      return shared(server, 'unknown');
    })();
    for (const { a3 } of [known, unknown]) {
      expect(nameOf(server.handle(a3))).toBe('activationShareReply');
      const { activationId } = wire.activationShare.decode(wire.parseFrame(a3));
      const answer = server.handle(wire.activationRequest.encode({ activationId, confirmP: new Uint8Array(32).fill(1), record }));
      expect(answer.refusal).toBe('wrongSecret');
      expect(codeOf(answer)).toBe('authFailed');
    }
  });

  it.each([
    ['a frame of another service', wire.poll.encode({ reason: 'schedule' })],
    ['an answer', wire.activationResult.encode({ record: new Uint8Array(10) })],
    ['truncated bytes', new DeviceBench().start().take().subarray(0, 30)],
    ['nothing', new Uint8Array(0)],
  ])('is badMessage for %s', (_name, frame) => {
    const answer = uem().handle(frame);
    expect(codeOf(answer)).toBe('badMessage');
    expect(answer.refusal).toBe('badMessage');
  });

  it('does not take a fault of its own for one of the device', () => {
    const broken: wire.ActivationStart = wire.activationStart.decode(wire.parseFrame(new DeviceBench().start().take()));
    const server = uem({
      options: {
        entropy: {
          randomBytes: () => {
            throw new TypeError('bug');
          },
        },
      },
    });
    expect(() => server.handle(wire.activationStart.encode(broken))).toThrow(TypeError);
    const noCurve = uem({
      options: {
        crypto: {
          ...crypto,
          p256Subtract: () => {
            throw new TypeError('bug');
          },
        },
      },
    });
    const { a3 } = shared(noCurve);
    expect(() => noCurve.handle(a3)).toThrow(TypeError);
  });
});

describe('one device per device key', () => {
  it('replaces the pending device of the same key when it begins again', () => {
    const server = uem();
    server.handle(proving(server, 'first').a5);
    server.handle(proving(server, 'again', qrSecretOf()).a5);
    expect([...server.state.devices.values()]).toEqual([{ deviceId: 'device-1', counts: false }]);
  });
});

describe('A7 (F1.5)', () => {
  const done: wire.ActivationDone = { deviceId: 'device-1', status: 'completed' };

  it('is acknowledged for the device of the certificate', () => {
    const answer = answerActivationDone(wire.activationDone.encode(done), 'device-1');
    expect(answer.done).toEqual(done);
    expect(wire.acknowledgement.decode(wire.parseFrame(answer.frame))).toEqual({ ok: true });
    const failed: wire.ActivationDone = { ...done, status: 'failed', message: 'no space' };
    expect(answerActivationDone(wire.activationDone.encode(failed), 'device-1').done).toEqual(failed);
  });

  it.each([
    ['for another device', done, 'device-2', 'ERR_PEER_MISMATCH'],
    ['failed without a reason', { ...done, status: 'failed' as const }, 'device-1', 'ERR_WIRE_FIELD'],
  ])('is refused %s', (_name, message, deviceId, code) => {
    expect(() => answerActivationDone(wire.activationDone.encode(message), deviceId)).toThrow(expect.objectContaining({ code, step: 'F1.5' }));
  });

  it('is refused when it is larger than a frame of a stranger may be', () => {
    const large = concatBytes(Uint8Array.of(1, 0x16, 0, 0, 0, 0, 0x20, 0), new Uint8Array(8_192));
    expect(() => answerActivationDone(large, 'device-1')).toThrow(expect.objectContaining({ code: 'ERR_WIRE_LIMIT' }));
  });
});

describe('the saved activation', () => {
  it('gives back what was written', () => {
    const details = detailsFor(crypto.p256PublicKey(new Uint8Array(32).fill(1)), 'device-1');
    const record = { phase: 'configured', userId: USER, keyId: 'k', context: Uint8Array.of(1), details, failure: 'no space' } as const;
    expect(restoreActivation(writeActivation(record).value ?? undefined)).toEqual(record);
    expect(restoreActivation(undefined)).toBeUndefined();
    const started = { phase: 'started', userId: USER, keyId: PASSWORD } as const;
    expect(restoreActivation(writeActivation(started).value ?? undefined)).toEqual(started);
  });

  it.each([
    ['damaged bytes', Uint8Array.of(0xff)],
    ['details that are missing', writeActivation({ phase: 'received', userId: USER, keyId: 'k' }).value as Uint8Array],
    ['details too early', writeActivation({ phase: 'started', userId: USER, keyId: 'k', details: detailsFor(new Uint8Array(65), 'd') }).value as Uint8Array],
  ])('is not read with %s', (_name, value) => {
    expect(() => restoreActivation(value)).toThrow(expect.objectContaining({ code: 'ERR_STORE_READ' }));
  });
});

it('forgets pending runs once, and nothing for one that is not there', () => {
  const forgotten: string[] = [];
  const runs = new PendingRuns<{ readonly source: string; readonly startedMs: number }>(
    { perSource: 2, inAll: 4, ageMs: 10 },
    (run) => void forgotten.push(run.source),
  );
  runs.add('1', { source: 'a', startedMs: NOW_MS });
  runs.delete('1');
  runs.delete('1');
  expect(forgotten).toEqual(['a']);
  expect(runs.hasRoom('a')).toBe(true);
});

it('takes every row of the table of the server', () => {
  expect(recorder.missing(ACTIVATION_RESPONDER_TRANSITIONS)).toEqual([]);
});
