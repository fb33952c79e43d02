import type * as wire from '@uemkit/protocol/wire';
import type { ComplianceFinding } from '../device-state.ts';
import { type Behaviour, done, failed } from './behaviour.ts';
import { isDocument } from './configuration.ts';

/** Findings that a device shows; a server has fewer rules than that. */
const MOST_FINDINGS = 32;

/**
 * UPDATE_COMPLIANCE_STATUS {compliant, findings}: what the UEM Client shows of compliance. Each finding names the rule and, while the user is still being asked, which time of how many this
 * is and what happens when. The newest status replaces the one before.
 */
export const updateComplianceStatus: Behaviour = (state, properties) => {
  const { compliant, findings } = properties;
  if (typeof compliant !== 'boolean' || !Array.isArray(findings)) return failed(state, 'UPDATE_COMPLIANCE_STATUS: compliant or findings is missing');
  const read = findings.slice(0, MOST_FINDINGS).map(findingOf);
  if (read.some((finding) => finding === undefined)) return failed(state, 'UPDATE_COMPLIANCE_STATUS: a finding has no rule');
  const shown = read as readonly ComplianceFinding[];
  const prompts = (state.compliance?.prompts ?? 0) + (compliant ? 0 : 1);
  return done({ ...state, compliance: { compliant, findings: shown, prompts } }, { compliant, shown: shown.length });
};

function findingOf(value: wire.WireDocumentValue): ComplianceFinding | undefined {
  if (!isDocument(value)) return undefined;
  const { rule, displayName, action, prompt, of } = value;
  if (typeof rule !== 'string') return undefined;
  return { rule, displayName: text(displayName), action: text(action), prompt: count(prompt), of: count(of) };
}

function text(value: wire.WireDocumentValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function count(value: wire.WireDocumentValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
