import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Folders whose files start processes or whole fleets. */
const LONG = /\/test\/(integration|system|conformance|browser)\//;

/** The longest of them: they wait for processes and clocks, while other workers do something. */
const LONGEST = /\/(fleet-run|app-commands-run|failover|in-process-run|conformance|diagram)\.test\.ts$/;

/** Starts the long files first, so that no worker ends with one while the others have nothing left. Without it a clean clone knows sizes only. */
export default class LongFirstSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.test(moduleId);
    const isLongest = ({ moduleId }: TestSpecification): boolean => LONGEST.test(moduleId);
    const rest = sorted.filter((file) => !isLongest(file));
    return [...sorted.filter(isLongest), ...rest.filter(isLong), ...rest.filter((file) => !isLong(file))];
  }
}
