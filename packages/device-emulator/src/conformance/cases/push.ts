import { sameBytes, toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { ConformanceCase } from '../conformance-case.ts';
import type { EnrolledDevice } from '../enrolled-device.ts';
import { messageOf } from '../frames.ts';
import { demand, demandSame, Mismatch } from '../mismatch.ts';
import { PushWire } from '../push-wire.ts';
import type { Subject } from '../subject.ts';

/** Bounds the connections of a device that waits for a newer wake-up. */
const MAX_RETURNS = 200;
const BETWEEN_RETURNS_MS = 50;

interface Reachable {
  readonly device: EnrolledDevice;
  readonly push: PushWire;
  readonly token: Uint8Array;
}

/** A device that UEM can wake. */
async function reachable(subject: Subject): Promise<Reachable> {
  const device = await subject.enrolled();
  const push = await subject.push();
  push.register();
  const { token } = await push.next(wire.pushRegistered);
  messageOf(await device.poll({ pushToken: token }), wire.idle);
  return { device, push, token };
}

const wake = ({ setUp }: Subject, { user, deviceId }: EnrolledDevice): Promise<string> => setUp.send(user, deviceId, 'REQUEST_DEVICE_INFO');

/** A second connection with the token of the first, after its registration. */
async function back(subject: Subject, token: Uint8Array): Promise<PushWire> {
  const push = await subject.push();
  push.register(token);
  const registered = await push.next(wire.pushRegistered);
  demand(sameBytes(registered.token, token), 'the token that is in force', 'another one');
  return push;
}

/**
 * The connection whose first wake-up is another one than `older`, which no connection has acknowledged. UEM answers the administrator before the service
 * has the wake-up of a command, so the device comes back until it is there.
 */
async function newer(subject: Subject, token: Uint8Array, older: wire.WakeUp): Promise<{ readonly again: PushWire; readonly wakeUpId: Uint8Array }> {
  for (let time = 0; time < MAX_RETURNS; time++) {
    const again = await back(subject, token);
    const { wakeUpId } = await again.next(wire.wakeUp);
    if (!sameBytes(wakeUpId, older.wakeUpId)) return { again, wakeUpId };
    await subject.pass(BETWEEN_RETURNS_MS);
  }
  throw new Mismatch('the newer wake-up in place of the older one', `the older one first, ${MAX_RETURNS} times`);
}

/** F5.2: the push connection of a device (10). */
export const pushCases: readonly ConformanceCase[] = [
  {
    name: 'push-register',
    step: 'F5.2',
    section: '10.3',
    demand: 'a device without a token gets one of its own, and the interval of the pings',
    async run(subject) {
      const tokens: string[] = [];
      for (let time = 0; time < 2; time++) {
        const push = await subject.push();
        push.register();
        const { token, pingIntervalS } = await push.next(wire.pushRegistered);
        demand(pingIntervalS >= 1, 'a ping interval', pingIntervalS);
        tokens.push(toHex(token));
      }
      demand(tokens[0] !== tokens[1], 'two tokens for two devices', 'one');
    },
  },
  {
    name: 'push-register-again',
    step: 'F5.2',
    section: '10.3',
    demand: 'a token in force is confirmed',
    async run(subject) {
      const first = await subject.push();
      first.register();
      const { token } = await first.next(wire.pushRegistered);
      await first.close();
      await back(subject, token);
    },
  },
  {
    name: 'push-unknown-token',
    step: 'F5.2',
    section: '10.3',
    demand: 'a token that is not in force is replaced by a new one',
    async run(subject) {
      const push = await subject.push();
      const invented = subject.entropy.randomBytes(32);
      push.register(invented);
      const { token } = await push.next(wire.pushRegistered);
      demand(!sameBytes(token, invented), 'a new token', 'the invented one');
    },
  },
  {
    name: 'push-wake-up',
    step: 'F5.2',
    section: '10.2',
    demand: 'a command wakes the device, and the poll gets it',
    async run(subject) {
      const { device, push } = await reachable(subject);
      const id = await wake(subject, device);
      const { wakeUpId } = await push.next(wire.wakeUp);
      push.acknowledge(wakeUpId);
      const { commandId } = messageOf(await device.poll({ reason: 'wakeUp', wakeUpId }), wire.command);
      demandSame('command', id, toHex(commandId));
    },
  },
  {
    name: 'push-kept-until-acknowledged',
    step: 'F5.2',
    section: '10.4',
    demand: 'a wake-up that was not acknowledged comes again on the next connection, with the same id',
    async run(subject) {
      const { device, push, token } = await reachable(subject);
      await wake(subject, device);
      const { wakeUpId } = await push.next(wire.wakeUp);
      await push.close();
      const again = await back(subject, token);
      const second = await again.next(wire.wakeUp);
      demandSame('id of the wake-up', toHex(wakeUpId), toHex(second.wakeUpId));
    },
  },
  {
    name: 'push-acknowledged-is-gone',
    step: 'F5.2',
    section: '10.4',
    demand: 'an acknowledged wake-up does not come again; the next one does',
    async run(subject) {
      const { device, push, token } = await reachable(subject);
      await wake(subject, device);
      const first = await push.next(wire.wakeUp);
      push.acknowledge(first.wakeUpId);
      const { commandId } = messageOf(await device.poll({ reason: 'wakeUp', wakeUpId: first.wakeUpId }), wire.command);
      messageOf(await device.result(commandId), wire.idle);
      // Frames of one connection are handled in order: what this one answers shows that the acknowledgement was taken.
      await back(subject, token);
      const again = await back(subject, token);
      await wake(subject, device);
      const second = await again.next(wire.wakeUp);
      demand(toHex(second.wakeUpId) !== toHex(first.wakeUpId), 'a new wake-up', 'the acknowledged one');
    },
  },
  {
    name: 'push-one-waits',
    step: 'F5.2',
    section: '10.4',
    demand: 'a device that was away gets one wake-up, and its poll all commands',
    async run(subject) {
      const { device, push, token } = await reachable(subject);
      await push.close();
      await wake(subject, device);
      const older = await (await back(subject, token)).next(wire.wakeUp);
      await wake(subject, device);
      const { again, wakeUpId } = await newer(subject, token, older);
      again.acknowledge(wakeUpId);
      const first = messageOf(await device.poll({ reason: 'wakeUp', wakeUpId }), wire.command);
      const second = messageOf(await device.result(first.commandId), wire.command);
      messageOf(await device.result(second.commandId), wire.idle);
      // The connection ends with this frame: another wake-up would have come before it.
      await back(subject, token);
      await again.next(wire.pushClose);
    },
  },
  {
    name: 'push-newest-connection-wins',
    step: 'F5.2',
    section: '10.3',
    demand: 'an older connection of the same token hears `replaced` and ends',
    async run(subject) {
      const { device, push, token } = await reachable(subject);
      const newest = await back(subject, token);
      demandSame('reason', 'replaced', (await push.next(wire.pushClose)).reason);
      demandSame('close code', 1000, await push.closed());
      await wake(subject, device);
      await newest.next(wire.wakeUp);
    },
  },
  {
    name: 'push-registers-first',
    step: 'F5.2',
    section: '10.3',
    demand: 'another frame than pushRegister at the start ends the connection',
    async run(subject) {
      const push = await subject.push();
      push.acknowledge(subject.entropy.randomBytes(16));
      demandSame('close code', 1008, await push.closed());
    },
  },
  {
    name: 'push-registers-once',
    step: 'F5.2',
    section: '10.3',
    demand: 'a second pushRegister ends the connection',
    async run(subject) {
      const push = await subject.push();
      push.register();
      await push.next(wire.pushRegistered);
      push.register();
      demandSame('close code', 1008, await push.closed());
    },
  },
  {
    name: 'push-no-text',
    step: 'F5.2',
    section: '10.1',
    demand: 'a text message ends the connection',
    async run(subject) {
      const push = await subject.push();
      push.send('hello');
      demandSame('close code', 1008, await push.closed());
    },
  },
  {
    name: 'push-too-large',
    step: 'F5.2',
    section: '10.1',
    demand: 'a message over 4 KiB ends the connection',
    async run(subject) {
      const push = await subject.push();
      push.send(new Uint8Array(8_192));
      const code = await push.closed();
      demand(code === 1009 || code === 1006, 'close code 1009, or a connection that is cut off', code);
    },
  },
  {
    name: 'push-subprotocol',
    step: 'F5.2',
    section: '10.1',
    demand: 'without the subprotocol there is no push connection',
    async run(subject) {
      const push = await PushWire.open(subject.pushPlace, ['chat']);
      demand(push === undefined, 'no connection for another subprotocol', 'an open one');
    },
  },
];
