import { AdminProblem, type DeviceRecord, type Lab, MemoryStore, type RoleFiles, type RoleName, startLab } from '@uemkit/lab-server';
import type { CryptoProvider } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import type { ActivationCredentials } from '@uemkit/uem-client';
import type { Action } from './action.ts';
import type { Bug } from './bug.ts';
import { type Assignee, Configuration, type Group } from './configuration.ts';
import { type CommandName, GIVEN_COMMANDS, type GivenCommand, hasWorkSpace, KINDS, type Kind } from './kinds.ts';
import { ProcessGate } from './process-gate.ts';
import { SystemDevice } from './system-device.ts';

const START_MS = Date.UTC(2026, 0, 15);
const MAX_DEVICES = 4;
/** Bounds a hang. */
const MOST_LOOKS = 2_000;
/** Of the mailer: no mail waits longer for its next attempt. */
const LONGEST_MAIL_PAUSE_MS = 900_000;
const DEFAULT_POLICY_ID = 'default';
/** Certificates are good for a year. */
const AGE_MS = 340 * 86_400_000;
export const POLL_INTERVAL_S = 600;

/** Devices of a world have the same keys each time; guessing is not what is tested, so passwords cost nothing. */
const crypto: CryptoProvider = {
  ...nodeCrypto(),
  scrypt: async (password, salt, _cost, lengthBytes) => {
    const inner = nodeCrypto();
    return inner.hkdfExpand(inner.hkdfExtract(salt, password), new Uint8Array(0), lengthBytes);
  },
};

type Stores = Record<Exclude<RoleName, 'connectivity-node'>, MemoryStore>;

/** A command that the server has taken. */
export interface TakenCommand {
  readonly id: string;
  readonly name: CommandName;
  cancelled: boolean;
}

/** One device, and what the administrator did to it: all that the reference model knows. */
export interface Subject extends Assignee {
  readonly device: SystemDevice;
  readonly kind: Kind;
  readonly supervised: boolean;
  readonly username: string;
  readonly commands: TakenCommand[];
  userIsDeleted: boolean;
  /** Its certificate was near its end once, while it was managed. */
  hasAged: boolean;
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
  readonly configuration: Configuration = new Configuration();
  /** Ids of the mails that the server has taken, with the address. */
  readonly mails = new Map<string, string>();
  /** Of these, what months may have made useless before a host took it. */
  readonly agedMails = new Set<string>();
  #hasAged = false;
  lab!: Lab;
  readonly #seed: number;
  readonly #bug: Bug | undefined;
  #stores: Stores = { infrastructure: new MemoryStore(), uem: new MemoryStore(), notification: new MemoryStore(), noc: new MemoryStore() };
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

