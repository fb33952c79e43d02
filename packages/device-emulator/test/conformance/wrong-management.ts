import { fromHex, toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { withFields } from '../../src/conformance/frames.ts';
import { alertOf, answered, changed, isFrame, messageIn, messageOf, nameOf, onFrames, remembering, type WrongServer } from './wrong-server.ts';

type Exchange = Parameters<typeof onFrames>[1];

const idle = { pollIntervalS: 900, pollJitterS: 60, serverTimeEpochS: 0 };

/** Devices that have left are served. */
const servesRevoked: Exchange = async (request, next) => {
  const answer = await next(request);
  return isFrame(request, 'poll') && alertOf(answer) === 'revoked' ? answered(wire.idle, idle) : answer;
};

/** Servers that take a device for what it is not any more. */
const identity: readonly WrongServer[] = [
  onFrames({ name: 'serves-both', breaks: 'certificates of the activation before stay good', caughtBy: 'listener-activated-anew' }, servesRevoked),
  onFrames({ name: 'shares-keys', breaks: 'a device stays when another user activates its key', caughtBy: 'listener-other-user-same-key' }, servesRevoked),
  onFrames({ name: 'activates-anywhere', breaks: 'A1 is answered at the device service', caughtBy: 'listener-other-frame' }, (request, next) =>
    next(isFrame(request, 'activationStart') ? { ...request, service: 'activation' } : request),
  ),
  onFrames({ name: 'renews-nothing', breaks: 'a renewal gets the certificate that there is', caughtBy: 'renew' }, async (request, next) => {
    const { peer } = request;
    if (peer.kind !== 'certificate') return next(request);
    return changed(await next(request), wire.renewResult, (message) => ({ ...message, certificates: [peer.certificate] }));
  }),
];

/** A wrong server that hears another result than the device has sent. */
function hearing(about: Omit<WrongServer, 'options'>, change: (frame: Uint8Array) => Uint8Array): WrongServer {
  return onFrames(about, (request, next) => next(isFrame(request, 'commandResult') ? { ...request, frame: change(request.frame) } : request));
}

const field = (frame: Uint8Array, key: number): unknown => (wire.decodeCbor(wire.parseFrame(frame).body) as ReadonlyMap<number, unknown>).get(key);

/** Servers that lose, invent or mix up what belongs to a command. */
const commands: readonly WrongServer[] = [
  onFrames({ name: 'forgets-properties', breaks: 'a command leaves without its properties', caughtBy: 'command-fields' }, async (request, next) =>
    changed(await next(request), wire.command, (message) => ({ ...message, properties: {} })),
  ),
  hearing({ name: 'invents-messages', breaks: 'a failed result without a message is taken', caughtBy: 'failed-needs-message' }, (frame) =>
    field(frame, 1) === 1 && field(frame, 2) === undefined ? withFields(frame, [[2, 'failed']]) : frame,
  ),
  hearing({ name: 'invents-times', breaks: 'a deferred result without a time is taken', caughtBy: 'deferred-needs-time' }, (frame) =>
    field(frame, 1) === 2 && field(frame, 4) === undefined ? withFields(frame, [[4, 60]]) : frame,
  ),
  onFrames(
    { name: 'waits-with-the-deferred', breaks: 'a deferred command holds up the others', caughtBy: 'deferred-lets-others-through' },
    async (request, next) => {
      const answer = await next(request);
      return messageOf(request, wire.commandResult)?.status === 'deferred' && nameOf(answer) === 'command' ? answered(wire.idle, idle) : answer;
    },
  ),
  {
    name: 'clock-stands-for-commands',
    breaks: 'the clock stands still, so no command is due again',
    caughtBy: 'deferred-comes-again',
    options: () => ({ clockStands: true }),
  },
  remembering({ name: 'believes-any-device', breaks: 'a result counts for the device whose command it names', caughtBy: 'result-of-another-device' }, () => {
    const owners = new Map<string, Parameters<Exchange>[0]['peer']>();
    const exchange: Exchange = async (request, next) => {
      const named = messageOf(request, wire.commandResult)?.commandId;
      const answer = await next({ ...request, peer: (named === undefined ? undefined : owners.get(toHex(named))) ?? request.peer });
      const handedOut = messageIn(answer, wire.command);
      if (handedOut !== undefined) owners.set(toHex(handedOut.commandId), request.peer);
      return answer;
    };
    return exchange;
  }),
  hearing({ name: 'forgets-data', breaks: 'what a device answers is not kept', caughtBy: 'result-data' }, (frame) => withFields(frame, [[3, undefined]])),
  onFrames(
    { name: 'sends-the-cancelled', breaks: 'a command that was taken back is handed out', caughtBy: 'cancelled-is-not-sent' },
    async (request, next, lab) => {
      const answer = await next(request);
      const cancelled = [...lab.admin.devices()].flatMap(({ deviceId }) => [...lab.admin.commands(deviceId)]).find(({ state }) => state === 'cancelled');
      if (cancelled === undefined || nameOf(answer) !== 'idle') return answer;
      return answered(wire.command, { commandId: fromHex(cancelled.commandId), type: cancelled.type, properties: {}, issuedAtEpochS: 0 });
    },
  ),
];

/** Servers that are wrong about devices and their commands. */
export const WRONG_MANAGEMENT: readonly WrongServer[] = [...identity, ...commands];
