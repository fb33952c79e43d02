import { ProtocolError, utf8 } from '@uemkit/protocol';
import * as v from 'valibot';
import type { SessionCount } from '../apps/app-traffic.ts';
import type { FleetStore } from '../fleet/fleet-store.ts';

const FORMAT = 1;
const PREFIX = 'run/';

/** What a run was started with; enough to plan it again. */
export interface RunHeader {
  readonly format: 1;
  readonly scenarioFile: string;
  readonly scenarioSource: string;
  readonly seed: number;
  readonly size?: number | undefined;
  /** Connection file of the server; absent: the run has a lab server of its own in the state folder. */
  readonly target?: string | undefined;
  /** Base URL of the HTTP server that apps ask, in place of the scenario's. */
  readonly appServer?: string | undefined;
  /** How often the run was started, this time included. */
  readonly starts: number;
  readonly finished: boolean;
}

const header: v.GenericSchema<unknown, RunHeader> = v.strictObject({
  format: v.literal(FORMAT),
  scenarioFile: v.string(),
  scenarioSource: v.string(),
  seed: v.number(),
  size: v.optional(v.number()),
  target: v.optional(v.string()),
  appServer: v.optional(v.string()),
  starts: v.number(),
  finished: v.boolean(),
});

/** A command that the run has sent, or was refused by the server because the device is not managed any more. */
export interface SentCommand {
  readonly index: number;
  readonly place: number;
  readonly entry: number;
  readonly type: string;
  /** Absent: refused. */
  readonly commandId?: string | undefined;
  /** Error id with which UEM refused the command itself; absent for one that had no device to go to any more. */
  readonly refusal?: string | undefined;
}

const sentCommand = v.strictObject({ type: v.string(), commandId: v.optional(v.string()), refusal: v.optional(v.string()) });
const device = v.strictObject({ deviceId: v.string() });
const user = v.strictObject({ guid: v.string() });
const sessionCount: v.GenericSchema<unknown, SessionCount> = v.strictObject({
  sessions: v.number(),
  done: v.number(),
  failed: v.number(),
  withheld: v.optional(v.number(), 0),
});
const appCommand = v.strictObject({
  type: v.string(),
  state: v.picklist(['begun', 'sent', 'done', 'refused']),
  lockBefore: v.optional(v.string()),
  lock: v.optional(v.string()),
  refusal: v.optional(v.string()),
  unconfirmed: v.optional(v.boolean()),
});
const appInstance = v.strictObject({ instanceId: v.string() });
const site = v.strictObject({ url: v.string() });
const faultId = v.strictObject({ id: v.string() });
const stepState: v.GenericSchema<unknown, StepState> = v.picklist(['begun', 'done']);

/** A command to an app, as far as it has come. */
export interface SentAppCommand {
  readonly device: number;
  readonly app: string;
  readonly place: number;
  readonly entry: number;
  readonly type: string;
  /** `begun`: UEM may have it without our knowing. `done`: its app has carried it out. */
  readonly state: 'begun' | 'sent' | 'done' | 'refused';
  /** Of a lock: id of the last lock before it; another one at UEM says that it was taken. */
  readonly lockBefore?: string | undefined;
  /** Of a lock that was taken: its id. */
  readonly lock?: string | undefined;
  /** Why UEM did not take it. */
  readonly refusal?: string | undefined;
  /** The app is wiped, and whether UEM has heard that is not known: with its keys it has lost the way to tell it once more. */
  readonly unconfirmed?: boolean | undefined;
}

/** How far a step of the timeline is. `begun`: some of its commands may be at the server without our knowing. */
export type StepState = 'begun' | 'done';

/** What the run itself remembers, beside the devices: who was added, what was sent. Every method that writes resolves when the write survives a crash. */
export class RunState {
  readonly #store: FleetStore;

  constructor(store: FleetStore) {
    this.#store = store;
  }

  /** Undefined in a new folder. @throws ProtocolError `ERR_STORE_READ` */
  header(): RunHeader | undefined {
    return this.#get('header', header);
  }

  putHeader(value: RunHeader): Promise<void> {
    return this.#put('header', value);
  }

