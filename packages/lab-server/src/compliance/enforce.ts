import type { FindingRecord } from '../state/supervision.ts';
import { type ComplianceAction, type ComplianceContent, type ComplianceRule, enforcementOf } from './compliance-content.ts';
import type { Violation } from './violations.ts';

/** What is to be done now, and what is known from now on. */
export interface Enforced {
  readonly findings: readonly FindingRecord[];
  /** Rules whose breach the user is told of now. */
  readonly prompted: readonly ComplianceRule[];
  /** Actions to be taken now. */
  readonly actions: readonly ComplianceAction[];
  /** When the next prompt or action is due. */
  readonly dueMs?: number | undefined;
}

/**
 * One look at the rules that a device breaks. A rule with prompts asks first, `promptCount` times with `promptIntervalS` in between, and acts an interval after the
 * last one; immediate enforcement acts at once. A rule that is kept again is forgotten with its prompts. Time that was missed is made up for by one step, not by all. Pure.
 */
export function enforce(content: ComplianceContent, violations: readonly Violation[], before: readonly FindingRecord[], nowMs: number): Enforced {
  const prompted: ComplianceRule[] = [];
  const actions: ComplianceAction[] = [];
  const findings = violations.map(({ rule, displayName }): FindingRecord => {
    const known = before.find((finding) => finding.rule === rule) ?? { rule, displayName, sinceMs: nowMs, prompts: 0, nextMs: nowMs };
    const current = { ...known, displayName };
    const enforcement = enforcementOf(content, rule);
    if (enforcement === undefined || current.acted !== undefined || (current.nextMs ?? nowMs) > nowMs) return current;
    const { promptBehavior, promptCount, promptIntervalS, action } = enforcement;
    if (promptBehavior === 'PROMPT' && current.prompts < promptCount) {
      prompted.push(rule);
      return { ...current, prompts: current.prompts + 1, nextMs: nowMs + promptIntervalS * 1_000 };
    }
    actions.push(action);
    return { ...current, nextMs: undefined, acted: action };
  });
  const due = findings.flatMap(({ nextMs }) => nextMs ?? []);
  return { findings, prompted, actions, dueMs: due.length === 0 ? undefined : Math.min(...due) };
}
