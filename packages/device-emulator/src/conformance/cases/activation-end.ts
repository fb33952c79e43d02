import { sameBytes } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { ConformanceCase } from '../conformance-case.ts';
import type { EnrolledDevice } from '../enrolled-device.ts';
import { demandAlert, flipped, messageOf } from '../frames.ts';
import { demand, demandSame } from '../mismatch.ts';
import type { Subject } from '../subject.ts';

/** A device that has its A6 from this very secret. */
async function pendingBy(subject: Subject, { user, code }: Awaited<ReturnType<Subject['invited']>>): Promise<EnrolledDevice> {
  const run = subject.run(code);
  return subject.device(user, run.key, await run.details());
}

/** F1.4, F1.5: A5 to A7, and what they leave behind (2.7, 2.9, 8.8). */
export const activationEndCases: readonly ConformanceCase[] = [
  {
    name: 'a6-details',
    step: 'F1.4',
    section: '2.2',
    demand: 'A6 opens under the keys of the run and names the listeners of this UEM',
    async run(subject) {
      const { configuration } = await subject.run((await subject.invited()).code).details();
      demandSame('device address', subject.connection.devices, configuration.deviceAddress);
      demandSame('notification address', subject.connection.notification, configuration.notificationAddress);
    },
  },
  {
    name: 'a5-same-again',
    step: 'F1.4',
    section: '2.9',
    demand: 'byte-equal A5 gets the byte-equal A6',
    async run(subject) {
      const run = await subject.run((await subject.invited()).code).prove();
      const frame = run.requestFrame();
      const [first, second] = [await run.post(frame), await run.post(frame)];
      run.open(first);
      messageOf(second, wire.activationResult);
      demand(sameBytes(first?.body as Uint8Array, second?.body as Uint8Array), 'the same A6 for the same A5', 'another A6');
    },
  },
  {
    name: 'a5-record-damaged',
    step: 'F1.4',
    section: '2.7',
    demand: 'a record that was changed on the way is refused',
    async run(subject) {
      const run = await subject.run((await subject.invited()).code).prove();
      // The last byte of the frame is the last byte of the tag.
      demandAlert(await run.post(flipped(run.requestFrame(), -1)), 'authFailed', 'for a record with another tag');
    },
  },
  {
    name: 'a5-reflected-record',
    step: 'F1.4',
    section: '2.5',
    demand: 'a record of the other direction is refused',
    async run(subject) {
      const run = await subject.run((await subject.invited()).code).prove();
      demandAlert(await run.post(run.requestFrame({ reflected: true })), 'authFailed', 'for a record under the key of the server');
    },
  },
  {
    name: 'csr-other-pop',
    step: 'F1.4',
    section: '2.7',
    demand: 'a certificate request of another run is refused',
    async run(subject) {
      const other = await subject.run((await subject.invited()).code).prove();
      let borrowed = '';
      other.requestFrame({
        csr: ({ challengePassword, key }) => {
          borrowed = challengePassword;
          return key.request({ challengePassword });
        },
      });
      const run = await subject.run((await subject.invited()).code).prove();
      demandAlert(
        await run.post(run.requestFrame({ csr: ({ key }) => key.request({ challengePassword: borrowed }) })),
        'authFailed',
        'for the pop of another run',
      );
    },
  },
  {
    name: 'csr-no-pop',
    step: 'F1.4',
    section: '8.3',
    demand: 'a certificate request without challengePassword is refused',
    async run(subject) {
      const run = await subject.run((await subject.invited()).code).prove();
      demandAlert(await run.post(run.requestFrame({ csr: ({ key }) => key.request() })), 'authFailed', 'for a request without challengePassword');
    },
  },
  {
    name: 'csr-not-signed-by-its-key',
    step: 'F1.4',
    section: '8.3',
    demand: 'a certificate request that its own key has not signed is refused',
    async run(subject) {
      const run = await subject.run((await subject.invited()).code).prove();
      const signer = subject.newKey();
      const csr = run.requestFrame({ csr: ({ challengePassword, key }) => key.request({ challengePassword, signer }) });
      demandAlert(await run.post(csr), 'authFailed', 'for a request that another key has signed');
    },
  },
  {
    name: 'csr-trailing-bytes',
    step: 'F1.4',
    section: '8.2',
    demand: 'bytes after the certificate request are refused',
    async run(subject) {
      const run = await subject.run((await subject.invited()).code).prove();
      const frame = run.requestFrame({ csr: ({ challengePassword, key }) => new Uint8Array([...key.request({ challengePassword }), 0]) });
      demandAlert(await run.post(frame), 'authFailed', 'for a byte behind the request');
    },
  },
  {
    name: 'other-key-same-secret',
    step: 'F1.4',
    section: '2.7',
    demand: 'a secret that one device has just proved does not serve another key',
    async run(subject) {
      const { code } = await subject.invited();
      await subject.run(code).details();
      const other = await subject.run(code).prove();
      demandAlert(await other.post(other.requestFrame()), 'authFailed', 'for another device key');
    },
  },
  {
    name: 'same-key-again',
    step: 'F1.4',
    section: '8.8',
    demand: 'a device that begins again with its key becomes the same device',
    async run(subject) {
      const { user, code } = await subject.invited();
      const first = subject.run(code);
      const before = await first.details();
      const after = await subject.run(code, first.key).details();
      demandSame('device id', before.deviceId, after.deviceId);
      // Only the newest certificate confirms.
      demandAlert(await subject.device(user, first.key, before).confirm(), 'badMessage', 'for an A7 with the older certificate');
      messageOf(await subject.device(user, first.key, after).confirm(), wire.acknowledgement);
      demandSame('devices of the user', 1, (await subject.setUp.devicesOf(user)).length);
    },
  },
  {
    name: 'pending-does-not-count',
    step: 'F1.5',
    section: '2.9',
    demand: 'a device counts from A7 on, and not before',
    async run(subject) {
      const device = await subject.pending();
      demandSame('devices before A7', 0, (await subject.setUp.devicesOf(device.user)).length);
      messageOf(await device.confirm(), wire.acknowledgement);
      demandSame('devices after A7', device.deviceId, (await subject.setUp.devicesOf(device.user)).join());
    },
  },
  {
    name: 'pending-gets-nothing',
    step: 'F1.5',
    section: '8.6',
    demand: 'before A7 a device gets no command and no renewal',
    async run(subject) {
      const device = await subject.pending();
      demandAlert(await device.poll(), 'badMessage', 'for a poll before A7');
      demandAlert(await device.post(wire.renewRequest.encode({ csr: device.key.request() })), 'badMessage', 'for a renewal before A7');
    },
  },
  {
    name: 'a7-again',
    step: 'F1.5',
    section: '2.9',
    demand: 'a second A7 is acknowledged again',
    async run(subject) {
      const device = await subject.enrolled();
      demandSame('ok', true, messageOf(await device.confirm(), wire.acknowledgement).ok);
    },
  },
  {
    name: 'a7-other-device-id',
    step: 'F1.5',
    section: '2.7',
    demand: 'an A7 for another device than that of the certificate is refused',
    async run(subject) {
      const device = await subject.pending();
      const answer = await device.confirm({ deviceId: '00000000-0000-4000-8000-000000000000' });
      demand(answer?.status === 200 && wire.parseFrame(answer.body).name === 'alert', 'an alert for another deviceId', answer?.status ?? 'no answer');
      demandSame('devices of the user', 0, (await subject.setUp.devicesOf(device.user)).length);
    },
  },
  {
    name: 'a7-failed',
    step: 'F1.5',
    section: '8.7',
    demand: 'a device that could not be configured is acknowledged, ends, and is acknowledged again',
    async run(subject) {
      const device = await subject.pending();
      const failed = { status: 'failed', message: 'no work space' } as const;
      messageOf(await device.confirm(failed), wire.acknowledgement);
      demandAlert(await device.poll(), 'revoked', 'for a device that could not be configured');
      messageOf(await device.confirm(failed), wire.acknowledgement);
      demandSame('devices of the user', 0, (await subject.setUp.devicesOf(device.user)).length);
    },
  },
  {
    name: 'a7-declined',
    step: 'F1.5',
    section: '8.7',
    demand: 'a device whose user declined the notice is acknowledged and forgotten, and its secret is still good',
    async run(subject) {
      const invited = await subject.invited();
      const device = await pendingBy(subject, invited);
      messageOf(await device.confirm({ status: 'declined' }), wire.acknowledgement);
      demandAlert(await device.poll(), 'unknownDevice', 'for a device that was forgotten');
      demandSame('devices of the user', 0, (await subject.setUp.devicesOf(device.user)).length);
      await subject.run(invited.code).details();
    },
  },
  {
    name: 'deactivate',
    step: 'F5.5',
    section: '8.7',
    demand: 'a device that its user removed is acknowledged, ends, and is acknowledged again',
    async run(subject) {
      const device = await subject.enrolled();
      const farewell = wire.deactivate.encode({ cause: 'user' });
      messageOf(await device.post(farewell), wire.acknowledgement);
      demandAlert(await device.poll(), 'revoked', 'for a device that its user removed');
      messageOf(await device.post(farewell), wire.acknowledgement);
      demandSame('devices of the user', 0, (await subject.setUp.devicesOf(device.user)).length);
    },
  },
  {
    name: 'one-time-secret',
    step: 'F1.5',
    section: '2.9',
    demand: 'A7 uses a one-time secret up',
    async run(subject) {
      const { user, code } = await subject.invited();
      const run = subject.run(code);
      messageOf(await subject.device(user, run.key, await run.details()).confirm(), wire.acknowledgement);
      const second = subject.run(code);
      await second.start();
      demand(!(await second.share()), 'a confirmV that fits nothing', 'one that fits a used secret');
      demandAlert(await second.post(second.requestFrame()), 'authFailed', 'for a secret that was used');
    },
  },
  {
    name: 'secret-for-many',
    step: 'F1.5',
    section: '2.9',
    demand: 'a secret that is not for one use serves another device after A7',
    async run(subject) {
      const user = await subject.setUp.user();
      const code = await subject.setUp.qrCode(user, { expireAfterUse: false });
      const run = subject.run(code);
      messageOf(await subject.device(user, run.key, await run.details()).confirm(), wire.acknowledgement);
      const second = await subject.run(code).details();
      demand(second.deviceId !== '', 'a second device', 'none');
    },
  },
];
