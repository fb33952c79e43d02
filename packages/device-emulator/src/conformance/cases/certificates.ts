import { isProtocolError, sameBytes, x509 } from '@uemkit/protocol';
import type { ConformanceCase } from '../conformance-case.ts';
import type { EnrolledDevice } from '../enrolled-device.ts';
import { derOf } from '../enrolled-device.ts';
import { demand, demandSame, Mismatch } from '../mismatch.ts';

const DAY_MS = 86_400_000;
/** How far the clocks of device and server may be apart before dates say nothing. */
const CLOCKS_MS = 600_000;

function leafOf({ certificate }: EnrolledDevice): x509.Certificate {
  try {
    return x509.readCertificate(certificate);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    throw new Mismatch('a certificate of the profile', `${error.code}: ${error.message}`);
  }
}

/** F1.4: the certificate of a device (8.4, 8.5). */
export const certificateCases: readonly ConformanceCase[] = [
  {
    name: 'certificate-names-device',
    step: 'F1.4',
    section: '8.4',
    demand: 'common name and URI are the device id, and the key is the device’s own',
    async run(subject) {
      const device = await subject.pending();
      const leaf = leafOf(device);
      demandSame('common name', device.deviceId, leaf.commonName);
      demandSame('device that the certificate names in both places', device.deviceId, x509.deviceIdOf(leaf));
      demand(sameBytes(leaf.publicKey, device.key.publicKey), 'the key of the device', 'another key');
    },
  },
  {
    name: 'certificate-purpose',
    step: 'F1.4',
    section: '8.4',
    demand: 'the certificate is for clientAuth alone and no authority',
    async run(subject) {
      const { purpose } = leafOf(await subject.pending());
      demandSame('purpose', 'leaf: clientAuth', purpose.kind === 'leaf' ? `leaf: ${purpose.usages.join(', ')}` : 'authority');
    },
  },
  {
    name: 'certificate-chain',
    step: 'F1.4',
    section: '8.5',
    demand: 'the chain leads to the tenant roots of A6, and the root of the connection file is one of them',
    async run(subject) {
      const { details, key, deviceId } = await subject.pending();
      const { certificates, tenantRoots } = details;
      try {
        x509.verifyIssued(subject.crypto, { certificates, tenantRoots, publicKey: key.publicKey, deviceId, nowMs: subject.clock.nowMs() });
      } catch (error) {
        if (!isProtocolError(error)) throw error;
        throw new Mismatch('a chain to the tenant roots', `${error.code}: ${error.message}`);
      }
      const known = derOf(subject.connection.ca);
      demand(
        tenantRoots.some((root) => sameBytes(root, known)),
        'the root of the connection file among the tenant roots',
        'other roots',
      );
    },
  },
  {
    name: 'certificate-dates',
    step: 'F1.4',
    section: '8.4',
    demand: 'the certificate begins a day before and lives 365 days at most',
    async run(subject) {
      const nowMs = subject.clock.nowMs();
      const { notBeforeMs, notAfterMs } = leafOf(await subject.pending());
      demand(Math.abs(notBeforeMs - (nowMs - DAY_MS)) <= CLOCKS_MS, 'a certificate that begins a day ago', new Date(notBeforeMs).toISOString());
      demand(notAfterMs - nowMs > DAY_MS && notAfterMs - nowMs <= 365 * DAY_MS + CLOCKS_MS, 'an end within 365 days', new Date(notAfterMs).toISOString());
    },
  },
  {
    name: 'certificate-serial',
    step: 'F1.4',
    section: '8.4',
    demand: 'serial numbers have 16 bytes and are never used twice',
    async run(subject) {
      const serials = [leafOf(await subject.pending()).serial, leafOf(await subject.pending()).serial];
      demand(serials[0] !== serials[1], 'two serial numbers', 'one');
      for (const serial of serials) demandSame('hexadecimal digits of a serial number', 32, serial.length);
    },
  },
  {
    name: 'certificate-ignores-subject',
    step: 'F1.4',
    section: '8.3',
    demand: 'the subject of the request is passed over',
    async run(subject) {
      const { user, code } = await subject.invited();
      const run = await subject.run(code).prove();
      const commonName = '00000000-0000-4000-8000-000000000000';
      const answer = await run.post(run.requestFrame({ csr: ({ challengePassword, key }) => key.request({ challengePassword, commonName }) }));
      const device = subject.device(user, run.key, run.open(answer));
      demandSame('common name', device.deviceId, leafOf(device).commonName);
      demand(device.deviceId !== commonName, 'a device id that the server has chosen', 'the name of the request');
    },
  },
];
