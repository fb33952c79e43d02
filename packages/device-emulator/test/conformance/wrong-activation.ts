import { canonicalUserId, isProtocolError, toHex, x509 } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import * as wire from '@uemkit/protocol/wire';
import { rawFrame, withFields } from '../../src/conformance/frames.ts';
import { alertOf, answered, changed, forgetful, isFrame, isKnownUser, messageOf, onFrames, remembering, type WrongServer } from './wrong-server.ts';

type About = Omit<WrongServer, 'options'>;
type Exchange = Parameters<typeof onFrames>[1];

const idle = { pollIntervalS: 900, pollJitterS: 60, serverTimeEpochS: 0 };

/** Fields of a body, also of one that breaks a rule of its message; undefined when it is no map. */
function fieldsOf(frame: Uint8Array): wire.CborMap | undefined {
  try {
    return wire.decodeCbor(wire.parseFrame(frame).body) as wire.CborMap;
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}

/** A wrong server that reads another A1 than it gets. */
function reading(about: About, change: (frame: Uint8Array, fields: wire.CborMap | undefined) => Uint8Array): WrongServer {
  return onFrames(about, (request, next) =>
    isFrame(request, 'activationStart') ? next({ ...request, frame: change(request.frame, fieldsOf(request.frame)) }) : next(request),
  );
}

/** A user id as somebody typed it, in its one form. */
function withCanonicalUser(field: number, frame: Uint8Array, fields: wire.CborMap | undefined): Uint8Array {
  const userId = (fields as ReadonlyMap<number, unknown> | undefined)?.get(field);
  return typeof userId === 'string' ? withFields(frame, [[field, canonicalUserId(userId)]]) : frame;
}

/** Servers that find somebody, or are found, in another way than they must. */
const discovery: readonly WrongServer[] = [
  onFrames({ name: 'leads-elsewhere', breaks: 'registered users are led to another address', caughtBy: 'discovery-known-user' }, async (request, next) =>
    changed(await next(request), wire.discoveryResponse, (message) => ({ ...message, activationAddress: 'other.invalid:443' })),
  ),
  onFrames(
    { name: 'finds-any-spelling', breaks: 'a user id in another form is brought into its one form', caughtBy: 'discovery-user-id-form' },
    (request, next) =>
      isFrame(request, 'discoveryRequest') ? next({ ...request, frame: withCanonicalUser(1, request.frame, fieldsOf(request.frame)) }) : next(request),
  ),
];

/** Servers that read A1 as they like. */
const start: readonly WrongServer[] = [
  onFrames({ name: 'names-another-uem', breaks: 'A2 names another UEM', caughtBy: 'a2-parameters' }, async (request, next) =>
    changed(await next(request), wire.activationParameters, (message) => ({ ...message, coreId: 'another-uem' })),
  ),
  reading({ name: 'takes-any-suite', breaks: 'offered suites are not looked at', caughtBy: 'a1-no-common-suite' }, (frame, fields) =>
    fields === undefined ? frame : withFields(frame, [[1, [wire.SUITE_P256]]]),
  ),
  onFrames(
    { name: 'wants-one-version', breaks: 'whoever offers an unknown version, too, is refused', caughtBy: 'a1-version-among-others' },
    async (request, next) => {
      const offered = messageOf(request, wire.activationStart)?.versions;
      return offered !== undefined && offered.length > 1 ? answered(wire.alert, { code: 'badMessage' }) : next(request);
    },
  ),
  reading({ name: 'takes-any-spelling', breaks: 'a user id in another form is brought into its one form', caughtBy: 'a1-user-id-form' }, (frame, fields) =>
    withCanonicalUser(2, frame, fields),
  ),
  reading({ name: 'fills-in', breaks: 'a missing random is taken for zeros', caughtBy: 'a1-missing-field' }, (frame, fields) =>
    (fields as ReadonlyMap<number, unknown> | undefined)?.has(3) === false ? withFields(frame, [[3, new Uint8Array(32)]]) : frame,
  ),
  reading({ name: 'hashes-what-it-knows', breaks: 'unknown fields are left out of the transcript', caughtBy: 'a1-unknown-other-field' }, (frame, fields) => {
    const unknown = [...(fields?.keys() ?? [])].filter((key) => typeof key === 'number' && key >= 64) as number[];
    return unknown.length === 0
      ? frame
      : withFields(
          frame,
          unknown.map((key) => [key, undefined]),
        );
  }),
  reading({ name: 'reads-any-form', breaks: 'numbers in a longer form are read, too', caughtBy: 'a1-not-canonical' }, (frame, fields) => {
    if (fields !== undefined) return frame;
    const { name, body } = wire.parseFrame(frame);
    const at = body.indexOf(0x18);
    return rawFrame(name, new Uint8Array([...body.subarray(0, at), ...body.subarray(at + 1)]));
  }),
  reading({ name: 'guesses-the-end', breaks: 'a body that is cut short is completed', caughtBy: 'a1-truncated-body' }, (frame, fields) => {
    if (fields !== undefined) return frame;
    const { name, body } = wire.parseFrame(frame);
    return rawFrame(name, new Uint8Array([...body, 1]));
  }),
  onFrames({ name: 'serves-anybody', breaks: 'the activation service answers a poll', caughtBy: 'a1-other-frame' }, async (request, next) =>
    request.service === 'activation' && isFrame(request, 'poll') ? answered(wire.idle, idle) : next(request),
  ),
];

/** Shares are answered that have to be refused. */
const answersShares: Exchange = async (request, next) => {
  const answer = await next(request);
  if (!isFrame(request, 'activationShare') || alertOf(answer) === undefined) return answer;
  return answered(wire.activationShareReply, { shareV: nodeCrypto().p256PublicKey(new Uint8Array(32).fill(1)), confirmV: new Uint8Array(32) });
};

/** A5 is answered that has to be refused. */
const answersRequests: Exchange = async (request, next) => {
  const answer = await next(request);
  return isFrame(request, 'activationRequest') && alertOf(answer) === 'authFailed' ? answered(wire.activationResult, { record: new Uint8Array(320) }) : answer;
};

/** Servers that go on where a proof has failed. */
const proof: readonly WrongServer[] = [
  onFrames({ name: 'proves-nothing', breaks: 'confirmV is any number', caughtBy: 'a4-proves-password' }, async (request, next) =>
    changed(await next(request), wire.activationShareReply, (message) => ({ ...message, confirmV: new Uint8Array(32) })),
  ),
  onFrames({ name: 'shares-another', breaks: 'confirmV is not over the share that is sent', caughtBy: 'a4-proves-qr' }, async (request, next) =>
    changed(await next(request), wire.activationShareReply, (message) => ({ ...message, shareV: nodeCrypto().p256PublicKey(new Uint8Array(32).fill(1)) })),
  ),
  onFrames({ name: 'knows-any-run', breaks: 'an A3 of no run is answered', caughtBy: 'a3-unknown-run' }, answersShares),
  onFrames({ name: 'takes-any-point', breaks: 'a share beside the curve is answered', caughtBy: 'a3-not-on-curve' }, answersShares),
  onFrames({ name: 'takes-the-identity', breaks: 'a share that leads to the identity is answered', caughtBy: 'a3-identity' }, answersShares),
  onFrames({ name: 'takes-any-length', breaks: 'a point of another length is answered', caughtBy: 'a3-short-point' }, answersShares),
  onFrames({ name: 'needs-no-share', breaks: 'an A5 without an A3 is answered', caughtBy: 'a5-before-a3' }, answersRequests),
  onFrames({ name: 'takes-any-password', breaks: 'an A5 with a wrong password is answered', caughtBy: 'wrong-password' }, answersRequests),
  remembering({ name: 'refuses-strangers-late', breaks: 'A3 of an unknown user is refused', caughtBy: 'unknown-user-same-steps' }, () => {
    let isUnknown = false;
    const exchange: Exchange = async (request, next, lab) => {
      const userId = messageOf(request, wire.activationStart)?.userId;
      if (userId !== undefined) isUnknown = !isKnownUser(lab, userId);
      return isUnknown && isFrame(request, 'activationShare') ? answered(wire.alert, { code: 'authFailed' }) : next(request);
    };
    return exchange;
  }),
  reading(
    { name: 'mends-offers', breaks: 'an A1 with fewer versions is taken for the one before it was changed', caughtBy: 'transcript-covers-a1' },
    (frame, fields) => (fields === undefined ? frame : withFields(frame, [[0, [wire.PROTOCOL_VERSION, 2]]])),
  ),
  onFrames({ name: 'takes-any-kind', breaks: 'an A5 by another kind of secret is answered', caughtBy: 'kinds-apart' }, answersRequests),
  remembering({ name: 'charges-again', breaks: 'the same A3 again costs another try', caughtBy: 'same-a3-is-free' }, () => {
    let begun: Uint8Array | undefined;
    const seen = new Set<string>();
    const exchange: Exchange = async (request, next) => {
      if (isFrame(request, 'activationStart')) begun = request.frame;
      const share = messageOf(request, wire.activationShare);
      const bytes = toHex(request.frame);
      if (share === undefined || begun === undefined || !seen.has(bytes)) {
        seen.add(bytes);
        return next(request);
      }
      const again = await next({ ...request, frame: begun });
      if (again.status !== 'answered') return again;
      const { activationId } = wire.activationParameters.decode(wire.parseFrame(again.frame));
      return next({ ...request, frame: wire.activationShare.encode({ ...share, activationId }) });
    };
    return exchange;
  }),
  onFrames({ name: 'takes-what-is-gone', breaks: 'an A5 by a secret that is gone is answered', caughtBy: 'secret-taken-away' }, answersRequests),
  { name: 'clock-stands', breaks: 'the clock stands still, so no secret ends', caughtBy: 'secret-expired', options: () => ({ clockStands: true }) },
];

/** Servers that do not look at what A5 brings. */
const request: readonly WrongServer[] = [
  onFrames({ name: 'takes-its-own-records', breaks: 'an A5 under the key of the server is answered', caughtBy: 'a5-reflected-record' }, answersRequests),
  onFrames({ name: 'needs-no-pop', breaks: 'a certificate request without challengePassword is answered', caughtBy: 'csr-no-pop' }, answersRequests),
  forgetful({ name: 'forgets-who-proved', breaks: 'that a device has proved a secret is forgotten', caughtBy: 'other-key-same-secret' }, 'activationRequest'),
  onFrames(
    { name: 'confirms-old-certificates', breaks: 'an A7 with an older certificate is acknowledged', caughtBy: 'same-key-again' },
    async (request, next) => {
      const answer = await next(request);
      return isFrame(request, 'activationDone') && alertOf(answer) === 'badMessage' ? answered(wire.acknowledgement, { ok: true }) : answer;
    },
  ),
  onFrames({ name: 'believes-no-name', breaks: 'the deviceId of A7 is not looked at', caughtBy: 'a7-other-device-id' }, (request, next) => {
    if (!isFrame(request, 'activationDone') || request.peer.kind !== 'certificate') return next(request);
    return next({ ...request, frame: withFields(request.frame, [[0, x509.readCertificate(request.peer.certificate).commonName]]) });
  }),
  onFrames({ name: 'believes-in-success', breaks: 'an A7 that says failed is taken for completed', caughtBy: 'a7-failed' }, (request, next) => {
    const done = messageOf(request, wire.activationDone);
    return next(done?.status === 'failed' ? { ...request, frame: wire.activationDone.encode({ deviceId: done.deviceId, status: 'completed' }) } : request);
  }),
  remembering({ name: 'uses-up-every-secret', breaks: 'after A7 a secret for many is refused', caughtBy: 'secret-for-many' }, () => {
    let isUsed = false;
    const exchange: Exchange = async (request, next) => {
      isUsed ||= isFrame(request, 'activationDone');
      return isUsed && isFrame(request, 'activationShare') ? answered(wire.alert, { code: 'authFailed' }) : next(request);
    };
    return exchange;
  }),
];

/** Servers that find, hear and believe other things than they must, from discovery to A7. */
export const WRONG_ACTIVATION: readonly WrongServer[] = [...discovery, ...start, ...proof, ...request];
