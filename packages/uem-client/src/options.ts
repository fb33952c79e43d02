import { ProtocolError } from '@uemkit/protocol';
import type { AppEndpoint } from './app-port.ts';
import type { UemClientPorts } from './client-ports.ts';
import type { OperatingSystem } from './operating-system.ts';

/** What `createUemClient` takes: the ports of the device, and who serves its apps. */
export interface UemClientOptions extends UemClientPorts {
  /** Serves apps on the device that ask for access keys (F3.3): `appEndpoint` of `@uemkit/uem-client/apps`; absent: none may ask. */
  readonly apps?: AppEndpoint | undefined;
}

const PORTS = ['crypto', 'clock', 'entropy', 'store', 'keyStore', 'transport', 'operatingSystem'] as const satisfies readonly (keyof UemClientOptions)[];
const OPERATING_SYSTEM_METHODS = ['deviceInfo', 'configure', 'execute', 'deactivated'] as const satisfies readonly (keyof OperatingSystem)[];

/** Callers without types learn at once what is missing. @throws ProtocolError `ERR_USAGE_ARGUMENT` */
export function checkOptions(options: UemClientOptions): UemClientOptions {
  const missing = PORTS.find((port) => typeof options[port] !== 'object') ?? missingMethod(options.operatingSystem) ?? missingAttach(options.apps);
  if (missing !== undefined) throw new ProtocolError('ERR_USAGE_ARGUMENT', `createUemClient needs ${missing}`);
  return options;
}

function missingMethod(operatingSystem: OperatingSystem): string | undefined {
  const method = OPERATING_SYSTEM_METHODS.find((name) => typeof operatingSystem[name] !== 'function');
  return method && `operatingSystem.${method}`;
}

/** A bare policy would be taken for an endpoint until the first app connects. */
function missingAttach(apps: AppEndpoint | undefined): string | undefined {
  return apps === undefined || typeof apps.attach === 'function' ? undefined : 'apps made by appEndpoint';
}
