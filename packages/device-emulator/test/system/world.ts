import { AdminProblem, type DeviceRecord, type Lab, MemoryStore, type RoleFiles, type RoleName, startLab } from '@uemkit/lab-server';
import type { CryptoProvider } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import type { ActivationCredentials } from '@uemkit/uem-client';
import type { Action } from './action.ts';
import type { Bug } from './bug.ts';
import { ProcessGate } from './process-gate.ts';
import { SystemDevice } from './system-device.ts';

const START_MS = Date.UTC(2026, 0, 15);
const MAX_DEVICES = 4;
export const POLL_INTERVAL_S = 600;

/** Devices of a world have the same keys each time; guessing is not what is tested, so passwords cost nothing. */
const crypto: CryptoProvider = {
  ...nodeCrypto(),
  scrypt: async (password, salt, _cost, lengthBytes) => {
    const inner = nodeCrypto();
    return inner.hkdfExpand(inner.hkdfExtract(salt, password), new Uint8Array(0), lengthBytes);
  },
};

type Stores = Record<RoleName, MemoryStore>;

/** A command that the server has taken. */
export interface TakenCommand {
  readonly id: string;
  readonly type: string;
  cancelled: boolean;
}

/** One device, and what the administrator did to it: all that the reference model knows. */
export interface Subject {
  readonly device: SystemDevice;
  readonly username: string;
  readonly userGuid: string;
  readonly commands: TakenCommand[];
  /** Id of the device that the administrator removed; its client may never have learned that it had been active. */
  removedId: string | undefined;
}

let identities: RoleFiles | undefined;

/** A lab, its administrator, and devices, in virtual time. */
export class World {
  readonly clock: FakeClock = fakeClock(START_MS, { turns: 6 });
  readonly subjects: Subject[] = [];
  /** What must not happen at all. */
  readonly problems: string[] = [];
  minimumLength: number | undefined;
  lab!: Lab;
  readonly #seed: number;
  readonly #bug: Bug | undefined;
  #stores: Stores = { infrastructure: new MemoryStore(), uem: new MemoryStore(), notification: new MemoryStore() };
  #gate = new ProcessGate();
  #generation = 0;
  #down = false;

  private constructor(seed: number, bug: Bug | undefined) {
    this.#seed = seed;
    this.#bug = bug;
  }

  static async start(seed: number, bug?: Bug): Promise<World> {
    const world = new World(seed, bug);
    await world.#startLab();
    return world;
  }

  async apply(action: Action): Promise<void> {
    try {
      await this.#apply(action);
    } catch (error) {
      // What the state of things does not allow is refused, and nothing happens.
      if (!(error instanceof AdminProblem)) throw error;
    }
  }

  /** No more faults, and everybody alive. */
  heal(): void {
    this.lab.faults.clear();
    for (const { device } of this.subjects) {
      device.boot();
      device.retry();
    }
  }

  async close(): Promise<void> {
    for (const { device } of this.subjects) device.kill();
    this.#gate.kill();
    await this.lab.close();
  }

  async #startLab(): Promise<void> {
    this.#gate = new ProcessGate();
    this.#generation += 1;
    this.lab = await startLab({
      clock: this.#gate.clock(this.clock),
      crypto,
      entropy: seededEntropy(`lab ${this.#seed} ${this.#generation}`),
      stores: this.#stores,
      files: identities,
      cost: { N: 16_384, r: 8, p: 1 },
      profile: { pollIntervalS: this.#bug?.pollIntervalS ?? POLL_INTERVAL_S, pollJitterS: 60 },
    });
    identities ??= this.lab.files;
    this.#down = false;
  }

