import { answerActivationDone, isProtocolError, type ManagementReply, toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { DeviceAuthority } from '../../ca/device-authority.ts';
import type { NocRegistrar } from '../../links/noc-registrar.ts';
import { endDevice, isLate, noteLateContact } from '../../state/device-lifecycle.ts';
import { type DeviceRecord, deviceById } from '../../state/devices.ts';
import type { ReadView, WriteView } from '../../store/lab-store.ts';
import type { RoleContext, RoleRequest } from '../role.ts';
import { alerted, answered, frameOf, malformed, outcomeOf } from '../role-answers.ts';
import { CONFIGURATION_FAILED, confirmActivation } from './confirm-activation.ts';
import { createDevicePeers, type KnownDevice, type RefusedDevice } from './device-peer.ts';
import { forwardAccessKey } from './forward-access-key.ts';
import { applyManagement, decideManagement, isContactFresh, type ManagementSurroundings, needsNoWrite, noteContact } from './manage-device.ts';
import { renewCertificate } from './renew-certificate.ts';
import type { ServiceOutcome } from './service-outcome.ts';

export interface DeviceServiceOptions extends Omit<RoleContext, 'journal'> {
  readonly authority: DeviceAuthority;
  /** Tells the NOC of access keys. */
  readonly noc: Pick<NocRegistrar, 'tell' | 'flush'>;
  /** A mail is in the outbox as soon as the running transaction is durable. Must not throw. */
  readonly mailWaits?: (() => void) | undefined;
}

/** F1.5, F3.4, F5.3 to F5.6 and renewal: everything behind the device listener. */
export interface DeviceService {
  handle(request: RoleRequest): Promise<ServiceOutcome>;
}

/** Stands for the device asking on. */
const POLL = wire.poll.encode({ reason: 'request' });

/** What one frame leads to in a transaction. */
type Work = (tx: WriteView, known: KnownDevice) => ServiceOutcome;

export function createDeviceService(options: DeviceServiceOptions): DeviceService {
  const { clock, crypto, entropy, store, noc, mailWaits } = options;
  const peers = createDevicePeers(crypto);

  /** Identifies and works in one transaction: a device that was removed a moment ago gets nothing any more. */
  const inTransaction = (request: RoleRequest, frame: wire.Frame, nowMs: number, work: Work): Promise<ServiceOutcome> =>
    store.transaction((tx) => {
      const known = peers.identify(tx, request.peer, nowMs);
      if ('refused' in known) {
        if (comesLate(known)) noteLateContact(tx, known.device, nowMs);
        else if (isOutOfDate(known, nowMs)) noteContact(tx, known.device, nowMs);
        return refusal(request, frame, known, nowMs);
      }
      return { ...guarded(() => work(tx, known)), deviceId: known.device.deviceId, userId: known.device.userId };
    });

  const manage = async (request: RoleRequest, frame: wire.Frame, nowMs: number): Promise<ServiceOutcome> => {
    const quick = store.read((view) => answerFromRead(view, request, frame, nowMs));
    if (quick !== undefined) return quick;
    return inTransaction(request, frame, nowMs, (tx, { device }) => {
      if (device.status !== 'active') return notConfirmed();
      const surroundings = { entropy, nowMs, mailWaits };
      const reply = decideManagement(tx, request.frame, device, nowMs);
      applyManagement(tx, reply, device, surroundings);
      return managed(nextOf(tx, reply, device.deviceId, surroundings));
    });
  };

  /** What this frame led to may be due now: then the device is not told that nothing is pending. */
  const nextOf = (tx: WriteView, reply: ManagementReply, deviceId: string, surroundings: ManagementSurroundings): ManagementReply => {
    const device = reply.commandId === undefined ? deviceById(tx, deviceId) : undefined;
    if (device?.status !== 'active') return reply;
    const next = decideManagement(tx, POLL, device, surroundings.nowMs);
    if (next.commandId === undefined) return reply;
    applyManagement(tx, next, device, surroundings);
    return { ...next, changes: [...reply.changes, ...next.changes] };
  };

  /** The answer, when nothing has to be written for it. */
  const answerFromRead = (view: ReadView, request: RoleRequest, frame: wire.Frame, nowMs: number): ServiceOutcome | undefined => {
    const known = peers.identify(view, request.peer, nowMs);
    if ('refused' in known) return comesLate(known) || isOutOfDate(known, nowMs) ? undefined : refusal(request, frame, known, nowMs);
    const { device } = known;
    const about = { deviceId: device.deviceId, userId: device.userId };
    if (device.status !== 'active') return { ...notConfirmed(), ...about };
    let writes = false;
    const outcome = guarded(() => {
      const reply = decideManagement(view, request.frame, device, nowMs);
      writes = !needsNoWrite(reply, device, nowMs);
      return managed(reply);
    });
    return writes ? undefined : { ...outcome, ...about };
  };

  const handle = async (request: RoleRequest, frame: wire.Frame): Promise<ServiceOutcome> => {
    const nowMs = clock.nowMs();
    switch (frame.name) {
      case 'poll':
      case 'commandResult':
        return manage(request, frame, nowMs);
      case 'activationDone':
        return {
          ...(await inTransaction(request, frame, nowMs, (tx, known) => confirmActivation(tx, request.frame, known, { entropy, nowMs, mailWaits }))),
          step: 'F1.5',
        };
      case 'renewRequest':
        return inTransaction(request, frame, nowMs, (tx, known) =>
          known.device.status === 'active' ? renewCertificate(options, tx, frame, known, nowMs) : notConfirmed(),
        );
      case 'deactivate':
        return inTransaction(request, frame, nowMs, (tx, { device }) => {
          wire.deactivate.decode(frame);
          endDevice(tx, device, { status: 'deactivated', reason: REMOVED_BY_USER }, nowMs);
          return deactivated();
        });
      case 'accessKeyForward':
        return forward(request, frame, nowMs);
      default:
        return { ...alerted('badMessage', `${frame.name} does not belong here`), unknown: true };
    }
  };

  /** F3.4, F3.5: the NOC knows the key before the app can show it there. */
  const forward = async (request: RoleRequest, frame: wire.Frame, nowMs: number): Promise<ServiceOutcome> => {
    let keyId: string | undefined;
    const outcome = await inTransaction(request, frame, nowMs, (tx, known) => {
      if (known.device.status !== 'active') return notConfirmed();
      const forwarded = forwardAccessKey(options, tx, frame, known, nowMs);
      keyId = forwarded.keyId;
      return forwarded.outcome;
    });
    if (keyId !== undefined) {
      noc.tell(keyId);
      await noc.flush();
    }
    return { step: 'F3.4', ...outcome };
  };

  return {
    async handle(request) {
      const frame = frameOf(request.frame);
      if (frame === undefined) return malformed('not a frame');
      try {
        return await handle(request, frame);
      } catch (error) {
        return outcomeOf(error);
      }
    },
  };
}

/** Wrong content of a known device is an alert, and nothing was written for it; anything else goes on as an error. */
function guarded(work: () => ServiceOutcome): ServiceOutcome {
  try {
    return work();
  } catch (error) {
    if (isProtocolError(error) && (error.kind === 'wire' || error.kind === 'peer')) return alerted('badMessage', `${error.code} ${error.message}`);
    throw error;
  }
}

/** Reason of the end of a device whose user removed it; the device may tell it again. */
const REMOVED_BY_USER = 'removed by its user';

function deactivated(reason?: string): ServiceOutcome {
  return { ...answered(wire.acknowledgement, { ok: true }), step: 'F5.6', reason };
}

/** The refusal is how a removed device hears of its end; that is noted before it leaves. */
function comesLate(refused: RefusedDevice): refused is RefusedDevice & { readonly device: DeviceRecord } {
  return refused.refused === 'revoked' && refused.device !== undefined && isLate(refused.device);
}

/** A device whose certificate is out of date is there all the same: it is not one that makes no contact. */
function isOutOfDate(known: RefusedDevice, nowMs: number): known is RefusedDevice & { readonly device: DeviceRecord } {
  const { refused, device } = known;
  return refused === 'expired' && device?.status === 'active' && !isContactFresh(device, nowMs);
}

function notConfirmed(): ServiceOutcome {
  return alerted('badMessage', 'the activation is not confirmed yet');
}

function managed(reply: ManagementReply): ServiceOutcome {
  const { frame, step, changes } = reply;
  const reason = changes.some((change) => change.type === 'ignored') ? 'result of a command that is not in flight' : undefined;
  return { answer: { status: 'answered', frame }, told: wire.peekFrameName(frame) ?? 'unknown', step, reason };
}

/**
 * A typed refusal. One exception each for an answer that was lost on the way: the last result of a device that carried out a delete command,
 * the A7 of one that could not be configured, and the farewell of one that its user removed, are acknowledged again; the A7 of one that was refused then is refused again with the same reason.
 */
function refusal(request: RoleRequest, frame: wire.Frame, { refused, reason, device }: RefusedDevice, nowMs: number): ServiceOutcome {
  const again = refused === 'revoked' && device !== undefined ? answerAgain(request, frame, device, nowMs) : undefined;
  return { ...(again ?? alerted(refused, reason)), deviceId: device?.deviceId, userId: device?.userId };
}

function answerAgain(request: RoleRequest, frame: wire.Frame, device: DeviceRecord, nowMs: number): ServiceOutcome | undefined {
  const { deviceId, endedByCommand, message, refusal, pollIntervalS, pollJitterS } = device;
  try {
    if (frame.name === 'commandResult' && endedByCommand !== undefined && toHex(wire.commandResult.decode(frame).commandId) === endedByCommand) {
      const idle = wire.idle.encode({ pollIntervalS, pollJitterS, serverTimeEpochS: Math.floor(nowMs / 1_000) });
      return { answer: { status: 'answered', frame: idle }, told: 'idle', step: 'F5.6', reason: 'the device has left' };
    }
    if (frame.name === 'deactivate' && message === REMOVED_BY_USER) return deactivated('repeated');
    if (frame.name === 'activationDone' && message?.startsWith(CONFIGURATION_FAILED) === true) {
      const again = answerActivationDone(request.frame, deviceId);
      if (again.done.status === 'failed')
        return { answer: { status: 'answered', frame: again.frame }, told: 'acknowledgement', step: 'F1.5', reason: 'repeated' };
    }
    if (frame.name === 'activationDone' && refusal !== undefined && answerActivationDone(request.frame, deviceId).done.status === 'completed')
      return { ...answered(wire.acknowledgement, { ok: false, refusal }), step: 'F1.5', reason: `repeated: ${refusal}` };
    return undefined;
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}
