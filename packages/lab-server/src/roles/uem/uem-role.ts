import { ProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { DeviceAuthority } from '../../ca/device-authority.ts';
import type { NocRegistrar } from '../../links/noc-registrar.ts';
import { tenantOf } from '../../state/tenants.ts';
import type { LinkGuard } from '../link-guard.ts';
import type { Role, RoleContext, RoleRequest } from '../role.ts';
import { outcomeOf } from '../role-answers.ts';
import { createActivationService } from './activation-service.ts';
import { type CoreSessions, createCoreSessions } from './core-sessions.ts';
import { createDeviceService } from './device-service.ts';
import type { ComplianceRules, ListenerAddresses } from './issue-device.ts';
import { createProxyService } from './proxy-service.ts';
import type { ServiceOutcome } from './service-outcome.ts';
import { createSetUpKeys } from './set-up-keys.ts';
import { createSetUpService } from './set-up-service.ts';

export interface UemRoleOptions extends RoleContext {
  readonly authority: DeviceAuthority;
  /** What devices are told about the listeners (A6). */
  readonly addresses: ListenerAddresses;
  /** What compliance says about new activations; absent: nothing. */
  readonly compliance?: ComplianceRules | undefined;
  /** Knows the NOC, which passes on what apps say. */
  readonly guard: LinkGuard;
  /** Tells the NOC what became of access keys. */
  readonly noc: Pick<NocRegistrar, 'tell' | 'flush'>;
  /** The list of Proxies has changed; resolves when the NOC has heard of it or could not be reached. Never rejects. */
  readonly proxiesChanged?: (() => Promise<void>) | undefined;
  /** A mail is in the outbox as soon as the running transaction is durable. Must not throw. */
  readonly mailWaits?: (() => void) | undefined;
}

/** UEM, with an end, and with a way in for apps that have a session with UEM itself. */
export interface UemRole extends Role {
  /** An app has been connected by the NOC (F3.4). */
  readonly connectApp: CoreSessions['connect'];
  /** Gives up what is unfinished, and wipes it. */
  close(): void;
}

/**
 * UEM without its administration: activation of devices and apps, and device management, over one store.
 * @throws ProtocolError `ERR_USAGE_STATE` when the store holds no tenant yet
 */
export function createUemRole(options: UemRoleOptions): UemRole {
  const { clock, crypto, entropy, journal, store, authority } = options;
  const tenant = store.read(tenantOf);
  if (tenant === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'the store of UEM holds no tenant');
  const activation = createActivationService({ ...options, tenant });
  const device = createDeviceService(options);
  const keys = createSetUpKeys({ crypto, entropy, tenantId: tenant.tenantId, tenantRoots: [authority.root] });
  const setUps = createSetUpService({ ...options, tenant, keys });
  const core = createCoreSessions({ ...options, tenant, tenantRoots: [authority.root] });
  const proxies = createProxyService({ ...options, tenant, changed: options.proxiesChanged ?? (async () => {}) });

  const serve = async (request: RoleRequest): Promise<ServiceOutcome> => {
    try {
      if (request.service === 'activation') return await activation.handle(request);
      if (request.service === 'device') return await device.handle(request);
      if (request.service === 'setUp' || request.service === 'envelopes') return await setUps.handle(request);
      if (request.service === 'proxies') return await proxies.handle(request);
      return { answer: { status: 'failed' }, told: '500', reason: `UEM has no service ${request.service}`, unknown: true };
    } catch (error) {
      return outcomeOf(error);
    }
  };

  return {
    name: 'uem',
    services: ['activation', 'device', 'setUp', 'envelopes', 'proxies'],
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
    connectApp: core.connect,
    close() {
      setUps.close();
      core.close();
    },
  };
}
