import { type FakeClock, fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Lab, startLab } from '../../src/lab.ts';
import { basic } from '../support/admin-lab.ts';
import { LabDevice, overMemory, qrSecret } from '../support/lab-device.ts';

const SERVICES = ['apns', 'fcm', 'wns', 'bb10'] as const;
type Service = (typeof SERVICES)[number];

/** Longer than UEM waits between two tries to wake a device. */
const NEXT_TRY_MS = 60_000;

/** A device of one notification service: what it manages, and what it gets on its push connection. */
class WokenDevice {
  readonly device: LabDevice;
  readonly service: Service;
  frames: wire.Frame[] = [];
  private close: () => void = () => {};

  constructor(service: Service) {
    this.service = service;
    this.device = new LabDevice(overMemory(lab), service, () => clock.nowMs());
  }

  get wakeUps(): readonly wire.WakeUp[] {
    return this.frames.filter(({ name }) => name === 'wakeUp').map((frame) => wire.wakeUp.decode(frame));
  }

  /** Connects anew, tells UEM the token, and does whatever waits. */
  async begin(): Promise<void> {
    this.close();
    const frames: wire.Frame[] = [];
    const { notification: address } = lab.connection;
    const connection = await lab.transport().openPush({
      address,
      trust: lab.trust,
      onFrame: (bytes) => {
        const frame = wire.parseFrame(bytes);
        frames.push(frame);
        if (frame.name === 'wakeUp') connection.send(wire.pushAck.encode({ wakeUpId: wire.wakeUp.decode(frame).wakeUpId }));
      },
      onClose: () => {},
    });
    this.close = () => connection.close();
    connection.send(wire.pushRegister.encode({ service: this.service }));
    await clock.settle();
    const { token } = wire.pushRegistered.decode(frames[0] as wire.Frame);
    let answer = await this.device.poll({ pushToken: token });
    while (answer.name === 'command') answer = await this.device.result(wire.command.decode(answer).commandId);
    await clock.advance(NEXT_TRY_MS);
    frames.length = 0;
    this.frames = frames;
  }

  async work(): Promise<readonly string[]> {
    const done: string[] = [];
    for (let answer = await this.device.poll(); answer.name === 'command'; ) {
      const { type, commandId } = wire.command.decode(answer);
      done.push(type);
      answer = await this.device.result(commandId);
    }
    return done;
  }

  lock(): Promise<unknown> {
    return lab.admin.sendCommand(this.device.deviceId, { type: 'LOCK_DEVICE' });
  }
}

let clock: FakeClock;
let lab: Lab;
const devices = new Map<Service, WokenDevice>();

beforeAll(async () => {
  clock = fakeClock(Date.UTC(2026, 0, 1));
  lab = await startLab({ clock, entropy: seededEntropy('push faults') });
  for (const service of SERVICES) {
    const { guid } = await lab.admin.createUser({ username: service });
    const woken = new WokenDevice(service);
    expect(await woken.device.activate(qrSecret((await lab.admin.createQrCode(guid)).content))).toMatchObject({ status: 'activated' });
    devices.set(service, woken);
  }
});
afterAll(() => lab.close());

async function rest(method: string, path: string, body?: object): Promise<{ readonly status: number; readonly json: Record<string, unknown> }> {
  const { username, password } = lab.connection.administrator;
  const headers = { ...basic(username, password), 'content-type': 'application/json' };
  const bytes = body === undefined ? new Uint8Array() : new TextEncoder().encode(JSON.stringify(body));
  const answer = await lab.rest({ method, path: `/lab/v1${path}`, query: '', headers, body: bytes, source: 'test' });
  return { status: answer?.status ?? 0, json: answer?.body ? JSON.parse(answer.body) : {} };
}

/** The device of the service, and one of another service that the fault is not for. */
function pair(service: Service): readonly [WokenDevice, WokenDevice] {
  const other = SERVICES[(SERVICES.indexOf(service) + 1) % SERVICES.length] as Service;
  return [devices.get(service) as WokenDevice, devices.get(other) as WokenDevice];
}

/** Faults on the way to the device, and of the service itself, by the API of the lab; each one is met once it is there. */
async function under(fault: object): Promise<() => Promise<void>> {
  const added = await rest('POST', '/faults', fault);
  expect(added.status).toBe(201);
  return async () => {
    const { faults } = (await rest('GET', '/faults')).json as { readonly faults: readonly { readonly applied: number }[] };
    expect(faults.map(({ applied }) => applied > 0)).toEqual([true]);
    expect((await rest('DELETE', '/faults')).status).toBe(204);
  };
}

