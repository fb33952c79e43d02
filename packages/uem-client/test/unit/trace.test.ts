import type { TraceEvent } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { expect, it } from 'vitest';
import { activeTestDevice } from '../support/test-device.ts';

it('names the device as it was told to', async () => {
  const events: TraceEvent[] = [];
  await activeTestDevice({ name: 'tablet', trace: (event) => events.push(event) });
  expect(new Set(events.flatMap(({ from, to }) => [from, to]))).toEqual(new Set(['tablet', 'uem', 'notification']));
});

it('traces each frame with its flow step and its ends', async () => {
  const events: TraceEvent[] = [];
  const device = await activeTestDevice({ trace: (event) => events.push(event) });
  device.uem.send(device.uem.only, 'LOCK_DEVICE');
  device.uem.wake(device.uem.only);
  await device.clock.settle();
  const lines = events.map(({ step, from, to, frame }) => {
    const name = (end: string): string => (end === device.client.deviceId ? 'device id' : end);
    return `${step} ${name(from)} -> ${name(to)}: ${wire.peekFrameName(frame)}`;
  });
  expect(lines.filter((line) => line.startsWith('F1'))).toEqual([
    'F1.3 device -> uem: activationStart',
    'F1.4 uem -> device: activationParameters',
    'F1.4 device -> uem: activationShare',
    'F1.4 uem -> device: activationShareReply',
    'F1.4 device -> uem: activationRequest',
    'F1.4 uem -> device: activationResult',
    'F1.5 device id -> uem: activationDone',
    'F1.5 uem -> device id: acknowledgement',
  ]);
  const woken = lines.slice(lines.lastIndexOf('F5.2 notification -> device id: wakeUp'));
  expect(woken).toEqual([
    'F5.2 notification -> device id: wakeUp',
    'F5.2 device id -> notification: pushAck',
    'F5.3 device id -> uem: poll',
    'F5.4 uem -> device id: command',
    'F5.5 device id -> uem: commandResult',
    'F5.6 uem -> device id: idle',
  ]);
  expect(events.every(({ timeMs }) => timeMs >= device.clock.nowMs() - 1_000)).toBe(true);
});
