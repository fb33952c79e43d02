/** Reads the last line of `demo --json` from standard input and checks that it says what the demo promises, for each kind of device and altogether. */
import { demoFailures } from './lib/demo-failures.mjs';

let text = '';
for await (const chunk of process.stdin) text += chunk;
const line = text.trim().split('\n').at(-1) ?? '';
let report;
try {
  report = JSON.parse(line);
} catch {
  console.error(`the last line is not JSON: ${line.slice(0, 200)}`);
  process.exit(1);
}
const failures = demoFailures(report);
console.log(line);
for (const failure of failures) console.error(failure);
process.exitCode = failures.length === 0 ? 0 : 1;
