import * as v from 'valibot';

/** Pieces that contents of profiles are made of. */
export const line = (max: number): v.GenericSchema<string> =>
  v.pipe(v.string(), v.minLength(1), v.maxLength(max), v.regex(/^[^\p{Cc}\p{Cs}]*$/u, 'has control characters'));
export const hostName: v.GenericSchema<string> = v.pipe(v.string(), v.regex(/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/, 'is not a host name'));
export const port: v.GenericSchema<number> = v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(65_535));
export const flag: v.OptionalSchema<v.BooleanSchema<undefined>, undefined> = v.optional(v.boolean());
export const hosts: v.OptionalSchema<v.GenericSchema<string[]>, undefined> = v.optional(v.pipe(v.array(hostName), v.maxLength(100)));
