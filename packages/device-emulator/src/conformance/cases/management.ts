import { sameBytes, toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { ConformanceCase } from '../conformance-case.ts';
import type { EnrolledDevice } from '../enrolled-device.ts';
import { demandAlert, messageOf, rawFrame } from '../frames.ts';
import { demand, demandSame } from '../mismatch.ts';
import type { Subject } from '../subject.ts';

/** Clocks that are further apart make `serverTimeEpochS` useless. */
const CLOCKS_S = 600;

async function sent({ setUp }: Subject, device: EnrolledDevice, ...types: readonly string[]): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const type of types) ids.push(await setUp.send(device.user, device.deviceId, type));
  return ids;
}

async function statusOf({ setUp }: Subject, device: EnrolledDevice, commandId: string): Promise<string> {
  return (await setUp.command(device.user, device.deviceId, commandId)).status;
}

/** A device that has got a command. */
async function inFlight(subject: Subject, type: string): Promise<{ readonly device: EnrolledDevice; readonly id: string; readonly commandId: Uint8Array }> {
  const device = await subject.enrolled();
  const id = await subject.setUp.send(device.user, device.deviceId, type);
  const { commandId } = await device.command();
  return { device, id, commandId };
}

/** A result whose status needs one more field, without it. */
async function refusedResult(subject: Subject, status: number, what: string): Promise<void> {
  const { device, id, commandId } = await inFlight(subject, 'LOCK_DEVICE');
  const body = new Map<number, wire.CborValue>([
    [0, commandId],
    [1, status],
  ]);
  demandAlert(await device.post(rawFrame('commandResult', wire.encodeCbor(body))), 'badMessage', `for status ${what}`);
  demandSame('status', 'SENT', await statusOf(subject, device, id));
}

