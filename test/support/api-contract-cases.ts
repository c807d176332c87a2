import { ACCESS_CASES } from './access-contract-cases.js';
import type { ContractCase } from './api-contract-case.js';
import { LOG_CASES } from './log-contract-cases.js';
import { PEOPLE_CASES } from './people-contract-cases.js';
import { RESOURCE_CASES } from './resource-contract-cases.js';

/** In this order: later cases use what earlier ones have made. */
export const CONTRACT_CASES: readonly ContractCase[] = [
  ...PEOPLE_CASES,
  ...ACCESS_CASES,
  ...RESOURCE_CASES,
  ...LOG_CASES,
];
