/** Writes docs/protocol/diagrams.md: one Mermaid diagram for each role, from the transition tables of the machines. `--check` compares instead. */
import { join } from 'node:path';
import { RUNTIME_TRANSITIONS } from '@uemkit/dynamics-sdk';
import {
  ACTIVATION_INITIATOR_TRANSITIONS,
  ACTIVATION_RESPONDER_TRANSITIONS,
  APP_ACTIVATION_INITIATOR_TRANSITIONS,
  APP_ACTIVATION_RESPONDER_TRANSITIONS,
  APP_UPDATE_INITIATOR_TRANSITIONS,
  APP_UPDATE_RESPONDER_TRANSITIONS,
  HANDSHAKE_INITIATOR_TRANSITIONS,
  HANDSHAKE_RESPONDER_TRANSITIONS,
  KEY_FORWARD_INITIATOR_TRANSITIONS,
  KEY_FORWARD_RESPONDER_TRANSITIONS,
  KEY_HAND_OVER_INITIATOR_TRANSITIONS,
  KEY_HAND_OVER_RESPONDER_TRANSITIONS,
  MANAGEMENT_DEVICE_TRANSITIONS,
  MANAGEMENT_SERVER_TRANSITIONS,
  SERVICE_INITIATOR_TRANSITIONS,
  SERVICE_RESPONDER_TRANSITIONS,
  STREAM_TRANSITIONS,
} from '@uemkit/protocol';
import { generated, ROOT, table } from './lib/generated.mjs';

const ROLES = [
  ['Activation, device', 'F1, machine `activationInitiator`', ACTIVATION_INITIATOR_TRANSITIONS],
  ['Activation, server', 'F1, one run of `activationResponder`', ACTIVATION_RESPONDER_TRANSITIONS],
  ['Handshake core, initiator', 'all seven instances, machine `handshakeInitiator`', HANDSHAKE_INITIATOR_TRANSITIONS],
  ['Handshake core, responder', 'all seven instances, machine `handshakeResponder`', HANDSHAKE_RESPONDER_TRANSITIONS],
  ['Key hand-over, app', 'F3.3 and F3.6, machine `keyHandOverInitiator`', KEY_HAND_OVER_INITIATOR_TRANSITIONS],
  ['Key hand-over, UEM Client or sibling app', 'F3.3 to F3.6, machine `keyHandOverResponder`', KEY_HAND_OVER_RESPONDER_TRANSITIONS],
  ['Key request over `px`, sibling app', 'F3.4 and F3.5, machine `keyForwardInitiator`', KEY_FORWARD_INITIATOR_TRANSITIONS],
  ['Key request over `px`, UEM', 'F3.4 and F3.5, machine `coreResponder`', KEY_FORWARD_RESPONDER_TRANSITIONS],
  ['Updates of an app, app', 'F5.3 to F5.5, machine `appUpdateInitiator`', APP_UPDATE_INITIATOR_TRANSITIONS],
  ['Updates of an app, UEM', 'F5.3 to F5.5, machine `coreResponder` once the session stands', APP_UPDATE_RESPONDER_TRANSITIONS],
  ['App activation, app', 'F3.7 to F3.11, machine `appActivationInitiator`', APP_ACTIVATION_INITIATOR_TRANSITIONS],
  ['App activation, UEM', 'F3.10 and F3.11, one session of `appActivationResponder`', APP_ACTIVATION_RESPONDER_TRANSITIONS],
  ['Management, device', 'F5, machine `managementDevice`', MANAGEMENT_DEVICE_TRANSITIONS],
  ['Management, server', 'F5, `answerManagement` towards one device', MANAGEMENT_SERVER_TRANSITIONS],
  ['Stream of a session', 'F10.4, one stream at either end of `px`', STREAM_TRANSITIONS],
  ['Service, app that asks', 'section 14, machine `serviceInitiator`', SERVICE_INITIATOR_TRANSITIONS],
  ['Service, app that offers it', 'section 14, machine `serviceResponder`', SERVICE_RESPONDER_TRANSITIONS],
  ['Runtime of an app', 'states of `@uemkit/dynamics-sdk`, machine `RuntimeMachine`', RUNTIME_TRANSITIONS],
];

/** Inputs that lead from one state to another share an arrow. */
function arrows(rows) {
  const labels = new Map();
  for (const { state, next, input } of rows) {
    const arrow = `${state} --> ${next}`;
    labels.set(arrow, [...(labels.get(arrow) ?? []), input]);
  }
  return [...labels].map(([arrow, inputs]) => `  ${arrow}: ${inputs.join(' / ')}`);
}

/** States that nothing leads out of. */
function ends(rows) {
  const left = new Set(rows.map(({ state }) => state));
  return [...new Set(rows.map(({ next }) => next))].filter((state) => !left.has(state));
}

function section([title, what, rows]) {
  const lines = ['stateDiagram-v2', `  [*] --> ${rows[0].state}`, ...arrows(rows), ...ends(rows).map((state) => `  ${state} --> [*]`)];
  const cells = rows.map(({ state, input, next, step }) => [state, input, next, step]);
  return `## ${title}\n\n${what}\n\n\`\`\`mermaid\n${lines.join('\n')}\n\`\`\`\n\n${table(['state', 'input', 'next', 'step'], cells)}\n`;
}

const text = `# State diagrams

Generated from the transition tables in \`packages/protocol/src/machine\` and \`packages/dynamics-sdk/src/runtime\` by \`pnpm diagrams\`; do not edit by hand. What an input means is in
[07-state-machines.md](07-state-machines.md). The tests take every row.

${ROLES.map(section).join('\n')}`;

generated(join(ROOT, 'docs/protocol/diagrams.md'), text, 'pnpm diagrams');
