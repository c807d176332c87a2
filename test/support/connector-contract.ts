import { ConnectorError, type Connector, type Person, type Subject } from '@curfew/server/parts';
import assert from 'node:assert/strict';
import { inAnHour, isUnreachable, patient } from './connector-calls.js';
import { HOSTILE_NAMES } from './hostile-names.js';

/** A real resource behind a connector, as the contract sees it. */
export interface ContractStage {
  readonly connector: Connector;
  /** Two people whom the resource knows and who do not have it at first. */
  readonly people: readonly [Person, Person];
  /** Somebody whom the resource does not know. */
  readonly stranger: Person;
  /** Asks the resource itself, not by way of the connector, whether the person has it. */
  readonly truth: (person: Person) => Promise<boolean>;
  /** Gives or takes the resource by hand, not by way of the connector. */
  readonly byHand: (person: Person, has: boolean) => Promise<void>;
  /** Makes the resource unreachable until the returned function is called. */
  readonly cutOff: () => Promise<() => Promise<void>>;
  /** Makes the resource take calls and answer none until the returned function is called. Where a stage has it. */
  readonly hang?: () => Promise<() => Promise<void>>;
  /** Removes a person from the resource's own list of people, by hand. Where a stage has it. */
  readonly forget?: (person: Person) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** One promise of every connector. */
export interface ContractCase {
  readonly title: string;
  /** What of a stage it takes that not every stage has. */
  readonly needs?: 'hang' | 'forget';
  /** Runs on a fresh stage; the caller closes it. Errors: AssertionError when the promise is broken. */
  readonly run: (stage: ContractStage) => Promise<void>;
}

const found = async ({ connector }: ContractStage, person: Person): Promise<Subject> => {
  const subject = await connector.findSubject(person, patient());
  assert.ok(subject, `${person.userName} is not found`);
  return subject;
};

const isRefusal = (error: unknown): boolean => error instanceof ConnectorError && error.kind === 'refused';

/** What every connector must do, against a real resource that nobody has at first. */
export const CONNECTOR_CONTRACT: readonly ContractCase[] = [
  {
    title: 'says what the resource is, and writes nothing for that',
    run: async ({ connector, people, truth }) => {
      const { text, findings } = await connector.describe(patient());
      assert.notEqual(text, '');
      assert.ok(findings.every((finding) => finding.endsWith('.')));
      for (const person of people) assert.equal(await truth(person), false);
    },
  },
  {
    title: 'finds people and tells them apart, and does not find strangers',
    run: async (stage) => {
      const [first, second] = [await found(stage, stage.people[0]), await found(stage, stage.people[1])];
      assert.notEqual(first.id, second.id);
      assert.deepEqual(await found(stage, stage.people[0]), first, 'the same person is somebody else the second time');
      assert.equal(await stage.connector.findSubject(stage.stranger, patient()), undefined);
    },
  },
  {
    title: 'gives the resource to the one who is meant and to nobody else',
    run: async (stage) => {
      const { connector, people, truth } = stage;
      const subject = await found(stage, people[0]);
      assert.equal(await connector.has(subject, patient()), false);
      await connector.add(subject, inAnHour(), patient());
      assert.equal(await truth(people[0]), true);
      assert.equal(await connector.has(subject, patient()), true);
      assert.equal(await truth(people[1]), false);
      assert.equal(await connector.has(await found(stage, people[1]), patient()), false);
    },
  },
  {
    title: 'takes it away from the one who is meant and from nobody else',
    run: async (stage) => {
      const { connector, people, truth } = stage;
      const [subject, other] = [await found(stage, people[0]), await found(stage, people[1])];
      await connector.add(subject, inAnHour(), patient());
      await connector.add(other, inAnHour(), patient());
      await connector.remove(subject, patient());
      assert.equal(await truth(people[0]), false);
      assert.equal(await connector.has(subject, patient()), false);
      assert.equal(await truth(people[1]), true);
    },
  },
  {
    title: 'gives twice as once, and takes twice as once',
    run: async (stage) => {
      const { connector, people, truth } = stage;
      const subject = await found(stage, people[0]);
      await connector.add(subject, inAnHour(), patient());
      await connector.add(subject, inAnHour(), patient());
      assert.equal(await truth(people[0]), true);
      const members = (await connector.members(patient())).filter(({ id }) => id === subject.id);
      assert.equal(members.length, 1, 'given twice');
      await connector.remove(subject, patient());
      assert.equal(await truth(people[0]), false, 'given twice, and taken once');
      await connector.remove(subject, patient());
      assert.equal(await truth(people[0]), false);
    },
  },
  {
    title: 'sees what others do by hand',
    run: async (stage) => {
      const { connector, people, byHand } = stage;
      const subject = await found(stage, people[0]);
      const isListed = async () => (await connector.members(patient())).some(({ id }) => id === subject.id);
      await byHand(people[0], true);
      assert.deepEqual([await connector.has(subject, patient()), await isListed()], [true, true]);
      await byHand(people[0], false);
      assert.deepEqual([await connector.has(subject, patient()), await isListed()], [false, false]);
    },
  },
  {
    title: 'names in its list of members everybody by the id that finding gives them',
    run: async (stage) => {
      const subjects = [await found(stage, stage.people[0]), await found(stage, stage.people[1])];
      for (const subject of subjects) await stage.connector.add(subject, inAnHour(), patient());
      const ids = (await stage.connector.members(patient())).map(({ id }) => id);
      for (const { id } of subjects) assert.ok(ids.includes(id), `${id} is not in ${ids.join(', ')}`);
    },
  },
  {
    title: 'does several things at the same time',
    run: async (stage) => {
      const { connector, people, truth } = stage;
      const [first, second] = [await found(stage, people[0]), await found(stage, people[1])];
      await connector.add(first, inAnHour(), patient());
      await Promise.all([
        connector.remove(first, patient()),
        connector.add(second, inAnHour(), patient()),
        connector.has(second, patient()),
        connector.members(patient()),
      ]);
      assert.deepEqual([await truth(people[0]), await truth(people[1])], [false, true]);
    },
  },
  {
    title: 'is not led to anybody by a hostile name',
    run: async (stage) => {
      const { connector, people, truth } = stage;
      const nobody = async (person: Person): Promise<void> => {
        const name = JSON.stringify([person.userName, person.subject]);
        const subject = await connector.findSubject(person, patient()).catch((error: unknown) => {
          assert.ok(isRefusal(error), `${name}: ${String(error)}`);
          return undefined;
        });
        assert.equal(subject, undefined, name);
      };
      for (const name of HOSTILE_NAMES) {
        await nobody({ userName: name, displayName: name, mailAddresses: [`${name}@example.org`], subject: '' });
        await nobody({ ...stage.stranger, subject: name });
      }
      await connector.add(await found(stage, people[1]), inAnHour(), patient());
      for (const name of HOSTILE_NAMES) {
        const subject: Subject = { id: name, label: name };
        // A name that no subject can have may be refused as well as not be found.
        for (const act of [
          async () => assert.equal(await connector.has(subject, patient()), false, JSON.stringify(name)),
          () => connector.remove(subject, patient()),
        ]) {
          await act().catch((error: unknown) => {
            if (!isRefusal(error)) throw error;
          });
        }
        await connector.add(subject, inAnHour(), patient()).catch((error: unknown) => {
          assert.ok(error instanceof ConnectorError, `${JSON.stringify(name)}: ${String(error)}`);
        });
      }
      assert.deepEqual([await truth(people[0]), await truth(people[1])], [false, true]);
    },
  },
  {
    title: 'takes nothing from one whom the resource does not know any more, and does not fail over it',
    needs: 'forget',
    run: async (stage) => {
      const { connector, people, truth } = stage;
      const [gone, other] = [await found(stage, people[0]), await found(stage, people[1])];
      await connector.add(gone, inAnHour(), patient());
      await connector.add(other, inAnHour(), patient());
      await stage.forget?.(people[0]);
      await connector.remove(gone, patient());
      assert.equal(await connector.has(gone, patient()), false);
      assert.ok(!(await connector.members(patient())).some(({ id }) => id === gone.id));
      assert.equal(await connector.findSubject(people[0], patient()), undefined);
      assert.equal(await truth(people[1]), true);
    },
  },
  {
    title: 'stops at once when it is told to',
    run: async (stage) => {
      const { connector, people, truth } = stage;
      const subject = await found(stage, people[0]);
      await assert.rejects(connector.add(subject, inAnHour(), AbortSignal.abort()), ConnectorError);
      assert.equal(await truth(people[0]), false);
    },
  },
  {
    title: 'waits no longer than it may for a resource that does not answer, and works again when it does',
    needs: 'hang',
    run: async (stage) => {
      const { connector, people, truth } = stage;
      const subject = await found(stage, people[0]);
      const restore = await stage.hang?.();
      for (const act of [
        (stop: AbortSignal) => connector.add(subject, inAnHour(), stop),
        (stop: AbortSignal) => connector.has(subject, stop),
        (stop: AbortSignal) => connector.members(stop),
        (stop: AbortSignal) => connector.remove(subject, stop),
      ]) {
        await assert.rejects(act(AbortSignal.timeout(300)), isUnreachable);
      }
      await restore?.();
      await connector.add(subject, inAnHour(), patient());
      assert.equal(await truth(people[0]), true);
      await connector.remove(subject, patient());
      assert.equal(await truth(people[0]), false);
    },
  },
  {
    title: 'says that a resource is out of reach, and works again when it is back',
    run: async (stage) => {
      const { connector, people, truth } = stage;
      const subject = await found(stage, people[0]);
      const restore = await stage.cutOff();
      await assert.rejects(connector.add(subject, inAnHour(), patient()), isUnreachable);
      await assert.rejects(connector.has(subject, patient()), isUnreachable);
      await assert.rejects(connector.remove(subject, patient()), isUnreachable);
      await restore();
      await connector.add(subject, inAnHour(), patient());
      assert.equal(await truth(people[0]), true);
    },
  },
];

/** A promise that was not kept, and how that was seen. */
export interface BrokenPromise {
  readonly title: string;
  readonly error: unknown;
}

/**
 * Runs the contract, or some of it, outside of mocha and says what is broken. Errors: whatever the making of a stage
 * throws.
 */
export async function brokenPromises(
  makeStage: () => Promise<ContractStage>,
  cases: readonly ContractCase[] = CONNECTOR_CONTRACT,
): Promise<readonly BrokenPromise[]> {
  const broken: BrokenPromise[] = [];
  for (const { title, needs, run } of cases) {
    const stage = await makeStage();
    try {
      if (needs === undefined || stage[needs] !== undefined) await run(stage);
    } catch (error) {
      broken.push({ title, error });
    } finally {
      await stage.close();
    }
  }
  return broken;
}

/**
 * The contract as mocha tests. `makeStage` is called for each and gives a resource that nobody has. `without` names what
 * its stages cannot have; the cases that need it are left out.
 */
export function itKeepsTheConnectorContract(
  makeStage: () => Promise<ContractStage>,
  without: readonly ContractCase['needs'][] = [],
): void {
  for (const { title, needs, run } of CONNECTOR_CONTRACT) {
    if (needs !== undefined && without.includes(needs)) continue;
    it(title, async () => {
      const stage = await makeStage();
      try {
        assert.ok(needs === undefined || stage[needs] !== undefined, `the stage has no '${String(needs)}'`);
        await run(stage);
      } finally {
        await stage.close();
      }
    });
  }
}
