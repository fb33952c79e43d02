import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Folders whose files start processes or whole fleets. */
const LONG = /\/test\/(integration|system|conformance|browser)\//;

/** Starts the long files first, so that no worker ends with one while the others have nothing left. Without it a clean clone knows sizes only. */
export default class LongFirstSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
