/** A number of devices, for people. */
export function devicesInWords(count: number): string {
  return count === 1 ? '1 device' : `${count} devices`;
}
