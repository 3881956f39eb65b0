import { pino, type Logger } from 'pino';

export type { Logger };

/** JSON lines on standard output; secrets never appear, whatever object is logged. */
export function createLog(level: string, destination?: { write(line: string): void }): Logger {
  const options = {
    level,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: ['req.headers.authorization', 'req.headers.cookie', '*.password', '*.secret', '*.token'],
      censor: '(hidden)',
    },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** The narrow log that parts without pino's types take: fields, then words. */
export function wordLog(log: Logger) {
  return {
    info: (fields: Record<string, unknown>, message: string) => log.info({ ...fields, msg: message }),
    warn: (fields: Record<string, unknown>, message: string) => log.warn({ ...fields, msg: message }),
    error: (fields: Record<string, unknown>, message: string) => log.error({ ...fields, msg: message }),
  };
}
