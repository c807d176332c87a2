import type { Random } from '@curfew/shared';
import type { Operation } from '../operations/operation.js';

/** No more operations than this are remembered; the one of the oldest is forgotten first. */
const MOST_REMEMBERED = 1000;
const ID_BYTES = 16;

/**
 * Ids of requests. 'add' and 'remove' keep theirs while they are tried again without an answer, so that a receiver can
 * tell a repeated one from a new one. With an answer of whatever kind the operation is over: the next is another one.
 */
export class OperationIds {
  private readonly open = new Map<string, string>();

  constructor(private readonly random: Random) {}

  idOf(operation: Operation): string {
    const key = keyOf(operation);
    const id = (key === undefined ? undefined : this.open.get(key)) ?? this.fresh();
    if (key === undefined) return id;
    this.open.delete(key);
    this.open.set(key, id);
    const [oldest] = this.open.keys();
    if (this.open.size > MOST_REMEMBERED && oldest !== undefined) this.open.delete(oldest);
    return id;
  }

  /** An answer has come. */
  answered(operation: Operation): void {
    const key = keyOf(operation);
    if (key !== undefined) this.open.delete(key);
  }

  private fresh(): string {
    return `op-${this.random.bytes(ID_BYTES).toString('hex')}`;
  }
}

function keyOf(operation: Operation): string | undefined {
  if (operation.operation === 'add') return JSON.stringify(['add', operation.subject.id, operation.until]);
  return operation.operation === 'remove' ? JSON.stringify(['remove', operation.subject.id]) : undefined;
}
