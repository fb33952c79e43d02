import { parseScenario } from '../../src/scenario/parse-scenario.ts';
import { ScenarioError } from '../../src/scenario/problem.ts';

/** What is wrong with a scenario, a line each; empty: nothing. */
export function problemsOf(source: string): string {
  try {
    parseScenario(source, 'file.yaml');
  } catch (error) {
    if (error instanceof ScenarioError) return error.message;
    throw error;
  }
  return '';
}