  userGuid(index: number): string | undefined {
    return this.#get(`user/${index}`, user)?.guid;
  }

  putUserGuid(index: number, guid: string): Promise<void> {
    return this.#put(`user/${index}`, { guid });
  }

  /** Device id of a device that was activated. */
  deviceId(index: number): string | undefined {
    return this.#get(`device/${index}`, device)?.deviceId;
  }

  putDeviceId(index: number, deviceId: string): Promise<void> {
    return this.#put(`device/${index}`, { deviceId });
  }

  step(place: number): StepState | undefined {
    return this.#get(`step/${place}`, stepState);
  }

  putStep(place: number, state: StepState): Promise<void> {
    return this.#put(`step/${place}`, state);
  }

  fault(place: number): string | undefined {
    return this.#get(`fault/${place}`, faultId)?.id;
  }

  putFault(place: number, id: string): Promise<void> {
    return this.#put(`fault/${place}`, { id });
  }

  command(index: number, place: number, entry: number): SentCommand | undefined {
    const found = this.#get(`command/${index}/${place}/${entry}`, sentCommand);
    return found === undefined ? undefined : { index, place, entry, ...found };
  }

  putCommand({ index, place, entry, type, commandId, refusal }: SentCommand): Promise<void> {
    return this.#put(`command/${index}/${place}/${entry}`, { type, commandId, refusal });
  }

  /** How far the sessions of an app are; undefined: none is over. */
  sessions(device: number, app: string): SessionCount | undefined {
    return this.#get(`sessions/${device}/${app}`, sessionCount);
  }

  putSessions(device: number, app: string, count: SessionCount): Promise<void> {
    return this.#put(`sessions/${device}/${app}`, count);
  }

  /** Instance id of an app that was activated. */
  appInstance(device: number, app: string): string | undefined {
    return this.#get(`app/${device}/${app}`, appInstance)?.instanceId;
  }

  putAppInstance(device: number, app: string, instanceId: string): Promise<void> {
    return this.#put(`app/${device}/${app}`, { instanceId });
  }

  appCommand(device: number, app: string, place: number, entry: number): SentAppCommand | undefined {
    const found = this.#get(`app-command/${device}/${app}/${place}/${entry}`, appCommand);
    return found === undefined ? undefined : { device, app, place, entry, ...found };
  }

  putAppCommand({ device, app, place, entry, ...value }: SentAppCommand): Promise<void> {
    return this.#put(`app-command/${device}/${app}/${place}/${entry}`, value);
  }

  /** All commands of one app. */
  appCommandsOf(device: number, app: string): readonly SentAppCommand[] {
    return this.#store.entries(`${PREFIX}app-command/${device}/${app}/`).map(({ key, value }) => {
      const [place, entry] = key.split('/').map(Number) as [number, number];
      return { device, app, place, entry, ...decode(value, appCommand) };
    });
  }

  /** Server of its own that the run has its apps ask; undefined: it never had one. */
  site(): string | undefined {
    return this.#get('site', site)?.url;
  }

  putSite(url: string): Promise<void> {
    return this.#put('site', { url });
  }

  /** All commands of one device. */
  commandsOf(index: number): readonly SentCommand[] {
    return this.#store.entries(`${PREFIX}command/${index}/`).map(({ key, value }) => {
      const [place, entry] = key.split('/').map(Number) as [number, number];
      return { index, place, entry, ...decode(value, sentCommand) };
    });
  }

  #get<T>(key: string, schema: v.GenericSchema<unknown, T>): T | undefined {
    const value = this.#store.get(PREFIX + key);
    return value === undefined ? undefined : decode(value, schema);
  }

  #put(key: string, value: unknown): Promise<void> {
    return this.#store.commit(PREFIX, [{ key, value: utf8(JSON.stringify(value)) }]);
  }
}

function decode<T>(value: Uint8Array, schema: v.GenericSchema<unknown, T>): T {
  try {
    return v.parse(schema, JSON.parse(new TextDecoder().decode(value)));
  } catch (cause) {
    throw new ProtocolError('ERR_STORE_READ', 'the state of the run is damaged or of another version', { cause });
  }
}
