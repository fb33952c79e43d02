import { x509 } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { ConformanceCase } from '../conformance-case.ts';
import { pemOf } from '../enrolled-device.ts';
import { demandAlert, demandClosed, messageOf } from '../frames.ts';
import type { TlsChoice } from '../http-wire.ts';
import { demandSame } from '../mismatch.ts';
import type { Subject } from '../subject.ts';

const DAY_MS = 86_400_000;
const POLL = wire.poll.encode({ reason: 'request' });

/** A certificate with all names right, by an authority that the server has never heard of. */
function forged(subject: Subject, deviceId: string, issuerName: string): TlsChoice {
  const [authority, key] = [subject.newKey(), subject.newKey()];
  const nowMs = subject.clock.nowMs();
  const info = x509.certificateInfo(subject.crypto, {
    serial: Uint8Array.of(1, ...subject.entropy.randomBytes(15)),
    issuer: { commonName: issuerName, publicKey: authority.publicKey },
    commonName: deviceId,
    publicKey: key.publicKey,
    notBeforeMs: nowMs - DAY_MS,
    notAfterMs: nowMs + DAY_MS,
    purpose: { kind: 'leaf', usages: ['clientAuth'], uris: [x509.deviceUri(deviceId)], dnsNames: [], ipAddresses: [] },
  });
  return { cert: pemOf('CERTIFICATE', x509.certificate(info, authority.sign(info))), key: key.pem };
}

/** F5.3: who is let in at the device listener (8.6, 9.4). */
export const deviceListenerCases: readonly ConformanceCase[] = [
  {
    name: 'listener-no-certificate',
    step: 'F5.3',
    section: '9.4',
    demand: 'without a certificate the connection closes before HTTP',
    async run(subject) {
      demandClosed(await subject.post('device', POLL), 'without a certificate');
    },
  },
  {
    name: 'listener-foreign-certificate',
    step: 'F5.3',
    section: '9.4',
    demand: 'a certificate of another root is none, whatever names stand in it',
    async run(subject) {
      const device = await subject.enrolled();
      const root = x509.readCertificate(device.details.tenantRoots[0] as Uint8Array);
      demandClosed(await subject.post('device', POLL, forged(subject, device.deviceId, root.commonName)), 'for a certificate of another root');
      await device.idle();
    },
  },
  {
    name: 'listener-removed-device',
    step: 'F5.3',
    section: '8.6',
    demand: 'a removed device hears that it is revoked, at once',
    async run(subject) {
      const device = await subject.enrolled();
      await subject.setUp.removeDevice(device.user, device.deviceId);
      demandAlert(await device.poll(), 'revoked', 'for a removed device');
      demandAlert(await device.post(wire.renewRequest.encode({ csr: device.key.request() })), 'revoked', 'for the renewal of a removed device');
    },
  },
  {
    name: 'listener-activated-anew',
    step: 'F5.3',
    section: '8.7',
    demand: 'A7 of a new activation of the same key revokes the older certificates',
    async run(subject) {
      const device = await subject.enrolled();
      const again = await subject.pending(device.user, device.key);
      demandSame('device id', device.deviceId, again.deviceId);
      await device.idle();
      messageOf(await again.confirm(), wire.acknowledgement);
      demandAlert(await device.poll(), 'revoked', 'for a certificate of the activation before');
      await again.drain();
    },
  },
  {
    name: 'listener-other-user-same-key',
    step: 'F1.5',
    section: '8.8',
    demand: 'a key that another user activates is another device, and the one before ends',
    async run(subject) {
      const device = await subject.enrolled();
      const other = await subject.enrolled(undefined, device.key);
      demandSame('device id is a new one', true, device.deviceId !== other.deviceId);
      demandAlert(await device.poll(), 'revoked', 'for the device that had the key before');
      await other.idle();
    },
  },
  {
    name: 'listener-other-frame',
    step: 'F5.3',
    section: '9.2',
    demand: 'a frame of another service is refused',
    async run(subject) {
      const device = await subject.enrolled();
      const { code } = await subject.invited();
      demandAlert(await device.post(subject.run(code).startFrame()), 'badMessage', 'for an A1 at the device service');
    },
  },
];