describe.each(SERVICES)('faults of %s, by the API, and of no other service', (pushService) => {
  let target: WokenDevice;
  let bystander: WokenDevice;
  beforeEach(async () => {
    await rest('DELETE', '/faults');
    [target, bystander] = pair(pushService);
    for (const device of [target, bystander]) await device.begin();
  });

  /** Both get a command; the one of the other service is woken at once, whatever the fault. */
  const lockBoth = async (): Promise<void> => {
    for (const device of [target, bystander]) await device.lock();
    await clock.settle();
    expect(bystander.wakeUps).toHaveLength(1);
  };

  it('loss: the wake-up never arrives, and the regular poll makes up for it', async () => {
    const end = await under({ kind: 'drop', service: 'wakeUp', pushService });
    await lockBoth();
    await end();
    await clock.advance(NEXT_TRY_MS);
    expect(target.wakeUps).toEqual([]);
    expect(await target.work()).toEqual(['LOCK_DEVICE']);
  });

  it('duplicate: it arrives twice, and the command is there once', async () => {
    const end = await under({ kind: 'duplicate', service: 'wakeUp', pushService });
    await lockBoth();
    await end();
    const [first, second, ...more] = target.wakeUps;
    expect([second, more]).toEqual([first, []]);
    expect(await target.work()).toEqual(['LOCK_DEVICE']);
  });

  it('delay: it arrives when its time is over', async () => {
    const end = await under({ kind: 'delay', delayMs: 5_000, service: 'wakeUp', pushService });
    await lockBoth();
    await clock.advance(4_000);
    expect(target.wakeUps).toEqual([]);
    await clock.advance(2_000);
    expect(target.wakeUps).toHaveLength(1);
    await end();
  });

  it('reorder: the next one goes ahead', async () => {
    const end = await under({ kind: 'reorder', delayMs: 600_000, count: 1, service: 'wakeUp', pushService });
    await lockBoth();
    await clock.advance(2_000);
    expect(target.wakeUps).toEqual([]);
    expect(await target.work()).toEqual(['LOCK_DEVICE']);
    await target.lock();
    await clock.settle();
    const [ahead, behind] = target.wakeUps.map(({ sentAtEpochMs }) => sentAtEpochMs);
    expect(target.wakeUps).toHaveLength(2);
    expect(ahead).toBeGreaterThan(behind as number);
    await end();
  });

  it('expired token: the device is told, UEM forgets the token, and a new one wakes the device', async () => {
    const end = await under({ kind: 'expire', count: 1, service: 'provider', pushService });
    await lockBoth();
    await end();
    expect(target.frames.map(({ name }) => name)).toEqual(['pushClose']);
    expect(lab.admin.device(target.device.deviceId).pushToken).toBeUndefined();
    await target.begin();
    await target.lock();
    await clock.settle();
    expect(target.wakeUps).toHaveLength(1);
  });

  it.each([
    ['throttle', { kind: 'throttle' }],
    ['outage', { kind: 'status', status: 503 }],
  ])('%s: UEM tries again, and wakes the device when it is over', async (_name, fault) => {
    const end = await under({ ...fault, service: 'provider', pushService });
    await lockBoth();
    await clock.advance(NEXT_TRY_MS);
    expect(target.wakeUps).toEqual([]);
    await end();
    await clock.advance(NEXT_TRY_MS);
    expect(target.wakeUps).toHaveLength(1);
  });
});

it('three services that are dead at once, with devices in one batch, hold up the fourth for no moment', async () => {
  await rest('DELETE', '/faults');
  for (const device of devices.values()) await device.begin();
  const [living, ...dead] = SERVICES;
  for (const pushService of dead) await rest('POST', '/faults', { kind: 'status', status: 503, service: 'provider', pushService });
  for (let round = 0; round < 3; round++) {
    await Promise.all([...dead, living].map((service) => (devices.get(service as Service) as WokenDevice).lock()));
    await clock.settle();
    expect(SERVICES.map((service) => devices.get(service)?.wakeUps.length)).toEqual([round + 1, 0, 0, 0]);
    // Until the pauses of the dead ones are as long as they get.
    await clock.advance(60_000);
    expect(await devices.get(living as Service)?.work()).toEqual(['LOCK_DEVICE']);
  }
  await rest('DELETE', '/faults');
  await clock.advance(30_000);
  expect(dead.map((service) => devices.get(service)?.wakeUps.length)).toEqual([1, 1, 1]);
});
