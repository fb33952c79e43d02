import { toHex } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy } from '@uemkit/protocol/node';
import * as wire from '@uemkit/protocol/wire';
import { FRAME_MEDIA_TYPE } from '../../src/conformance/frames.ts';
import { alertOf, answered, changed, forgetful, isFrame, isKnownUser, messageIn, messageOf, onFrames, onHttp, type WrongServer } from './wrong-server.ts';

const idle = { pollIntervalS: 900, pollJitterS: 60, serverTimeEpochS: Math.floor(Date.now() / 1_000) };

/** The first frame of a body, whatever comes after it. */
function firstFrame(body: Uint8Array): Uint8Array {
  if (body.length < wire.FRAME_HEADER_BYTES) return body;
  return body.slice(0, wire.FRAME_HEADER_BYTES + new DataView(body.buffer, body.byteOffset).getUint32(4));
}

/** Servers whose frames are right, and that break a rule of HTTP (9.1, 9.2). */
const http: readonly WrongServer[] = [
  onHttp({ name: 'answers-octets', breaks: 'answers have another media type', caughtBy: 'http-media-type' }, async (request, next) => {
    const answer = await next(request);
    return answer?.body === undefined ? answer : { ...answer, headers: { ...answer.headers, 'content-type': 'application/octet-stream' } };
  }),
  onHttp({ name: 'refuses-parameters', breaks: 'parameters of the media type are refused', caughtBy: 'http-media-type-parameters' }, async (request, next) =>
    request.headers['content-type']?.includes(';') === true ? { status: 415 } : next(request),
  ),
  onHttp({ name: 'takes-any-media-type', breaks: 'the media type is not looked at', caughtBy: 'http-other-media-type' }, (request, next) =>
    next({ ...request, headers: { ...request.headers, 'content-type': FRAME_MEDIA_TYPE } }),
  ),
  onHttp({ name: 'takes-any-method', breaks: 'the method is not looked at', caughtBy: 'http-other-method' }, (request, next) =>
    next({ ...request, method: 'POST' }),
  ),
  onHttp({ name: 'names-no-method', breaks: '405 does not say which method is allowed', caughtBy: 'http-other-method' }, async (request, next) => {
    const answer = await next(request);
    return answer?.status === 405 ? { status: 405 } : answer;
  }),
  onHttp({ name: 'takes-any-path-version', breaks: 'the version in the path is not looked at', caughtBy: 'http-unknown-service' }, (request, next) =>
    next({ ...request, path: request.path.replace('/uemkit/2/', '/uemkit/1/') }),
  ),
  onHttp({ name: 'takes-bytes-behind', breaks: 'bytes behind the frame are passed over', caughtBy: 'http-no-frame' }, (request, next) =>
    next({ ...request, body: firstFrame(request.body) }),
  ),
  onHttp({ name: 'fails-on-bad-frames', breaks: 'a body that is no frame is a bug of the server', caughtBy: 'http-no-frame' }, async (request, next) => {
    const answer = await next(request);
    return answer?.status === 400 ? { status: 500 } : answer;
  }),
  onHttp({ name: 'hangs-up-on-errors', breaks: 'after an error the connection is closed', caughtBy: 'http-connection-kept' }, async (request, next) => {
    const answer = await next(request);
    return answer?.status === 404 ? undefined : answer;
  }),
  onHttp(
    { name: 'devices-everywhere', breaks: 'the device service answers where no certificate is asked for', caughtBy: 'http-services-apart' },
    async (request, next) => {
      const answer = await next(request);
      const isOpen = answer?.status === 404 && request.path === '/uemkit/1/device';
      return isOpen ? { status: 200, headers: { 'content-type': FRAME_MEDIA_TYPE }, body: wire.idle.encode(idle) } : answer;
    },
  ),
];

