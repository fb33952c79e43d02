import { toHex } from '@uemkit/protocol';
import { seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { createApplicationAdministration } from '../../src/admin/application-administration.ts';
import { createAssignmentAdministration } from '../../src/admin/assignment-administration.ts';
import type { ConfigurationOptions } from '../../src/admin/configuration-options.ts';
import { createConfigurationProfileAdministration } from '../../src/admin/configuration-profile-administration.ts';
import { createDeviceGroupAdministration } from '../../src/admin/device-group-administration.ts';
import { createPolicyAdministration } from '../../src/admin/policy-administration.ts';
import { createUserGroupAdministration } from '../../src/admin/user-group-administration.ts';
import { putDefaultConfiguration } from '../../src/configuration/default-configuration.ts';
import { createFanOut, type FanOut } from '../../src/configuration/fan-out.ts';
import { listCommands } from '../../src/state/command-queue.ts';
import type { CommandRecord } from '../../src/state/commands.ts';
import { DOCUMENT_NAMES, type DocumentName } from '../../src/state/deliveries.ts';
import { type DeviceRecord, putDevice } from '../../src/state/devices.ts';
import { createUser } from '../../src/state/users.ts';
import type { LabStore } from '../../src/store/lab-store.ts';
import { activeDevice } from './active-device.ts';
import { TestDevice } from './test-device.ts';
import { crypto, frameIn, NOW_MS, UemBench } from './uem-bench.ts';

/** What the administrator of this bench can do; the store behind it changes with a restart. */
function administrationOn(options: ConfigurationOptions) {
  return {
    ...createUserGroupAdministration(options),
    ...createDeviceGroupAdministration(options),
    ...createPolicyAdministration(options),
    ...createConfigurationProfileAdministration(options),
    ...createApplicationAdministration(options),
    ...createAssignmentAdministration(options),
  };
}

/** UEM with policies, profiles and applications, and the fan-out that works out what devices get. */
export class ConfigurationBench {
  readonly uem: UemBench;
  readonly woken: string[] = [];
  readonly failures: unknown[] = [];
  admin: ReturnType<typeof administrationOn>;
  fanOut: FanOut;
  private readonly entropy = seededEntropy('configuration bench');

  private constructor(uem: UemBench) {
    this.uem = uem;
    this.fanOut = this.startFanOut();
    this.admin = this.startAdministration();
  }

  static async start(): Promise<ConfigurationBench> {
    const uem = await UemBench.start({ allowedDevices: 1_000 });
    await uem.store.transaction((tx) => putDefaultConfiguration(tx, NOW_MS));
    return new ConfigurationBench(uem);
  }

  /** As after `kill -9`: everything that was not committed is gone, and so is every timer. */
  restart(): void {
    this.fanOut.close();
    this.uem.restart();
    this.fanOut = this.startFanOut();
    this.admin = this.startAdministration();
    this.fanOut.start();
  }

  private startFanOut(): FanOut {
    const { clock, store } = this.uem;
    const wake = (deviceId: string): void => void this.woken.push(deviceId);
    return createFanOut({ clock, entropy: this.entropy, store, wake, failed: (error) => this.failures.push(error) });
  }

  private startAdministration(): ReturnType<typeof administrationOn> {
    const { clock, store } = this.uem;
    return administrationOn({ clock, crypto, entropy: this.entropy, store, reconfigure: () => this.fanOut.start(), serversChanged: () => {} });
  }

  get store(): LabStore {
    return this.uem.store;
  }

  /** Runs the fan-out to its end. */
  async settle(): Promise<void> {
    if (this.fanOut.isBusy) await this.uem.clock.advanceUntil(() => !this.fanOut.isBusy, 60_000);
  }

  /** Users with one active device each, without an activation; ids in their order. */
  async addFleet(count: number, more: (index: number) => Partial<DeviceRecord> = () => ({})): Promise<readonly string[]> {
    const ids = Array.from({ length: count }, (_, index) => `device-${String(index).padStart(5, '0')}`);
    for (let from = 0; from < count; from += 500) {
      await this.store.transaction((tx) => {
        for (const [offset, deviceId] of ids.slice(from, from + 500).entries()) {
          const guid = `user-${String(from + offset).padStart(5, '0')}`;
          createUser(tx, { guid, userId: guid, username: guid, displayName: guid, createdAtMs: NOW_MS });
          const info = { platform: 'ios', osVersion: '18.1', model: 'Handset', clientVersion: '1' };
          putDevice(tx, activeDevice({ deviceId, userGuid: guid, userId: guid, info }, NOW_MS, more(from + offset)));
        }
      });
    }
    return ids;
  }

  /** A device of the protocol's own machines, activated, that keeps documents as section 6 says. */
  async addDevice(name = 'device'): Promise<DocumentDevice> {
    const userId = `${name}@example.com`;
    await this.uem.addUser(userId);
    const device = new DocumentDevice(this.uem, name);
    await device.activate(await this.uem.addQr({ userId }));
    return device;
  }

  commands(deviceId: string): readonly CommandRecord[] {
    return this.store.read((view) => listCommands(view, deviceId, { limit: 1_000 }));
  }

  /** Types of the commands that wait for a device. */
  waiting(deviceId: string): readonly string[] {
    return this.commands(deviceId).flatMap(({ state, type }) => (state === 'queued' ? [type] : []));
  }
}

interface HeldDocument {
  revision: number;
  parts: Record<string, wire.WireDocumentValue>;
}

const COMMANDS: Readonly<Record<string, DocumentName>> = { UPDATE_IT_POLICY: 'policy', UPDATE_PROFILES: 'profiles', UPDATE_APPLICATIONS: 'applications' };

/** Keeps the three documents, in the plainest way there is. */
export class DocumentDevice extends TestDevice {
  readonly documents = Object.fromEntries(DOCUMENT_NAMES.map((name) => [name, { revision: 0, parts: {} }])) as Record<DocumentName, HeldDocument>;
  /** Updates as they came. */
  readonly updates: { readonly type: string; readonly properties: wire.WireDocument }[] = [];
  /** Answers to other commands, by type. */
  readonly answers = new Map<string, Partial<wire.CommandResult>>();

  /** Polls and carries everything out until UEM says idle; gives the types in their order. */
  async work(): Promise<readonly string[]> {
    const types: string[] = [];
    for (let answer = await this.poll(); ; ) {
      const frame = frameIn(answer);
      if (frame.name === 'idle') return types;
      const command = wire.command.decode(frame);
      types.push(command.type);
      if (types.length > 50) throw new Error(`no end: ${types.join(', ')}`);
      answer = await this.result(command.commandId, this.carryOut(command));
    }
  }

  carryOut({ type, properties, commandId }: wire.Command): Partial<wire.CommandResult> {
    const name = COMMANDS[type];
    if (name === undefined) return this.answers.get(type) ?? {};
    this.updates.push({ type, properties });
    const {
      revision,
      baseRevision,
      set,
      remove = [],
    } = properties as unknown as {
      readonly revision: number;
      readonly baseRevision?: number;
      readonly set: HeldDocument['parts'];
      readonly remove?: readonly string[];
    };
    const held = this.documents[name];
    if (baseRevision !== undefined && baseRevision !== held.revision)
      return { status: 'failed', message: `base ${baseRevision} of ${toHex(commandId)}`, data: { revision: held.revision } };
    const kept = baseRevision === undefined ? {} : held.parts;
    const parts = { ...kept, ...set };
    for (const gone of remove) delete parts[gone];
    this.documents[name] = { revision, parts };
    return { data: { revision } };
  }
}
