import { drive, isProtocolError, ProtocolError, type ServiceAnswer, secret, serviceInitiator, wipe } from '@uemkit/protocol';
import type { AppLink } from '../activation/uem-client-link.ts';
import { contentOf, type ReceivedMessage, replyOf } from './message.ts';
import type { ServiceRequestMessage } from './provision.ts';
import type { ServiceApp, ServiceApps, ServiceProvider } from './service-apps.ts';
import { ServicesError } from './services-error.ts';
import type { ServicesHost } from './services-port.ts';

/** One request of this app. */
export interface Sending {
  readonly host: ServicesHost;
  connect(provider: ServiceProvider, signal: AbortSignal): Promise<AppLink>;
  readonly address: string;
  readonly message: ServiceRequestMessage;
  readonly timeoutMs?: number | undefined;
  readonly known: ServiceApps;
  readonly signal: AbortSignal;
}

const NO_STORE = { commit: async () => {} };

/** Asks another app (S.1 to S.3). @throws as `InterAppServices.sendTo` */
export async function sendRequest({ host, connect, address, message, timeoutMs, known, signal }: Sending): Promise<ReceivedMessage> {
  const { serviceId, version, method } = message;
  const { provider, sendKey } = providerOf(known, address, message);
  const content = contentOf(message);
  const record = host.activated();
  const tenantId = record?.link?.tenantId;
  if (record === undefined || tenantId === undefined) throw new ProtocolError('ERR_APP_NOT_AUTHORIZED', 'the app is not activated');
  const { crypto, entropy, clock } = host.ports;
  const psk = secret<'psk'>(sendKey.slice());
  try {
    const machine = serviceInitiator({
      ...{ crypto, entropy, psk, runMs: timeoutMs },
      prologue: {
        ...{ initiatorPlatformId: known.platformId, responderPlatformId: provider.platformId, tenantId },
        ...{ instanceId: record.instanceId, responderInstanceId: provider.instanceId },
      },
      call: { serviceId, version, method, ...content },
    });
    const link = await connected(connect, provider, signal);
    try {
      const driven = drive<never, never, never, ServiceAnswer>(machine, {
        ...{ clock, store: NO_STORE, link, signal },
        request: () => Promise.reject(new ProtocolError('ERR_INTERNAL', 'a request to another app asks for nothing')),
      });
      return replyOf(await driven.ended);
    } finally {
      // However it ended: nothing of the session stays in memory.
      machine.handle({ type: 'closed' }, clock.nowMs());
      link.close();
    }
  } finally {
    wipe(psk);
  }
}

/** The app at this address, when it offers this. @throws ServicesError */
function providerOf(
  { apps }: ServiceApps,
  address: string,
  { serviceId, version }: ServiceRequestMessage,
): { readonly provider: ServiceApp; readonly sendKey: Uint8Array } {
  const provider = apps.find((app) => app.address === address);
  const sendKey = provider?.sendKey;
  // check: S UEM names the app
  if (provider === undefined || sendKey === undefined)
    throw new ServicesError('GDServicesErrorApplicationNotFound', 'UEM knows no such app of this user on this device; read getServiceProvidersFor again');
  const versions = provider.services.filter((one) => one.serviceId === serviceId);
  // check: S the app offers the service
  if (versions.length === 0) throw new ServicesError('GDServicesErrorServiceNotFound', `the app does not offer ${serviceId}`);
  // check: S the app offers the version
  if (!versions.some((one) => one.version === version))
    throw new ServicesError('GDServicesErrorServiceVersionNotFound', `the app does not offer version ${version}`);
  return { provider, sendKey };
}

/** Without a key in what is given away. */
async function connected(connect: Sending['connect'], app: ServiceApp, signal: AbortSignal): Promise<AppLink> {
  const { sendKey: _sendKey, receiveKey: _receiveKey, instanceId: _instanceId, ...provider } = app;
  try {
    return await connect(provider, signal);
  } catch (cause) {
    signal.throwIfAborted();
    if (isProtocolError(cause) && cause.code === 'ERR_TRANSPORT_CONNECT')
      throw new ServicesError('GDServicesErrorApplicationNotFound', 'the app does not run now', { cause });
    throw cause;
  }
}
