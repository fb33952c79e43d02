/** An error in words: code, flow step, message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const { code, step } = error as { readonly code?: unknown; readonly step?: unknown };
  const where = typeof step === 'string' ? ` at ${step}` : '';
  return typeof code === 'string' ? `${code}${where}: ${error.message}` : error.message;
}
