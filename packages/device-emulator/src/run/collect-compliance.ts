import type { AdminApi, ServerDevice } from '../admin/admin-api.ts';
import type { AuditedCompliance } from '../audit/check-compliance.ts';
import { brokenRules, DECIDED_RULES, type DecidedRule, plannedCompliance } from '../plan/activation-refusals.ts';
import { ConfigurationTargets } from '../plan/configuration-targets.ts';
import { inspected, type Plan } from '../plan/plan.ts';
import type { PlannedDevice } from '../plan/planned-device.ts';
import type { SeededDraw } from '../plan/seeded-draw.ts';

/** Asks for the compliance of devices, and works out what the plan says of it. */
export class Compliance {
  readonly #api: AdminApi;
  readonly #draw: SeededDraw;
  readonly #targets: ConfigurationTargets;
  readonly #decided: readonly DecidedRule[];

  constructor({ steps }: Plan, api: AdminApi, draw: SeededDraw) {
    this.#api = api;
    this.#draw = draw;
    this.#targets = new ConfigurationTargets(steps);
    for (const step of steps) this.#targets.begin(step);
    // Which version a device has after an update is for the device to say.
    const updates = steps.some(({ step }) => step.kind === 'send' && step.send.some(({ command }) => command === 'UPDATE_DEVICE_OS'));
    this.#decided = DECIDED_RULES.filter((rule) => rule !== 'osVersion' || !updates);
  }

  /** Undefined where neither the plan nor the device has any: nothing is asked for then. */
  async of(
    device: PlannedDevice,
    atServer: Pick<ServerDevice, 'deviceId' | 'userGuid'>,
    held: AuditedCompliance['held'],
  ): Promise<AuditedCompliance | undefined> {
    const content = plannedCompliance(this.#targets.ofDevice(device.index));
    if (content === undefined && held === undefined) return undefined;
    const planned = content === undefined ? undefined : { content, decided: this.#decided, broken: brokenRules(content, inspected(device, this.#draw)) };
    return { planned, server: await this.#api.brokenRules(atServer), held };
  }
}
