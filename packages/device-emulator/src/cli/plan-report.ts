import type { Plan } from '../plan/plan.ts';
import { describeFault } from '../scenario/describe-fault.ts';

const CREDENTIAL_WORDS = { password: 'password', qr: 'QR code', 'qr-mail': 'QR code from a mail' } as const;

/** A plan in words. */
export function planReport(plan: Plan): string {
  const { scenario, devices, steps } = plan;
  const seconds = (ms: number): string => `${ms / 1_000} s`;
  const lines = [`Scenario ${scenario.name}, seed ${plan.seed}, plan ${plan.digest}`, ''];
  if (scenario.description !== undefined) lines.push(scenario.description, '');
  lines.push(`${devices.length} devices`);
  for (const population of scenario.populations) {
    const count = devices.filter((device) => device.population === population.name).length;
    const { name, operatingSystem, activationType, credential } = population;
    lines.push(`  ${String(count).padStart(6)}  ${name}: ${operatingSystem}, ${activationType}, activated with a ${CREDENTIAL_WORDS[credential]}`);
  }
  const { ratePerS, inFlight } = scenario.activation;
  lines.push('', `Activation: ${ratePerS} a second, so ${seconds(devices.at(-1)?.activateAtMs ?? 0)} at least; at most ${inFlight} under way`);
  if (scenario.pushLoss > 0) lines.push(`Push: ${scenario.pushLoss * 100}% lost on purpose`);
  lines.push('', 'Then');
  for (const { step, devices: chosen } of steps) {
    const what =
      step.kind === 'send' ? `${step.send.map(({ command }) => command).join(', ')} to ${chosen.length} devices` : `on purpose: ${describeFault(step.fault)}`;
    lines.push(`  ${seconds(step.atMs).padStart(8)}  ${step.after === 'drained' ? 'when all is through: ' : ''}${what}`);
  }
  if (scenario.assertions.length > 0) lines.push('', 'In the end', ...scenario.assertions.map(({ source }) => `  ${source}`));
  return `${lines.join('\n')}\n`;
}
