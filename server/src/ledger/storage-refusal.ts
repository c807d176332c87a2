import { CurfewError, type ErrorCode } from '@curfew/shared';

const CODES: readonly ErrorCode[] = ['STORAGE_FAILED', 'LEDGER_UNAVAILABLE', 'LEDGER_OUTCOME_UNKNOWN'];

/** Whether the ledger could not take a write, whatever it was: the disk is full, or its database is away. */
export const isStorageRefusal = (error: unknown): boolean => error instanceof CurfewError && CODES.includes(error.code);
