import { type AppActivationRecord, clientOfCertificates } from '@uemkit/protocol';
import { askForKey, type KeyRun } from './key-of-another-app.ts';
import type { UemClientLink } from './uem-client-link.ts';

/**
 * Asks the UEM Client for an access key (F3.3 to F3.6). It is trusted on first use, as the app has no roots yet; its device is compared with the provisioning data.
 * @throws as `askForKey`
 */
export function askUemClient(run: KeyRun, uemClient: UemClientLink): Promise<AppActivationRecord> {
  const { app, uemClient: client } = uemClient.platformIds;
  return askForKey(run, {
    name: 'uem-client',
    step: 'F3.3',
    peers: { initiatorPlatformId: app, responderPlatformId: client },
    channel: { name: 'ipc', identifyClient: (certificates) => clientOfCertificates(run.crypto, certificates) },
    connect: (signal) => uemClient.connect(signal),
  });
}