  /** SIGKILL of all roles: what is not in the stores is gone, connections break, answers that are on their way are lost. */
  async #killServer(): Promise<void> {
    this.#down = true;
    const old = this.lab;
    const { infrastructure, uem, notification } = this.#stores;
    this.#stores = { infrastructure: infrastructure.snapshot(), uem: uem.snapshot(), notification: notification.snapshot() };
    this.#gate.kill();
    await old.close();
    await this.#startLab();
  }

  #subject(number: number): Subject | undefined {
    return this.subjects[number % Math.max(1, this.subjects.length)];
  }

  async #apply(action: Action): Promise<void> {
    switch (action.type) {
      case 'enrol':
        return this.#enrol(action.secret);
      case 'command': {
        const subject = this.#subject(action.device);
        const deviceId = subject === undefined ? undefined : this.activeDevices(subject)[0];
        if (subject === undefined || deviceId === undefined) return;
        const { commandId } = await this.lab.admin.sendCommand(deviceId, { type: action.command });
        subject.commands.push({ id: commandId, type: action.command, cancelled: false });
        return;
      }
      case 'cancel': {
        const subject = this.#subject(action.device);
        const deviceId = subject === undefined ? undefined : this.activeDevices(subject)[0];
        const open = subject?.commands.find(({ cancelled }) => !cancelled);
        if (open === undefined || deviceId === undefined) return;
        await this.lab.admin.cancelCommand(deviceId, open.id);
        open.cancelled = true;
        return;
      }
      case 'remove': {
        const subject = this.#subject(action.device);
        const deviceId = subject === undefined ? undefined : this.activeDevices(subject)[0];
        if (subject === undefined || deviceId === undefined) return;
        await this.lab.admin.removeDevice(deviceId);
        subject.removedId = deviceId;
        return;
      }
      case 'policy': {
        const [policy] = this.lab.admin.policies();
        if (policy === undefined) throw new Error('there is no default policy');
        await this.lab.admin.updatePolicy(policy.policyId, { name: policy.name, rules: { password: { minimumLength: action.minimumLength } } });
        this.minimumLength = action.minimumLength;
        return;
      }
      case 'wakeUps':
        this.lab.faults.add({ kind: action.kind, service: 'wakeUp', count: action.count, ...(action.kind === 'delay' ? { delayMs: 45_000 } : {}) });
        return;
      case 'requests':
        this.#addFault(action);
        return;
      case 'kill':
        this.#subject(action.device)?.device.kill();
        return;
      case 'killAtCommit':
        this.#subject(action.device)?.device.killAtCommit(action.commits, action.point);
        return;
      case 'boot':
        this.#subject(action.device)?.device.boot();
        return;
      case 'restart':
        return this.lab.restart(action.role);
      case 'killServer':
        return this.#killServer();
      case 'jump':
        this.clock.jumpWallClock(action.byMs);
        return;
      case 'turns':
        return turns(action.count);
      case 'pass':
        return this.clock.advance(action.durationMs);
    }
  }

  /** Devices of the user that count. */
  activeDevices({ userGuid }: Subject): readonly string[] {
    return [...this.lab.admin.devicesOfUser(userGuid)].map(({ deviceId }) => deviceId);
  }

  /** The device as the server keeps it, from A7 on and after its end. */
  recordOf(deviceId: string): DeviceRecord | undefined {
    try {
      return this.lab.admin.device(deviceId);
    } catch (error) {
      if (error instanceof AdminProblem) return undefined;
      throw error;
    }
  }

  #addFault({ kind, service, count }: Action & { readonly type: 'requests' }): void {
    const rule = { service, count };
    if (kind === 'dropAnswer') this.lab.faults.add({ ...rule, kind: 'drop', at: 'answer' });
    else if (kind === 'delay') this.lab.faults.add({ ...rule, kind, delayMs: 20_000 });
    else if (kind === 'status') this.lab.faults.add({ ...rule, kind, status: 503 });
    else this.lab.faults.add({ ...rule, kind });
  }

  async #enrol(secret: 'qr' | 'password'): Promise<void> {
    const number = this.subjects.length;
    if (number >= MAX_DEVICES) return;
    const username = `user-${number}@whole.invalid`;
    const { guid } = await this.lab.admin.createUser({ username });
    const credentials: ActivationCredentials =
      secret === 'qr'
        ? { kind: 'qr', content: (await this.lab.admin.createQrCode(guid)).content }
        : {
            kind: 'password',
            userId: username,
            password: (await this.lab.admin.setActivationPassword(guid)).password,
            slot: 0,
            infrastructure: { address: this.lab.connection.infrastructure, trust: this.lab.trust },
          };
    const device = new SystemDevice({
      name: `device-${number}`,
      userGuid: guid,
      credentials,
      hasPassword: number % 2 === 0,
      clock: this.clock,
      crypto,
      entropy: seededEntropy(`device ${this.#seed} ${number}`),
      line: { generation: () => (this.#down ? undefined : this.#generation), transport: (source) => this.lab.transport(source) },
      bug: this.#bug,
      problem: (text) => this.problems.push(text),
    });
    this.subjects.push({ device, username, userGuid: guid, commands: [], removedId: undefined });
  }
}

/** Turns of the event loop: what is under way gets so far and no farther. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
