import { type ActivationAnswer, type ActivationRecords, activationResponder, ProtocolError, secret, x509 } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { DeviceAuthority } from '../../ca/device-authority.ts';
import type { TenantRecord } from '../../state/tenants.ts';
import type { RoleContext, RoleRequest } from '../role.ts';
import { frameOf, malformed, outcomeOf } from '../role-answers.ts';
import { activationRecords, findVerifier, type RecordsOfTransaction } from './activation-records.ts';
import type { ComplianceRules, ListenerAddresses } from './issue-device.ts';
import type { ServiceOutcome } from './service-outcome.ts';

export interface ActivationServiceOptions extends Omit<RoleContext, 'journal'> {
  readonly tenant: TenantRecord;
  readonly authority: DeviceAuthority;
  readonly addresses: ListenerAddresses;
  readonly compliance?: ComplianceRules | undefined;
}

/** F1.3, F1.4: A1 to A6 of one tenant. */
export interface ActivationService {
  handle(request: RoleRequest): Promise<ServiceOutcome>;
}

/** The activation service. Unfinished runs are in memory: after a restart their devices begin again at A1, with the same key. */
export function createActivationService(options: ActivationServiceOptions): ActivationService {
  const { clock, crypto, entropy, store, tenant } = options;
  const responder = activationResponder({
    crypto,
    entropy,
    coreId: tenant.coreId,
    fakeSaltKey: secret<'fake-salt'>(tenant.fakeSaltKey),
    cost: tenant.cost,
    readCertificateRequest(csr) {
      const { publicKey, challengePassword } = x509.readCertificationRequest(crypto, csr);
      if (challengePassword === undefined) throw new ProtocolError('ERR_CERTIFICATE_FORMAT', 'the certificate request has no challenge password');
      return { publicKey, challengePassword };
    },
  });

  /** A1 writes nothing, so it waits for no disk. */
  const answerStart = ({ frame, peer }: RoleRequest, nowMs: number): ServiceOutcome =>
    store.read((view) => {
      const records: ActivationRecords = { ...NO_RECORDS, find: (userId, kind, slot) => findVerifier(view, userId, kind, slot) };
      return described(responder.handle(frame, { source: peer.source, nowMs, records }));
    });

  /** A3 and A5: what they change is durable before the answer leaves; when it cannot be saved, the device hears 503 and comes again. */
  const answerInTransaction = async ({ frame, peer }: RoleRequest, nowMs: number): Promise<ServiceOutcome> => {
    let answer: ActivationAnswer | undefined;
    let found: RecordsOfTransaction | undefined;
    try {
      await store.transaction((tx) => {
        found = activationRecords(options, tx, nowMs);
        answer = responder.handle(frame, { source: peer.source, nowMs, records: found.records });
      });
    } catch (error) {
      answer?.settle(false);
      return { ...outcomeOf(error), step: 'F1.4', userId: answer?.userId };
    }
    if (answer === undefined) throw new ProtocolError('ERR_INTERNAL', 'a transaction did not run');
    answer.settle(true);
    return described(answer, found);
  };

  return {
    async handle(request) {
      const frame = frameOf(request.frame, wire.LIMITS.certificateBodyBytes);
      if (frame === undefined) return malformed('not a frame');
      const nowMs = clock.nowMs();
      switch (frame.name) {
        case 'activationStart':
          return answerStart(request, nowMs);
        case 'activationShare':
        case 'activationRequest':
          return answerInTransaction(request, nowMs);
        default:
          return { ...described(responder.handle(request.frame, { source: request.peer.source, nowMs, records: NO_RECORDS })), unknown: true };
      }
    },
  };
}

function described(answer: ActivationAnswer, found?: RecordsOfTransaction): ServiceOutcome {
  const name = wire.peekFrameName(answer.frame) ?? 'unknown';
  const told = name === 'alert' ? `alert ${wire.alert.decode(wire.parseFrame(answer.frame)).code}` : name;
  const reason = [answer.refusal, found?.refusal, answer.refused].filter((part) => part !== undefined).join(', ');
  return {
    answer: { status: 'answered', frame: answer.frame },
    told,
    step: answer.step,
    userId: answer.userId,
    deviceId: found?.deviceId,
    reason: reason === '' ? undefined : reason,
  };
}

/** A1 must not get as far as these. */
function notInARead(): never {
  throw new ProtocolError('ERR_INTERNAL', 'A1 asked for a write');
}

const NO_RECORDS: ActivationRecords = {
  find: notInARead,
  charge: notInARead,
  refund: notInARead,
  mayActivate: notInARead,
  recallResult: notInARead,
  rememberResult: notInARead,
  issue: notInARead,
};
