import { toHex, utf8 } from '@uemkit/protocol';
import type { HardwareIdentifier } from './system-definition.ts';

/** An identifier made of the serial number, so that it needs no place in the state. None can be that of a real device. */
export function hardwareIdentifier(kind: HardwareIdentifier, serialNumber: string, sha256: (data: Uint8Array) => Uint8Array): string {
  const digest = sha256(utf8(`${kind} ${serialNumber}`));
  switch (kind) {
    case 'udid':
      return toHex(digest).slice(0, 40);
    // A locally administered address.
    case 'wifiMacAddress':
      return ['02', ...[...digest.subarray(0, 5)].map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
    // Numbers that begin with 00 are for tests; the last digit is the check digit (Luhn).
    case 'imei': {
      const digits = `00${[...digest.subarray(0, 12)].map((byte) => byte % 10).join('')}`;
      return digits + checkDigit(digits);
    }
  }
}

function checkDigit(digits: string): number {
  const sum = [...digits].reduce((total, digit, place) => {
    const value = Number(digit) * (place % 2 === 0 ? 1 : 2);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return (10 - (sum % 10)) % 10;
}
