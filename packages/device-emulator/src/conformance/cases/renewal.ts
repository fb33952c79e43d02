import { sameBytes, x509 } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { ConformanceCase } from '../conformance-case.ts';
import type { DeviceKey } from '../device-key.ts';
import type { EnrolledDevice } from '../enrolled-device.ts';
import { demandAlert, messageOf } from '../frames.ts';
import { demand, demandSame } from '../mismatch.ts';

const renewal = (key: DeviceKey): Uint8Array => wire.renewRequest.encode({ csr: key.request() });

async function renewed(device: EnrolledDevice, certificate?: Uint8Array): Promise<Uint8Array> {
  return messageOf(await device.post(renewal(device.key), certificate), wire.renewResult).certificates[0] as Uint8Array;
}

/** Renewal of the certificate (8.7). */
export const renewalCases: readonly ConformanceCase[] = [
  {
    name: 'renew',
    step: 'F5.3',
    section: '8.7',
    demand: 'a device gets a new certificate for its key, which works',
    async run(subject) {
      const device = await subject.enrolled();
      const certificate = await renewed(device);
      const leaf = x509.readCertificate(certificate);
      demandSame('device of the new certificate', device.deviceId, x509.deviceIdOf(leaf));
      demand(sameBytes(leaf.publicKey, device.key.publicKey), 'a certificate for the same key', 'another key');
      demand(!sameBytes(certificate, device.certificate), 'a new certificate', 'the old one');
      messageOf(await device.post(wire.poll.encode({ reason: 'request' }), certificate), wire.idle);
    },
  },
  {
    name: 'renew-same-again',
    step: 'F5.3',
    section: '8.7',
    demand: 'the same request bytes get the same certificate',
    async run(subject) {
      const device = await subject.enrolled();
      const frame = renewal(device.key);
      const certificates = [];
      for (let time = 0; time < 2; time++) certificates.push(messageOf(await device.post(frame), wire.renewResult).certificates[0] as Uint8Array);
      demand(sameBytes(certificates[0] as Uint8Array, certificates[1] as Uint8Array), 'the same certificate for the same request', 'another one');
    },
  },
  {
    name: 'renew-old-stays-good',
    step: 'F5.3',
    section: '8.7',
    demand: 'the old certificate stays good until the device renews again with the new one',
    async run(subject) {
      const device = await subject.enrolled();
      const second = await renewed(device);
      await device.idle();
      await renewed(device, second);
      demandAlert(await device.poll(), 'revoked', 'for the certificate before the one that was shown at the renewal');
    },
  },
  {
    name: 'renew-other-key',
    step: 'F5.3',
    section: '8.7',
    demand: 'a renewal is for the same key',
    async run(subject) {
      const device = await subject.enrolled();
      demandAlert(await device.post(renewal(subject.newKey())), 'badMessage', 'for the request of another key');
      await device.idle();
    },
  },
  {
    name: 'renew-not-signed-by-its-key',
    step: 'F5.3',
    section: '8.3',
    demand: 'a request that its key has not signed is refused',
    async run(subject) {
      const device = await subject.enrolled();
      const csr = device.key.request({ signer: subject.newKey() });
      demandAlert(await device.post(wire.renewRequest.encode({ csr })), 'badMessage', 'for a request that another key has signed');
    },
  },
];
