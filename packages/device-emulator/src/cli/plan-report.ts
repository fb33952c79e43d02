import { devicesInWords } from '../plan/count-in-words.ts';
import type { Plan } from '../plan/plan.ts';
import { requestsPerSession } from '../plan/planned-apps.ts';
import type { PlannedStep } from '../plan/planned-step.ts';
import { describeFault } from '../scenario/describe-fault.ts';
import { type AppPopulation, EXPECTATIONS, type Expectation } from '../scenario/scenario.ts';

const CREDENTIAL_WORDS = { password: 'password', qr: 'QR code', 'qr-mail': 'QR code from a mail' } as const;

/** A plan in words. */
export function planReport(plan: Plan): string {
  const { scenario, devices, steps } = plan;
  const seconds = (ms: number): string => `${ms / 1_000} s`;
  const lines = [`Scenario ${scenario.name}, seed ${plan.seed}, plan ${plan.digest}`, ''];
  if (scenario.description !== undefined) lines.push(scenario.description, '');
  lines.push(devicesInWords(devices.length));
  for (const population of scenario.populations) {
    const count = devices.filter((device) => device.population === population.name).length;
    const { name, operatingSystem, activationType, credential } = population;
    lines.push(`  ${String(count).padStart(6)}  ${name}: ${operatingSystem}, ${activationType}, activated with a ${CREDENTIAL_WORDS[credential]}`);
  }
  const { ratePerS, inFlight } = scenario.activation;
  lines.push('', `Activation: ${ratePerS} a second, so ${seconds(devices.at(-1)?.activateAtMs ?? 0)} at least; at most ${inFlight} under way`);
  const refused = devices.filter(({ refusedFor }) => refusedFor !== undefined).length;
  if (refused > 0) lines.push(`  ${refused} of them refused by UEM, because they break a compliance rule of the plan`);
  if (scenario.pushLoss > 0) lines.push(`Push: ${scenario.pushLoss * 100}% lost on purpose`);
  lines.push('', 'Then');
  for (const planned of steps) {
    const { atMs, after, before } = planned.step;
    lines.push(
      `  ${before === undefined ? seconds(atMs).padStart(8) : '  before'}  ${after === 'drained' ? 'when all is through: ' : ''}${inWords(planned, plan)}`,
    );
    lines.push(...expectedOf(planned).map((line) => `            ${line}`));
  }
  if (plan.apps.length > 0) lines.push('', 'Dynamics apps', ...scenario.apps.map((app) => `  ${appInWords(app, plan)}`));
  if (scenario.assertions.length > 0) lines.push('', 'In the end', ...scenario.assertions.map(({ source }) => `  ${source}`));
  return `${lines.join('\n')}\n`;
}

const KEY_WORDS = { 'uem-client': 'a key of the UEM Client', mail: 'a key from a mail', sibling: 'a key of another app' } as const;

function appInWords(app: AppPopulation, { apps }: Plan): string {
  const { name, key, way, sessions } = app;
  const count = apps.filter((one) => one.name === name).length;
  const perSession = requestsPerSession(app);
  const through = way === 'noc' ? 'through the NOC' : 'by Direct Connect';
  return `${String(count).padStart(6)}  ${name}: activated with ${KEY_WORDS[key]}, ${sessions} sessions of ${perSession} requests ${through}`;
}

function inWords({ step, devices, apps = [] }: PlannedStep, plan: Plan): string {
  switch (step.kind) {
    case 'send':
      return `${step.send.map(({ command }) => command).join(', ')} to ${devicesInWords(devices.length)}`;
    case 'sendToApps': {
      const names = [...new Set(apps.map((ordinal) => plan.apps[ordinal]?.name))].join(', ');
      const what = step.sendToApps.map(({ command }) => command).join(', ');
      return apps.length === 0 ? `${what} to no app` : `${what} to ${names} on ${devicesInWords(devices.length)}`;
    }
    case 'configure': {
      const objects = step.configure.map(({ kind, name }) => `${kind} ${name}`).join(', ');
      return devices.length === 0 ? `${objects} changed for those who have it` : `${objects} assigned to ${devicesInWords(devices.length)}`;
    }
    case 'fault':
      return `on purpose: ${describeFault(step.fault)}`;
  }
}

const EXPECTATION_WORDS: Readonly<Record<Expectation, string>> = {
  done: 'done',
  noEffect: 'without effect',
  refusedByUem: 'refused by UEM',
  refusedByDevice: 'refused by the device',
};

/** Commands of a step that not every device is expected to carry out. */
function expectedOf({ step, expected }: PlannedStep): readonly string[] {
  if (step.kind !== 'send') return [];
  return step.send.flatMap(({ command }, entry) => {
    const counts = EXPECTATIONS.map((expectation) => ({ expectation, count: expected.filter((list) => list[entry] === expectation).length }));
    const named = counts.filter(({ count }) => count > 0).map(({ expectation, count }) => `${count} ${EXPECTATION_WORDS[expectation]}`);
    return expected.every((list) => list[entry] === 'done') ? [] : [`${command}: ${named.join(', ')}`];
  });
}
