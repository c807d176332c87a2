/** Where the ledger is. */
export interface LedgerSettings {
  /** '' for the embedded one. */
  readonly url: string;
  /** The file with the key of what servers share; '' with the embedded one. */
  readonly keyFile: string;
}

/** libpq takes such lists, and what reads the address here does not. */
const namesSeveralHosts = (url: string): boolean =>
  /^\w+:\/\/(?:[^/?#]*@)?[^/?#@]*,[^/?#@]*(?:[/?#]|$)/.test(url) ||
  /[?&](?:host|hostaddr|port)=[^&]*(?:,|%2c)/i.test(url);

/** What is wrong with the two options together. The address is not repeated: it has a password in it. */
export function ledgerProblems(url: string, keyFile: string): string[] {
  if (url === '') return keyFile === '' ? [] : ['ledger.key_file: is for ledger.url only'];
  const problems: string[] = [];
  if (namesSeveralHosts(url))
    problems.push('ledger.url: names several hosts; give one address that leads to the primary (docs/postgresql.md)');
  else if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol))
    problems.push('ledger.url: is not an address such as postgres://USER:PASSWORD@HOST/DATABASE');
  if (keyFile === '') problems.push('ledger.key_file: is needed with ledger.url');
  return problems;
}
