/** What a report of `demo --json` does not keep of what the demo promises; empty when it keeps everything. */
export function demoFailures(report: unknown): readonly string[];