/** Servers that find a UEM for what they have to refuse, or another one each time. */
const discovery: readonly WrongServer[] = [
  onFrames({ name: 'finds-for-any-version', breaks: 'offered versions are not looked at', caughtBy: 'discovery-no-common-version' }, (request, next) => {
    const asked = messageOf(request, wire.discoveryRequest);
    return next(asked === undefined ? request : { ...request, frame: wire.discoveryRequest.encode({ ...asked, versions: [wire.PROTOCOL_VERSION] }) });
  }),
  onFrames(
    { name: 'finds-differently', breaks: 'an unknown user gets another pin each time', caughtBy: 'discovery-unknown-user-stable' },
    async (request, next, lab) => {
      const asked = messageOf(request, wire.discoveryRequest);
      const answer = await next(request);
      if (asked === undefined || isKnownUser(lab, asked.userId)) return answer;
      return changed(answer, wire.discoveryResponse, (message) => ({ ...message, spkiPins: [nodeEntropy().randomBytes(32)] }));
    },
  ),
  onFrames(
    { name: 'blames-itself', breaks: 'a frame of another service is answered as if the server were busy', caughtBy: 'discovery-other-frame' },
    async (request, next) => {
      const answer = await next(request);
      return isFrame(request, 'poll') ? changed(answer, wire.alert, () => ({ code: 'busy' })) : answer;
    },
  ),
];

/** Servers that refuse what has to be said again, or serve what has to be refused. */
const device: readonly WrongServer[] = [
  {
    name: 'renews-unsigned',
    breaks: 'signatures of renewal requests are not checked',
    caughtBy: 'renew-not-signed-by-its-key',
    options: () => ({ crypto: { ...nodeCrypto(), p256Verify: () => true } }),
  },
  onFrames({ name: 'renews-any-key', breaks: 'a renewal for another key is served', caughtBy: 'renew-other-key' }, async (request, next) => {
    const answer = await next(request);
    return isFrame(request, 'renewRequest') && alertOf(answer) === 'badMessage' ? answered(wire.idle, idle) : answer;
  }),
  onFrames(
    { name: 'keeps-old-certificates', breaks: 'certificates before the last renewal stay good', caughtBy: 'renew-old-stays-good' },
    async (request, next) => {
      const answer = await next(request);
      return isFrame(request, 'poll') && alertOf(answer) === 'revoked' ? answered(wire.idle, idle) : answer;
    },
  ),
  onceOnly({ name: 'hears-a7-once', breaks: 'a repeated A7 is refused', caughtBy: 'a7-again' }, 'activationDone'),
  onceOnly({ name: 'hears-the-end-once', breaks: 'the repeated result of a delete command is refused', caughtBy: 'delete-result-again' }, 'commandResult'),
  forgetful({ name: 'keeps-the-declined', breaks: 'a device whose user declined is kept', caughtBy: 'a7-declined' }, 'activationDone'),
  forgetful({ name: 'keeps-the-removed', breaks: 'a farewell is acknowledged and forgotten', caughtBy: 'deactivate' }, 'deactivate'),
  forgetful({ name: 'never-uses-up', breaks: 'a one-time secret is not used up', caughtBy: 'one-time-secret' }, 'activationDone'),
  onFrames({ name: 'takes-failure-for-success', breaks: 'a failed result counts as done', caughtBy: 'failed-result' }, (request, next) => {
    const result = messageOf(request, wire.commandResult);
    if (result?.status !== 'failed') return next(request);
    return next({ ...request, frame: wire.commandResult.encode({ commandId: result.commandId, status: 'done' }) });
  }),
  onFrames({ name: 'last-come-first-served', breaks: 'the newest command is handed out first', caughtBy: 'oldest-first' }, async (request, next, lab) => {
    const answer = await next(request);
    const handedOut = messageIn(answer, wire.command);
    if (handedOut === undefined) return answer;
    for (const { deviceId } of lab.admin.devices()) {
      const open = [...lab.admin.commands(deviceId)].filter(({ state }) => state === 'queued' || state === 'sent');
      const newest = open.at(-1);
      if (newest === undefined || !open.some(({ commandId }) => commandId === toHex(handedOut.commandId))) continue;
      return answered(wire.command, { ...handedOut, commandId: Uint8Array.from(Buffer.from(newest.commandId, 'hex')), type: newest.type });
    }
    return answer;
  }),
];

/** A wrong server that refuses a frame which it has answered already. */
function onceOnly(about: Omit<WrongServer, 'options'>, name: wire.FrameName): WrongServer {
  return {
    ...about,
    options() {
      const seen = new Set<string>();
      return {
        interceptor: {
          async exchange(_role, request, next) {
            const bytes = toHex(request.frame);
            if (isFrame(request, name) && seen.has(bytes)) return answered(wire.alert, { code: 'badMessage' });
            seen.add(bytes);
            return next(request);
          },
        },
      };
    },
  };
}

/** Servers whose answers, or what they are asked, are altered on the way. */
export const ALTERED_ANSWERS: readonly WrongServer[] = [...http, ...discovery, ...device];
