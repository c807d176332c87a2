import type { Clock, InstantMs } from '@curfew/shared';
import { ConnectorError, type Connector, type Person, type ResourceDescription, type Subject } from '../connector.js';
import { readBack } from '../read-back.js';
import type { Operation } from './operation.js';
import { readAnswer, type OperationAnswer } from './operation-answers.js';

/** Carries operations to a program or a receiver. */
export interface OperationCarrier {
  /** Gives the answer, parsed JSON. Errors: ConnectorError. */
  carry(operation: Operation, signal: AbortSignal): Promise<unknown>;
  close(): void;
}

const MOST_PAGES = 1000;

/** A connector whose work somebody else does, who is told of it in JSON. What was done is asked for, never believed. */
export class OperationConnector implements Connector {
  constructor(
    private readonly carrier: OperationCarrier,
    private readonly clock: Clock,
  ) {}

  describe(signal: AbortSignal): Promise<ResourceDescription> {
    return this.ask({ operation: 'describe' }, signal);
  }

  async findSubject(person: Person, signal: AbortSignal): Promise<Subject | undefined> {
    const { subject } = await this.ask({ operation: 'find_subject', person }, signal);
    return subject ?? undefined;
  }

  async has(subject: Subject, signal: AbortSignal): Promise<boolean> {
    return (await this.ask({ operation: 'has', subject }, signal)).has;
  }

  async add(subject: Subject, until: InstantMs, signal: AbortSignal): Promise<void> {
    await this.ask({ operation: 'add', subject, until }, signal);
    await readBack(() => this.has(subject, signal), "what 'add' was to do", this.clock, signal);
  }

  async remove(subject: Subject, signal: AbortSignal): Promise<void> {
    await this.ask({ operation: 'remove', subject }, signal);
    await readBack(async () => !(await this.has(subject, signal)), "what 'remove' was to do", this.clock, signal);
  }

  async members(signal: AbortSignal): Promise<readonly Subject[]> {
    const found = new Map<string, Subject>();
    const seen = new Set<string>();
    let cursor = '';
    do {
      seen.add(cursor);
      const { members, next } = await this.ask({ operation: 'members', cursor }, signal);
      for (const member of members) found.set(member.id, member);
      cursor = next;
    } while (cursor !== '' && !seen.has(cursor) && seen.size < MOST_PAGES);
    if (cursor !== '') throw new ConnectorError('refused', "the pages of 'members' do not come to an end");
    return [...found.values()];
  }

  async close(): Promise<void> {
    this.carrier.close();
  }

  private async ask<Asked extends Operation>(
    operation: Asked,
    signal: AbortSignal,
  ): Promise<OperationAnswer<Asked['operation']>> {
    const name: Asked['operation'] = operation.operation;
    return readAnswer(name, await this.carrier.carry(operation, signal));
  }
}
