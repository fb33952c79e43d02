import type { AppEndpoint } from '../app-port.ts';
import { DeviceAppEndpoint } from './app-endpoint.ts';
import { type AppPolicy, checkAppPolicy } from './app-policy.ts';

export { type AppLimits, type AppPolicy, DEFAULT_APP_LIMITS } from './app-policy.ts';

/** Option `apps` of `createUemClient`: which apps on the device get access keys. @throws ProtocolError `ERR_USAGE_ARGUMENT` when a part of the policy is missing */
export function appEndpoint(policy: AppPolicy): AppEndpoint {
  checkAppPolicy(policy);
  return { attach: (host) => new DeviceAppEndpoint(policy, host) };
}
