import * as wire from '@uemkit/protocol/wire';
import { FRAME_MEDIA_TYPE } from '../../src/conformance/frames.ts';
import { alertOf, answered, isFrame, onFrames, onHttp, type WrongServer } from './wrong-server.ts';

type About = Omit<WrongServer, 'options'>;

const idle = { pollIntervalS: 900, pollJitterS: 60, serverTimeEpochS: 0 };

/** A wrong server that serves whoever signs at all, however wrong. */
function serving(about: About): WrongServer {
  return onHttp(about, async (request, next) => {
    const answer = await next(request);
    if (answer?.status !== 401 || request.headers['signature-input'] === undefined) return answer;
    return { status: 200, headers: { 'content-type': FRAME_MEDIA_TYPE }, body: wire.idle.encode(idle) };
  });
}

/** Servers that let in whom no signature proves, or prove nothing themselves (11). */
export const WRONG_SIGNATURES: readonly WrongServer[] = [
  onHttp({ name: 'challenges-nobody', breaks: '401 comes without a challenge', caughtBy: 'signed-challenge' }, async (request, next) => {
    const answer = await next(request);
    return answer?.status === 401 ? { status: 401 } : answer;
  }),
  onHttp({ name: 'signs-the-first', breaks: 'an answer is signed for another request', caughtBy: 'signed-answer' }, async (request, next) => {
    const answer = await next(request);
    const signature = answer?.status === 200 ? request.headers['signature'] : undefined;
    // The same form, and a signature of somebody else: that of the request.
    return signature === undefined ? answer : { ...(answer as object), status: 200, headers: { ...answer?.headers, signature: String(signature) } };
  }),
  serving({ name: 'forgets-nonces', breaks: 'a request that comes twice is served twice', caughtBy: 'signed-replayed' }),
  serving({ name: 'digests-nothing', breaks: 'the digest of the body is not looked at', caughtBy: 'signed-body-changed' }),
  serving({ name: 'takes-old-signatures', breaks: 'the end of a signature is not looked at', caughtBy: 'signed-expired' }),
  serving({ name: 'takes-early-signatures', breaks: 'the beginning of a signature is not looked at', caughtBy: 'signed-early' }),
  serving({ name: 'takes-any-epoch', breaks: 'the epoch is not looked at', caughtBy: 'signed-other-epoch' }),
  serving({ name: 'takes-any-target', breaks: 'the target is not looked at', caughtBy: 'signed-for-another' }),
  serving({ name: 'verifies-nothing', breaks: 'the signature is not verified', caughtBy: 'signed-by-another-key' }),
  serving({ name: 'believes-certificates', breaks: 'whoever shows a certificate is its device', caughtBy: 'signed-as-another-device' }),
  onFrames({ name: 'serves-signed-revoked', breaks: 'a removed device that signs is served', caughtBy: 'signed-removed-device' }, async (request, next) => {
    const answer = await next(request);
    return isFrame(request, 'poll') && alertOf(answer) === 'revoked' ? answered(wire.idle, idle) : answer;
  }),
];