  /**
   * Making a picture takes real time, of which virtual time knows nothing: waits until no mail is due any more. Due is also what would wait longer than the longest
   * pause, because the clock was set back.
   */
  async mailed(): Promise<void> {
    const isDue = (): boolean =>
      [...this.lab.admin.mails()].some(({ status, nextAttemptMs }) => {
        const pauseMs = nextAttemptMs - this.clock.nowMs();
        return status === 'waiting' && (pauseMs <= 0 || pauseMs > LONGEST_MAIL_PAUSE_MS);
      });
    for (let look = 0; look < MOST_LOOKS && isDue(); look++) await new Promise((resolve) => setTimeout(resolve, 5));
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
    const { infrastructure, uem, notification, noc } = this.#stores;
    this.#stores = {
      infrastructure: infrastructure.snapshot(),
      uem: uem.snapshot(),
      notification: notification.snapshot(),
      noc: noc.snapshot(),
    };
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
        return this.#enrol(action);
      case 'command':
        return this.#onDevice(action.device, (subject, deviceId) => this.#send(subject, deviceId, action.command));
      case 'deactivate':
        this.#subject(action.device)?.device.deactivate();
        return;
      case 'deleteUser':
        return this.#deleteUser(this.#subject(action.device));
      case 'assign': {
        const subject = this.#subject(action.device);
        if (subject === undefined || subject.userIsDeleted) return;
        return this.configuration.toggle(this.lab, subject, action.to, action.object);
      }
      case 'join': {
        const subject = this.#subject(action.device);
        const deviceId = subject === undefined ? undefined : this.activeDevices(subject)[0];
        if (subject === undefined || subject.userIsDeleted || (action.group === 'deviceGroup' && deviceId === undefined)) return;
        return this.configuration.join(this.lab, subject, action.group, deviceId ?? '');
      }
      case 'edit':
        return this.configuration.edit(this.lab);
      case 'age':
        return this.#age();
      case 'cancel': {
        const subject = this.#subject(action.device);
        const deviceId = subject === undefined ? undefined : this.activeDevices(subject)[0];
        const open = subject?.commands.find(({ cancelled }) => !cancelled);
        if (open === undefined || deviceId === undefined) return;
        await this.lab.admin.cancelCommand(deviceId, open.id);
        open.cancelled = true;
        return;
      }
      case 'remove':
        return this.#onDevice(action.device, async (subject, deviceId) => {
          await this.lab.admin.removeDevice(deviceId);
          subject.removedId = deviceId;
        });
      case 'policy': {
        const policy = this.lab.admin.policy(DEFAULT_POLICY_ID);
        await this.lab.admin.updatePolicy(policy.policyId, { name: policy.name, rules: { password: { minimumLength: action.minimumLength } } });
        this.configuration.minimumLength = action.minimumLength;
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

  /** For a device that counts at the server. */
  async #onDevice(number: number, work: (subject: Subject, deviceId: string) => Promise<void>): Promise<void> {
    const subject = this.#subject(number);
    const deviceId = subject === undefined ? undefined : this.activeDevices(subject)[0];
    if (subject !== undefined && deviceId !== undefined) await work(subject, deviceId);
  }

  async #send(subject: Subject, deviceId: string, name: CommandName): Promise<void> {
    const { applies, ...command }: GivenCommand = GIVEN_COMMANDS[name];
    const about = `${name} for ${subject.kind.system}, ${subject.kind.activationType}`;
    const mustTake = applies(subject.kind);
    try {
      const { commandId, mailId } = await this.lab.admin.sendCommand(deviceId, command);
      subject.commands.push({ id: commandId, name, cancelled: false });
      if (mailId !== undefined) this.mails.set(mailId, subject.username);
      if (!mustTake) this.problems.push(`${about}: was taken`);
      if ((mailId !== undefined) !== (name === 'generatePassword')) this.problems.push(`${about}: mail ${mailId}`);
    } catch (error) {
      if (!(error instanceof AdminProblem)) throw error;
      // The device may have left a moment ago.
      if (error.id === 'COMMAND_NOT_APPLICABLE' ? mustTake : !['QUEUE_FULL', 'DEVICE_NOT_ACTIVE', 'DEVICE_NOT_FOUND'].includes(error.id))
        this.problems.push(`${about}: ${error.id}`);
      throw error;
    }
  }

  /** A user goes only when no device of the user counts any more. */
  async #deleteUser(subject: Subject | undefined): Promise<void> {
    if (subject === undefined || subject.userIsDeleted || !subject.device.wasActive) return;
    const hasDevice = this.activeDevices(subject).length > 0;
    try {
      await this.lab.admin.deleteUser(subject.userGuid);
      subject.userIsDeleted = true;
      if (hasDevice) this.problems.push(`${subject.username}: was deleted with a device`);
    } catch (error) {
      if (!(error instanceof AdminProblem)) throw error;
      if (!hasDevice) this.problems.push(`${subject.username}: ${error.id}`);
    }
  }

  /** Months pass at once: certificates come near their end. Once, as a second time they would be past it; and not while secrets are still needed. */
  async #age(): Promise<void> {
    const settled = this.subjects.every((subject) => subject.removedId !== undefined || subject.userIsDeleted || subject.device.wasActive);
    if (this.#hasAged || !settled) return;
    this.#hasAged = true;
    for (const id of this.mails.keys()) this.agedMails.add(id);
    for (const subject of this.subjects) subject.hasAged = this.activeDevices(subject).length > 0;
    this.clock.jumpWallClock(AGE_MS);
  }

  async #enrol({ secret, kind: number_, supervised: isSupervised }: Action & { readonly type: 'enrol' }): Promise<void> {
    const number = this.subjects.length;
    if (number >= MAX_DEVICES) return;
    const kind = KINDS[number_] as Kind;
    const supervised = isSupervised && kind.system === 'ios';
    const username = `user-${number}@whole.invalid`;
    const profileId = await this.#profileFor(kind);
    const { guid } = await this.lab.admin.createUser({ username, email: username, profileId });
    const credentials: ActivationCredentials =
      secret === 'qr'
        ? { kind: 'qr', content: (await this.lab.admin.createQrCode(guid)).content }
        : secret === 'mail'
          ? { kind: 'qr', content: await this.#mailQrCode(guid, username) }
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
      kind,
      supervised,
      hasPassword: number % 2 === 0,
      clock: this.clock,
      crypto,
      entropy: seededEntropy(`device ${this.#seed} ${number}`),
      line: { generation: () => (this.#down ? undefined : this.#generation), transport: (source) => this.lab.transport(source) },
      bug: this.#bug,
      problem: (text) => this.problems.push(text),
    });
    const nothingYet = { commands: [], removedId: undefined, userIsDeleted: false, hasAged: false, memberOf: new Set<Group>(), assigned: new Set<number>() };
    this.subjects.push({ device, kind, supervised, username, userGuid: guid, ...nothingYet });
  }

  /** The content of the picture in an activation mail. That the mail arrives is looked at in the end. */
  async #mailQrCode(guid: string, username: string): Promise<string> {
    const { mail, qrCode } = await this.lab.admin.sendActivationMail(guid, { qrCode: {} });
    this.mails.set(mail.mailId, username);
    if (qrCode === undefined) throw new Error('no QR code was made');
    return qrCode.content;
  }

  async #profileFor(kind: Kind): Promise<string> {
    const { activationType } = kind;
    const pollIntervalS = this.#bug?.pollIntervalS ?? POLL_INTERVAL_S;
    const schedule = { pollIntervalS, pollJitterS: 60, allowedDevices: 1 };
    await this.lab.admin.putProfile({
      profileId: activationType,
      name: activationType,
      activationType,
      createWorkSpace: hasWorkSpace(kind),
      encryptDevice: false,
      ...schedule,
    });
    return activationType;
  }
}

/** Turns of the event loop: what is under way gets so far and no farther. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
