import { ConnectorError, type Connector, type Person, type Subject } from '@curfew/server/parts';
import { instantMs, SystemClock } from '@curfew/shared';
import assert from 'node:assert/strict';

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
  readonly close: () => Promise<void>;
}

const clock = new SystemClock();
const HOUR = 3_600_000;
const until = () => instantMs(clock.now() + HOUR);
const signal = () => AbortSignal.timeout(20_000);

/**
 * What every connector must do, as mocha tests against a real resource. `makeStage` is called for each test and gives a
 * resource that nobody has.
 */
export function itKeepsTheConnectorContract(makeStage: () => Promise<ContractStage>): void {
  let stage: ContractStage;
  beforeEach(async () => {
    stage = await makeStage();
  });
  afterEach(() => stage.close());

  const found = async (person: Person): Promise<Subject> => {
    const subject = await stage.connector.findSubject(person, signal());
    assert.ok(subject, `${person.userName} is not found`);
    return subject;
  };

  it('says what the resource is, and writes nothing for that', async () => {
    const { text, findings } = await stage.connector.describe(signal());
    assert.notEqual(text, '');
    assert.ok(findings.every((finding) => finding.endsWith('.')));
    for (const person of stage.people) assert.equal(await stage.truth(person), false);
  });

  it('finds people and tells them apart, and does not find strangers', async () => {
    const [first, second] = [await found(stage.people[0]), await found(stage.people[1])];
    assert.notEqual(first.id, second.id);
    assert.deepEqual(await found(stage.people[0]), first, 'the same person is somebody else the second time');
    assert.equal(await stage.connector.findSubject(stage.stranger, signal()), undefined);
  });

  it('gives the resource to the one who is meant and to nobody else', async () => {
    const subject = await found(stage.people[0]);
    assert.equal(await stage.connector.has(subject, signal()), false);
    await stage.connector.add(subject, until(), signal());
    assert.equal(await stage.truth(stage.people[0]), true);
    assert.equal(await stage.connector.has(subject, signal()), true);
    assert.equal(await stage.truth(stage.people[1]), false);
    assert.equal(await stage.connector.has(await found(stage.people[1]), signal()), false);
  });

  it('takes it away from the one who is meant and from nobody else', async () => {
    const [subject, other] = [await found(stage.people[0]), await found(stage.people[1])];
    await stage.connector.add(subject, until(), signal());
    await stage.connector.add(other, until(), signal());
    await stage.connector.remove(subject, signal());
    assert.equal(await stage.truth(stage.people[0]), false);
    assert.equal(await stage.connector.has(subject, signal()), false);
    assert.equal(await stage.truth(stage.people[1]), true);
  });

  it('gives twice as once, and takes twice as once', async () => {
    const subject = await found(stage.people[0]);
    await stage.connector.add(subject, until(), signal());
    await stage.connector.add(subject, until(), signal());
    assert.equal(await stage.truth(stage.people[0]), true);
    const members = (await stage.connector.members(signal())).filter(({ id }) => id === subject.id);
    assert.equal(members.length, 1, 'given twice');
    await stage.connector.remove(subject, signal());
    assert.equal(await stage.truth(stage.people[0]), false, 'given twice, and taken once');
    await stage.connector.remove(subject, signal());
    assert.equal(await stage.truth(stage.people[0]), false);
  });

  it('sees what others do by hand', async () => {
    const subject = await found(stage.people[0]);
    await stage.byHand(stage.people[0], true);
    assert.equal(await stage.connector.has(subject, signal()), true);
    assert.ok((await stage.connector.members(signal())).some(({ id }) => id === subject.id));
    await stage.byHand(stage.people[0], false);
    assert.equal(await stage.connector.has(subject, signal()), false);
    assert.ok(!(await stage.connector.members(signal())).some(({ id }) => id === subject.id));
  });

  it('names in its list of members everybody by the id that finding gives them', async () => {
    const subjects = [await found(stage.people[0]), await found(stage.people[1])];
    for (const subject of subjects) await stage.connector.add(subject, until(), signal());
    const ids = (await stage.connector.members(signal())).map(({ id }) => id);
    for (const { id } of subjects) assert.ok(ids.includes(id), `${id} is not in ${ids.join(', ')}`);
  });

  it('does several things at the same time', async () => {
    const [first, second] = [await found(stage.people[0]), await found(stage.people[1])];
    await stage.connector.add(first, until(), signal());
    await Promise.all([
      stage.connector.remove(first, signal()),
      stage.connector.add(second, until(), signal()),
      stage.connector.has(second, signal()),
      stage.connector.members(signal()),
    ]);
    assert.deepEqual([await stage.truth(stage.people[0]), await stage.truth(stage.people[1])], [false, true]);
  });

  it('stops at once when it is told to', async () => {
    const subject = await found(stage.people[0]);
    const stopped = AbortSignal.abort();
    await assert.rejects(stage.connector.add(subject, until(), stopped), ConnectorError);
    assert.equal(await stage.truth(stage.people[0]), false);
  });

  it('says that a resource is out of reach, and works again when it is back', async () => {
    const subject = await found(stage.people[0]);
    const restore = await stage.cutOff();
    const unreachable = (error: unknown): boolean => error instanceof ConnectorError && error.kind === 'unreachable';
    await assert.rejects(stage.connector.add(subject, until(), signal()), unreachable);
    await assert.rejects(stage.connector.has(subject, signal()), unreachable);
    await assert.rejects(stage.connector.remove(subject, signal()), unreachable);
    await restore();
    await stage.connector.add(subject, until(), signal());
    assert.equal(await stage.truth(stage.people[0]), true);
  });
}
