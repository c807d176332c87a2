import type { Change, Ledger, LedgerReader, LedgerTransaction, SessionSearch, Urgency } from './ledger.js';

/** A ledger that stands before another one, and does as that does but where it says otherwise. */
export abstract class LedgerInFront implements Ledger {
  constructor(protected readonly ledger: Ledger) {}

  get sessionSearch(): SessionSearch {
    return this.ledger.sessionSearch;
  }

  read<T>(work: (db: LedgerReader) => Promise<T>): Promise<T> {
    return this.ledger.read(work);
  }

  abstract write<T>(work: (tx: LedgerTransaction) => Promise<T>, urgency?: Urgency): Promise<T>;

  onChange(listener: (changes: readonly Change[]) => void): () => void {
    return this.ledger.onChange(listener);
  }

  get problem(): string {
    return this.ledger.problem;
  }

  get leads(): boolean {
    return this.ledger.leads;
  }

  onLead(listener: () => void): () => void {
    return this.ledger.onLead(listener);
  }

  backup(file: string): Promise<void> {
    return this.ledger.backup(file);
  }

  close(): Promise<void> {
    return this.ledger.close();
  }
}
