import type { LabFault } from './scenario.ts';

/** A fault in words. */
export function describeFault({ kind, role, service, share, delayMs, status, at }: LabFault): string {
  const some = share === undefined ? 'every' : `${Math.round(share * 1000) / 10}% of`;
  const where = `${some} ${service ?? 'request'}${role === undefined ? '' : ` at ${role}`}`;
  switch (kind) {
    case 'drop':
      return at === 'answer' ? `the answer to ${where} is lost` : `${where} is lost`;
    case 'delay':
      return `${where} is ${(delayMs ?? 0) / 1_000} s late`;
    case 'duplicate':
      return `${where} arrives twice`;
    case 'refuse':
      return `${where} is refused`;
    case 'status':
      return `${where} is answered ${status}`;
    case 'restart':
      return `${where} starts the server anew`;
  }
}
