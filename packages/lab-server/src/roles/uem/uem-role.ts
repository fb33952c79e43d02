import { ProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { DeviceAuthority } from '../../ca/device-authority.ts';
import { tenantOf } from '../../state/tenants.ts';
import type { Role, RoleContext, RoleRequest } from '../role.ts';
import { outcomeOf } from '../role-answers.ts';
import { createActivationService } from './activation-service.ts';
import { createDeviceService } from './device-service.ts';
import type { ComplianceRules, ListenerAddresses } from './issue-device.ts';
import type { ServiceOutcome } from './service-outcome.ts';

export interface UemRoleOptions extends RoleContext {
  readonly authority: DeviceAuthority;
  /** What devices are told about the listeners (A6). */
  readonly addresses: ListenerAddresses;
  /** What compliance says about new activations; absent: nothing. */
  readonly compliance?: ComplianceRules | undefined;
  /** A mail is in the outbox as soon as the running transaction is durable. Must not throw. */
  readonly mailWaits?: (() => void) | undefined;
}

/**
 * UEM without its administration: activation and device management over one store.
 * @throws ProtocolError `ERR_USAGE_STATE` when the store holds no tenant yet
 */
export function createUemRole(options: UemRoleOptions): Role {
  const { clock, journal, store } = options;
  const tenant = store.read(tenantOf);
  if (tenant === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'the store of UEM holds no tenant');
  const activation = createActivationService({ ...options, tenant });
  const device = createDeviceService(options);

  const serve = async (request: RoleRequest): Promise<ServiceOutcome> => {
    try {
      if (request.service === 'activation') return await activation.handle(request);
      if (request.service === 'device') return await device.handle(request);
      return { answer: { status: 'failed' }, told: '500', reason: `UEM has no service ${request.service}`, unknown: true };
    } catch (error) {
      return outcomeOf(error);
    }
  };

  return {
    name: 'uem',
    services: ['activation', 'device'],
    async handle(request) {
      const { answer, told, ...rest } = await serve(request);
      const { service, frame, peer } = request;
      journal.record({
        timeMs: clock.nowMs(),
        role: 'uem',
        service,
        request: wire.peekFrameName(frame) ?? 'unknown',
        answer: told,
        source: peer.source,
        ...rest,
      });
      return answer;
    },
  };
}
