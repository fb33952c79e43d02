import { DEFINITION_LIMITS, type PolicyDefinition, type PolicySetting, type PolicyValue, type PolicyValues } from './definition.ts';

/** Why a value is not taken; `key` names the setting. */
export interface ValueFault {
  readonly key: string;
  readonly problem: string;
  readonly isUnknown?: boolean | undefined;
}

/** Values that were checked, or the first one that is not taken. */
export type CheckedValues = { readonly values: PolicyValues } | { readonly fault: ValueFault };

/** Checks values that an administrator sets against the definition. What is not set keeps what the definition begins with. */
export function checkValues(definition: PolicyDefinition, given: Readonly<Record<string, unknown>>): CheckedValues {
  const values = new Map<string, PolicyValue>();
  const settings = new Map(definition.settings.map((setting) => [setting.key, setting]));
  for (const [key, value] of Object.entries(given)) {
    const setting = settings.get(key);
    if (setting === undefined) return { fault: { key, problem: 'there is no such setting', isUnknown: true } };
    const checked = checkValue(setting, value);
    if ('problem' in checked) return { fault: { key, problem: checked.problem } };
    values.set(key, checked.value);
  }
  if (!fitsIntoMessage(definition, values)) return { fault: { key: '', problem: `the values take more than ${DEFINITION_LIMITS.valueBytes} bytes` } };
  return { values };
}

function checkValue({ control, maxLength, options = [] }: PolicySetting, value: unknown): { readonly value: PolicyValue } | { readonly problem: string } {
  const isOption = (one: unknown): one is number | string => options.some((option) => option.value === one);
  switch (control) {
    case 'hidden':
      return { problem: 'is hidden: its value stands in the definition' };
    case 'checkbox':
      return typeof value === 'boolean' ? { value } : { problem: 'is not a boolean' };
    case 'select':
      return isOption(value) ? { value } : { problem: 'is none of the options' };
    case 'multiselect': {
      if (!Array.isArray(value)) return { problem: 'is not a list' };
      if (!value.every(isOption)) return { problem: 'has what is none of the options' };
      const set = new Set<unknown>(value);
      if (set.size < value.length) return { problem: 'has an option twice' };
      return { value: options.map((option) => option.value).filter((one) => set.has(one)) };
    }
    default: {
      const most = maxLength ?? DEFINITION_LIMITS.textCharacters;
      if (typeof value !== 'string') return { problem: 'is not text' };
      if (value.length > most) return { problem: `is longer than ${most} characters` };
      return { value };
    }
  }
}

/** What an app is told, in the order of the definition: what is set, else what the definition begins with. What no client is sent is left out. */
export function valuesInForce({ settings }: PolicyDefinition, set: PolicyValues = new Map()): PolicyValues {
  return new Map(
    settings.flatMap(({ key, initial, isSent }) => {
      const value = set.get(key) ?? initial;
      return value === undefined || !isSent ? [] : [[key, value] as const];
    }),
  );
}

/** Values as JSON, in their order. */
export function valuesJson(values: PolicyValues): string {
  return JSON.stringify(Object.fromEntries(values));
}

/** Values that `valuesJson` made. */
export function valuesOfJson(json: string): PolicyValues {
  return new Map(Object.entries(JSON.parse(json) as Record<string, PolicyValue>));
}

/** True when an app can be told them. */
export function fitsIntoMessage(definition: PolicyDefinition, set?: PolicyValues): boolean {
  return new TextEncoder().encode(valuesJson(valuesInForce(definition, set))).length <= DEFINITION_LIMITS.valueBytes;
}
