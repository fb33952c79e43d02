import type { DeviceCondition, DeviceQuery } from '../state/device-groups.ts';
import { compareVersions } from './compare-versions.ts';
import type { DeviceFacts } from './device-facts.ts';

/** True when a device belongs to the group of this query. Text is compared without regard to case; an unknown fact fits no condition. Pure. */
export function matchesQuery(query: DeviceQuery, facts: DeviceFacts): boolean {
  const fits = (condition: DeviceCondition): boolean => holds(condition, factOf(facts, condition));
  return query.match === 'ALL' ? query.conditions.every(fits) : query.conditions.some(fits);
}

function factOf(facts: DeviceFacts, { field }: DeviceCondition): string | undefined {
  return field === 'compromised' ? facts.compromised?.toString() : facts[field];
}

function holds({ operator, value }: DeviceCondition, fact: string | undefined): boolean {
  if (fact === undefined) return false;
  const [is, wanted] = [fact.toLowerCase(), value.toLowerCase()];
  switch (operator) {
    case 'EQUALS':
      return is === wanted;
    case 'NOT_EQUALS':
      return is !== wanted;
    case 'STARTS_WITH':
      return is.startsWith(wanted);
    case 'CONTAINS':
      return is.includes(wanted);
    case 'AT_LEAST':
      return compareVersions(is, wanted) >= 0;
    case 'AT_MOST':
      return compareVersions(is, wanted) <= 0;
  }
}