/** F5.3 to F5.6: polls, commands and results (6.1, 6.3). */
export const managementCases: readonly ConformanceCase[] = [
  {
    name: 'idle-fields',
    step: 'F5.6',
    section: '6.1',
    demand: 'idle tells the poll interval of the device and the time of the server',
    async run(subject) {
      const device = await subject.enrolled();
      const { pollIntervalS, pollJitterS, serverTimeEpochS, pollAfterS } = await device.idle();
      const { configuration } = device.details;
      demandSame('pollIntervalS', configuration.pollIntervalS, pollIntervalS);
      demandSame('pollJitterS', configuration.pollJitterS, pollJitterS);
      demandSame('pollAfterS', undefined, pollAfterS);
      const nowS = subject.clock.nowMs() / 1_000;
      demand(Math.abs(serverTimeEpochS - nowS) <= CLOCKS_S, 'the time of the server', new Date(serverTimeEpochS * 1_000).toISOString());
    },
  },
  {
    name: 'command-fields',
    step: 'F5.4',
    section: '6.1',
    demand: 'a command has the id, type and properties that the administrator gave',
    async run(subject) {
      const device = await subject.enrolled();
      const id = await subject.setUp.send(device.user, device.deviceId, 'LOCK_DEVICE', { message: 'conformance' });
      const { commandId, type, properties } = await device.command();
      demandSame('id', id, toHex(commandId));
      demandSame('type', 'LOCK_DEVICE', type);
      demandSame('message', 'conformance', properties['message']);
    },
  },
  {
    name: 'one-command-at-a-time',
    step: 'F5.4',
    section: '6.3',
    demand: 'each answer brings one command, the result of one brings the next, and the last one idle',
    async run(subject) {
      const device = await subject.enrolled();
      const ids = await sent(subject, device, 'REQUEST_DEVICE_INFO', 'REQUEST_INSTALLED_APPS');
      const first = await device.command();
      demandSame('first command', ids[0], toHex(first.commandId));
      const second = messageOf(await device.result(first.commandId), wire.command);
      demandSame('second command', ids[1], toHex(second.commandId));
      messageOf(await device.result(second.commandId), wire.idle);
      for (const id of ids) demandSame('status', 'COMPLETED', await statusOf(subject, device, id));
    },
  },
  {
    name: 'command-in-flight-again',
    step: 'F5.4',
    section: '6.3',
    demand: 'a poll while a command is in flight gets the same command, byte for byte',
    async run(subject) {
      const device = await subject.enrolled();
      await sent(subject, device, 'REQUEST_DEVICE_INFO');
      const [first, second] = [await device.poll(), await device.poll()];
      messageOf(first, wire.command);
      messageOf(second, wire.command);
      demand(sameBytes(first?.body as Uint8Array, second?.body as Uint8Array), 'the same command again', 'another frame');
    },
  },
  {
    name: 'in-flight-is-not-displaced',
    step: 'F5.4',
    section: '6.3',
    demand: 'a more urgent command waits while another one is in flight',
    async run(subject) {
      const device = await subject.enrolled();
      const [info] = await sent(subject, device, 'REQUEST_DEVICE_INFO');
      await device.command();
      const [lock] = await sent(subject, device, 'LOCK_DEVICE');
      const again = await device.command();
      demandSame('command in flight', info, toHex(again.commandId));
      demandSame('command after it', lock, toHex(messageOf(await device.result(again.commandId), wire.command).commandId));
    },
  },
  {
    name: 'priority',
    step: 'F5.4',
    section: '6.5',
    demand: 'administration comes before requests, whatever was sent first',
    async run(subject) {
      const device = await subject.enrolled();
      const [info, lock] = await sent(subject, device, 'REQUEST_DEVICE_INFO', 'LOCK_DEVICE');
      const first = await device.command();
      demandSame('first command', lock, toHex(first.commandId));
      demandSame('second command', info, toHex(messageOf(await device.result(first.commandId), wire.command).commandId));
    },
  },
  {
    name: 'oldest-first',
    step: 'F5.4',
    section: '6.3',
    demand: 'within a class the oldest command comes first',
    async run(subject) {
      const device = await subject.enrolled();
      const ids = await sent(subject, device, 'LOCK_DEVICE', 'UNLOCK_DEVICE', 'LOCK_DEVICE');
      let answer = await device.poll();
      for (const id of ids) {
        const { commandId } = messageOf(answer, wire.command);
        demandSame('next command', id, toHex(commandId));
        answer = await device.result(commandId);
      }
      messageOf(answer, wire.idle);
    },
  },
  {
    name: 'failed-result',
    step: 'F5.5',
    section: '6.3',
    demand: 'a failed command is final, and the administrator reads the message',
    async run(subject) {
      const { device, id, commandId } = await inFlight(subject, 'LOCK_DEVICE');
      messageOf(await device.result(commandId, { status: 'failed', message: 'no password is set' }), wire.idle);
      const seen = await subject.setUp.command(device.user, device.deviceId, id);
      demandSame('status', 'FAILED', seen.status);
      demandSame('message', 'no password is set', seen.message);
    },
  },
  {
    name: 'failed-needs-message',
    step: 'F5.5',
    section: '6.3',
    demand: 'a failed result without a message is refused and changes nothing',
    run: (subject) => refusedResult(subject, 1, 'failed without a message'),
  },
  {
    name: 'deferred-needs-time',
    step: 'F5.5',
    section: '6.3',
    demand: 'a deferred result without a time is refused and changes nothing',
    run: (subject) => refusedResult(subject, 2, 'deferred without retryAfterS'),
  },
  {
    name: 'deferred-waits',
    step: 'F5.5',
    section: '6.3',
    demand: 'a deferred command waits, and idle says when to ask again',
    async run(subject) {
      const { device, id, commandId } = await inFlight(subject, 'LOCK_DEVICE');
      const { pollAfterS } = messageOf(await device.result(commandId, { status: 'deferred', retryAfterS: 300 }), wire.idle);
      demand(pollAfterS !== undefined && pollAfterS > 0 && pollAfterS <= 300, 'pollAfterS up to 300', pollAfterS ?? 'none');
      const seen = await subject.setUp.command(device.user, device.deviceId, id);
      demandSame('status', 'QUEUED', seen.status);
      demand(seen.notBefore !== undefined, 'a time before which it is not sent', 'none');
    },
  },
  {
    name: 'deferred-lets-others-through',
    step: 'F5.5',
    section: '6.3',
    demand: 'a deferred command does not hold up the others',
    async run(subject) {
      const device = await subject.enrolled();
      const [, info] = await sent(subject, device, 'LOCK_DEVICE', 'REQUEST_DEVICE_INFO');
      const { commandId } = await device.command();
      const next = messageOf(await device.result(commandId, { status: 'deferred', retryAfterS: 300 }), wire.command);
      demandSame('next command', info, toHex(next.commandId));
    },
  },
  {
    name: 'deferred-comes-again',
    step: 'F5.4',
    section: '6.3',
    demand: 'a deferred command comes again, the same one, when its time has come',
    slow: true,
    async run(subject) {
      const { device, id, commandId } = await inFlight(subject, 'LOCK_DEVICE');
      messageOf(await device.result(commandId, { status: 'deferred', retryAfterS: 60 }), wire.idle);
      await subject.pass(61_000);
      demandSame('command', id, toHex((await device.command()).commandId));
    },
  },
  {
    name: 'second-result-ignored',
    step: 'F5.5',
    section: '6.3',
    demand: 'the first result of a command counts, a later one is ignored',
    async run(subject) {
      const { device, id, commandId } = await inFlight(subject, 'LOCK_DEVICE');
      messageOf(await device.result(commandId), wire.idle);
      messageOf(await device.result(commandId, { status: 'failed', message: 'changed my mind' }), wire.idle);
      demandSame('status', 'COMPLETED', await statusOf(subject, device, id));
    },
  },
  {
    name: 'result-not-in-flight',
    step: 'F5.5',
    section: '6.3',
    demand: 'a result for a command that was not handed out is ignored and answered as a poll',
    async run(subject) {
      const device = await subject.enrolled();
      const [lock, info] = await sent(subject, device, 'LOCK_DEVICE', 'REQUEST_DEVICE_INFO');
      const first = await device.command();
      demandSame('command in flight', lock, toHex(first.commandId));
      const stranger = Uint8Array.from(Buffer.from(info as string, 'hex'));
      const answer = messageOf(await device.result(stranger), wire.command);
      demandSame('command in flight, again', lock, toHex(answer.commandId));
      demandSame('status of the other command', 'QUEUED', await statusOf(subject, device, info as string));
    },
  },
  {
    name: 'result-of-another-device',
    step: 'F5.5',
    section: '6.1',
    demand: 'the certificate says whose result it is: another device’s command is not touched',
    async run(subject) {
      const [device, other] = [await subject.enrolled(), await subject.enrolled()];
      const [id] = await sent(subject, device, 'LOCK_DEVICE');
      const { commandId } = await device.command();
      messageOf(await other.result(commandId), wire.idle);
      demandSame('status', 'SENT', await statusOf(subject, device, id as string));
    },
  },
  {
    name: 'result-data',
    step: 'F5.5',
    section: '6.1',
    demand: 'what a device answers reaches the administrator',
    async run(subject) {
      const { device, id, commandId } = await inFlight(subject, 'REQUEST_DEVICE_INFO');
      messageOf(await device.result(commandId, { data: { batteryLevel: 77 } }), wire.idle);
      const seen = await subject.setUp.command(device.user, device.deviceId, id);
      demandSame('batteryLevel', 77, seen.data?.['batteryLevel']);
    },
  },
  {
    name: 'cancelled-is-not-sent',
    step: 'F5.4',
    section: '6.3',
    demand: 'a command that the administrator took back is not handed out',
    async run(subject) {
      const device = await subject.enrolled();
      const [id] = await sent(subject, device, 'LOCK_DEVICE');
      await subject.setUp.cancel(device.user, device.deviceId, id as string);
      await device.idle();
    },
  },
  {
    name: 'delete-ends-management',
    step: 'F5.5',
    section: '6.3',
    demand: 'after a delete command that is done nothing else is handed out, and the device is revoked',
    async run(subject) {
      const device = await subject.enrolled();
      await sent(subject, device, 'DELETE_DEVICE_DATA', 'REQUEST_DEVICE_INFO');
      const { commandId, type } = await device.command();
      demandSame('first command', 'DELETE_DEVICE_DATA', type);
      messageOf(await device.result(commandId), wire.idle);
      demandAlert(await device.poll(), 'revoked', 'for a device that has left');
      demandSame('state', 'DEACTIVATED', await subject.setUp.deviceState(device.user, device.deviceId));
    },
  },
  {
    name: 'delete-result-again',
    step: 'F5.6',
    section: '8.6',
    demand: 'the result of the delete command gets idle again, because the first answer may be lost',
    async run(subject) {
      const device = await subject.enrolled();
      await sent(subject, device, 'DELETE_WORK_SPACE_DATA');
      const { commandId } = await device.command();
      messageOf(await device.result(commandId), wire.idle);
      messageOf(await device.result(commandId), wire.idle);
    },
  },
];
