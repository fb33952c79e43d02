import { type CryptoProvider, toHex, utf8 } from '@uemkit/protocol';
import { factoryState } from '../operating-systems/factory-state.ts';
import { activationTypeOf } from '../operating-systems/system-definition.ts';
import { SYSTEMS } from '../operating-systems/systems.ts';
import type { Population, Scenario, Selection, TimelineStep } from '../scenario/scenario.ts';
import { brokenRules, type InspectedDevice, plannedCompliance } from './activation-refusals.ts';
import { apportion, interleave } from './apportion.ts';
import { CommandedApps } from './commanded-apps.ts';
import { ConfigurationTargets } from './configuration-targets.ts';
import { Expectations } from './expectations.ts';
import { type PlannedApp, planApps } from './planned-apps.ts';
import type { PlannedDevice } from './planned-device.ts';
import type { PlannedStep } from './planned-step.ts';
import { SeededDraw } from './seeded-draw.ts';

/** A run before it begins: a function of scenario, seed and size alone. */
export interface Plan {
  readonly scenario: Scenario;
  readonly seed: number;
  /** Names the fleet; part of all identities that are made from the seed. */
  readonly fleetId: string;
  readonly devices: readonly PlannedDevice[];
  readonly steps: readonly PlannedStep[];
  readonly apps: readonly PlannedApp[];
  /** Hash of the plan: equal plans have equal hashes. */
  readonly digest: string;
}

export interface PlanOptions {
  readonly seed?: number | undefined;
  /** Other number of devices than the scenario has, in the same mix. */
  readonly size?: number | undefined;
}

/** Beginning of the names of all users of a fleet, and of no other. */
export function userPrefix(fleetId: string): string {
  return `${fleetId}.`;
}

type PlanCrypto = Pick<CryptoProvider, 'hmacSha256' | 'sha256'>;

/** Width of the index in names, so that they sort. */
const INDEX_DIGITS = 5;

/** Plans a run. */
export function makePlan(scenario: Scenario, crypto: PlanCrypto, options: PlanOptions = {}): Plan {
  const { seed = scenario.seed } = options;
  const fleetId = `${scenario.name}-${seed}`;
  const draw = new SeededDraw(crypto, fleetId);
  const drawn = planDevices(scenario, fleetId, draw, options.size);
  const timeline = scenario.timeline.map((step, place) => ({ step, place })).sort((a, b) => a.step.atMs - b.step.atMs || a.place - b.place);
  const devices = withRefusals(
    drawn,
    timeline.flatMap(({ step, place }) => (isBefore(step) ? [{ place, step, devices: chosenBy(step, drawn, draw), expected: [] }] : [])),
    draw,
  );
  const apps = planApps(scenario, devices, draw, crypto, (to, among) => select(to, among, draw));
  const commanded = new CommandedApps(apps);
  const expectations = new Expectations(devices);
  const steps = timeline.map(({ step, place }): PlannedStep => {
    if (step.kind === 'sendToApps') return { place, step, expected: [], ...commanded.ofStep(step, devices, (to, among) => select(to, among, draw)) };
    // A device that UEM refuses is sent nothing; before the activation nobody has been refused.
    const chosen = chosenBy(step, devices, draw).filter((index) => isBefore(step) || devices[index]?.refusedFor === undefined);
    return { place, step, devices: chosen, expected: step.kind === 'send' ? expectations.ofStep(step.send, chosen) : [] };
  });
  const hashed = apps.length === 0 ? { fleetId, devices, steps } : { fleetId, devices, steps, apps };
  const digest = toHex(crypto.sha256(utf8(JSON.stringify(hashed)))).slice(0, 16);
  return { scenario, seed, fleetId, devices, steps, apps, digest };
}

function planDevices(scenario: Scenario, fleetId: string, draw: SeededDraw, size: number | undefined): readonly PlannedDevice[] {
  const { populations, activation } = scenario;
  const weights = populations.map(({ count, share = 0 }) => count ?? share);
  const counted = populations.reduce((sum, { count = 0 }) => sum + count, 0);
  const counts = apportion(size ?? scenario.size ?? counted, weights);
  const withPassword = new Map(populations.map((population) => [population.name, passwordPicker(population, draw)]));
  return interleave(counts).map((part, index): PlannedDevice => {
    const population = populations[part] as Population;
    const number = String(index).padStart(INDEX_DIGITS, '0');
    return {
      index,
      population: population.name,
      system: population.operatingSystem,
      activationType: population.activationType,
      credential: population.credential,
      userId: `${userPrefix(fleetId)}${number}@fleet.test`,
      // Says at the server and in each console that this is no real device, and that its key is no secret.
      serialNumber: `TEST-KEY-${scenario.name}-${draw.below('serial', 0x1_0000).toString(16).padStart(4, '0')}-${number}`.toUpperCase(),
      supervised: draw.chance(`supervised ${index}`, population.supervised),
      compromised: draw.chance(`compromised ${index}`, population.compromised),
      hasDevicePassword: (withPassword.get(population.name) as (index: number) => boolean)(index),
      labels: population.labels,
      activateAtMs: Math.round((index * 1_000) / activation.ratePerS),
    };
  });
}

function isBefore(step: TimelineStep): boolean {
  return step.before === 'activation';
}

/** The devices, each with why UEM has to refuse its activation: the compliance profile that is assigned to its user by then blocks it. */
function withRefusals(devices: readonly PlannedDevice[], before: readonly PlannedStep[], draw: SeededDraw): readonly PlannedDevice[] {
  if (before.length === 0) return devices;
  const targets = new ConfigurationTargets(before);
  for (const step of before) targets.begin(step);
  return devices.map((device) => {
    const content = plannedCompliance(targets.ofDevice(device.index));
    const broken = content === undefined ? [] : brokenRules(content, inspected(device, draw));
    return broken.length === 0 ? device : { ...device, refusedFor: broken };
  });
}

/** What a planned device says of itself. */
export function inspected({ index, system, serialNumber, compromised }: PlannedDevice, draw: SeededDraw): InspectedDevice {
  const { osVersion, model } = factoryState(SYSTEMS[system], { serialNumber }, draw.ofDevice(index));
  return { osFamily: SYSTEMS[system].family.toUpperCase().replaceAll(' ', '_'), osVersion, model, compromised };
}

function passwordPicker(population: Population, draw: SeededDraw): (index: number) => boolean {
  return (index) => draw.chance(`device password ${index}`, population.devicePassword);
}

function chosenBy(step: TimelineStep, devices: readonly PlannedDevice[], draw: SeededDraw): readonly number[] {
  if (step.kind === 'fault' || step.kind === 'sendToApps' || step.to === undefined) return [];
  const chosen = select(step.to, devices, draw);
  // A device that is only registered is given nothing.
  return step.kind === 'send' ? chosen : chosen.filter((index) => isManaged(devices[index] as PlannedDevice));
}

function isManaged({ system, activationType }: PlannedDevice): boolean {
  return activationTypeOf(SYSTEMS[system], activationType)?.managed === true;
}

function select(to: Selection, devices: readonly PlannedDevice[], draw: SeededDraw): readonly number[] {
  const fitting = devices.filter(
    (device) => (to.population === undefined || device.population === to.population) && (to.label === undefined || device.labels.includes(to.label)),
  );
  // The same words choose the same devices, and a smaller share is part of a larger one.
  return draw.sample(`select ${to.population ?? ''} ${to.label ?? ''}`, fitting, to.share, (device) => String(device.index)).map((device) => device.index);
}
