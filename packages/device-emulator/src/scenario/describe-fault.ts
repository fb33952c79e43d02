import type { LabFault } from './scenario.ts';

/** A fault in words. */
export function describeFault({ kind, role, service, pushService, share, delayMs, status, at }: LabFault): string {
  const some = share === undefined ? 'every' : `${Math.round(share * 1000) / 10}% of`;
  const where = `${some} ${pushService === undefined ? '' : `${pushService} `}${service ?? 'request'}${role === undefined ? '' : ` at ${role}`}`;
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
    case 'reorder':
      return `${where} is overtaken by the next one`;
    case 'throttle':
      return `${where} is over the limit`;
    case 'expire':
      return `${where} finds the token of the device run out`;
    case 'expireAccess':
      return `${where} finds the access of the sender run out`;
  }
}
