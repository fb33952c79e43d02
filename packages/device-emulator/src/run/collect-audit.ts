import type { AdminApi, ServerDevice } from '../admin/admin-api.ts';
import { ConfigurationApi, type EffectiveConfiguration, type ServerPolicy, type ServerProfile } from '../admin/configuration-api.ts';
import type { AuditedDevice } from '../audit/audit.ts';
import type { AuditedConfiguration } from '../audit/check-configuration.ts';
import type { PlannedCommand } from '../audit/check-expectations.ts';
import { forEachBounded } from '../concurrency/for-each-bounded.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { ConfigurationTargets } from '../plan/configuration-targets.ts';
import { type Plan, userPrefix } from '../plan/plan.ts';
import type { SeededDraw } from '../plan/seeded-draw.ts';
import type { Expectation } from '../scenario/scenario.ts';
import { Compliance } from './collect-compliance.ts';
import type { RunState } from './run-state.ts';

const WIDTH = 8;
/** States of a device that the server counts. */
const LIVE: readonly string[] = ['ACTIVE', 'PENDING', ''];

export interface CollectOptions {
  readonly plan: Plan;
  readonly fleet: Fleet;
  readonly state: RunState;
  readonly api: AdminApi;
  readonly draw: SeededDraw;
  /** Why UEM refused to activate devices, by index. */
  readonly refusals: ReadonlyMap<number, string>;
}

/** Asks the server and the devices for everything that the audit compares. */
export async function collectAudit({ plan, fleet, state, api, draw, refusals }: CollectOptions): Promise<readonly AuditedDevice[]> {
  const byUser = new Map<string, ServerDevice[]>();
  for (const device of await api.devices(userPrefix(plan.fleetId))) {
    if (!LIVE.includes(device.state)) continue;
    byUser.set(device.username, [...(byUser.get(device.username) ?? []), device]);
  }
  const expectations = new PlannedExpectations(plan);
  const configurations = new Configurations(plan, new ConfigurationApi(api));
  const compliance = new Compliance(plan, api, draw);
  const found: AuditedDevice[] = [];
  await forEachBounded(plan.devices, WIDTH, async (planned) => {
    const { index, userId, refusedFor } = planned;
    const device = fleet.device(index);
    const activatedAs = state.deviceId(index);
    const userGuid = state.userGuid(index);
    const atServer = activatedAs === undefined || userGuid === undefined ? undefined : { deviceId: activatedAs, userGuid };
    // Asked for before the commands: a status that comes in between is one of them, and open.
    const ofCompliance = atServer === undefined || device.state !== 'active' ? undefined : await compliance.of(planned, atServer, device.emulated.compliance);
    const serverCommands = atServer === undefined ? [] : await api.commands(atServer);
    const managed = device.state === 'active';
    found.push({
      index,
      activatedAs,
      refusal: refusals.get(index),
      refusedFor,
      serverIds: (byUser.get(userId.toLowerCase()) ?? []).map(({ deviceId }) => deviceId),
      managed,
      sent: state.commandsOf(index).map((command): PlannedCommand => ({ ...command, expected: expectations.of(index, command) })),
      serverCommands,
      executions: device.executions(),
      lostPushes: device.lostPushes,
      configuration: atServer === undefined || !managed ? undefined : await configurations.of(index, atServer, device.emulated),
      compliance: ofCompliance,
    });
  });
  return found.sort((a, b) => a.index - b.index);
}

/** What the plan expects of each command, by device and place in the timeline. */
class PlannedExpectations {
  readonly #steps: ReadonlyMap<number, ReadonlyMap<number, readonly Expectation[]>>;

  constructor({ steps }: Plan) {
    this.#steps = new Map(
      steps.map(({ place, devices, expected }) => [place, new Map(expected.map((list, position) => [devices[position] as number, list]))] as const),
    );
  }

  of(index: number, { place, entry }: { readonly place: number; readonly entry: number }): Expectation | undefined {
    return this.#steps.get(place)?.get(index)?.[entry];
  }
}

/** Asks for configurations; what a policy or profile says is asked once. */
class Configurations {
  readonly #api: ConfigurationApi;
  readonly #fleetId: string;
  readonly #targets: ConfigurationTargets;
  readonly #isPlanned: boolean;
  // BOUNDED by the policies and profiles of the server.
  readonly #policies: Map<string, Promise<ServerPolicy>> = new Map();
  readonly #profiles: Map<string, Promise<ServerProfile>> = new Map();

  constructor({ steps, fleetId }: Plan, api: ConfigurationApi) {
    this.#api = api;
    this.#fleetId = fleetId;
    this.#targets = new ConfigurationTargets(steps);
    for (const step of steps) this.#targets.begin(step);
    this.#isPlanned = steps.some(({ step }) => step.kind === 'configure');
  }

  /** Undefined where neither the plan nor the device has any: nothing is asked for then. */
  async of(
    index: number,
    device: Pick<ServerDevice, 'deviceId' | 'userGuid'>,
    { policy: own, profiles: ownProfiles, applications }: AuditedConfiguration['held'],
  ): Promise<AuditedConfiguration | undefined> {
    if (!this.#isPlanned && [own, ownProfiles, applications].every(({ revision }) => revision === 0)) return undefined;
    const effective: EffectiveConfiguration = await this.#api.effective(device);
    return {
      fleetId: this.#fleetId,
      planned: this.#targets.ofDevice(index),
      effective,
      policy: effective.policy === undefined ? undefined : await once(this.#policies, effective.policy.guid, (guid) => this.#api.policy(guid)),
      profiles: await Promise.all(effective.profiles.map(({ guid }) => once(this.#profiles, guid, (wanted) => this.#api.profile(wanted)))),
      held: { policy: own, profiles: ownProfiles, applications },
    };
  }
}

function once<T>(known: Map<string, Promise<T>>, guid: string, ask: (guid: string) => Promise<T>): Promise<T> {
  const found = known.get(guid) ?? ask(guid);
  known.set(guid, found);
  return found;
}
