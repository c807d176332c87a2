import assert from 'node:assert/strict';
import { agentSocket, pipeName, socketProblem, type SocketFacts } from './agent-socket.js';

const good: SocketFacts = { isSocket: true, ownerUid: 0, folderOwnerUid: 0, folderMode: 0o755 };

describe('the agent socket', () => {
  it('is believed when root owns it, or the person themself', () => {
    assert.equal(socketProblem(good, 1000), undefined);
    assert.equal(socketProblem({ ...good, ownerUid: 1000, folderOwnerUid: 1000, folderMode: 0o700 }, 1000), undefined);
  });

  for (const { name, facts, problem } of [
    { name: 'a file', facts: { isSocket: false }, problem: /not a socket/ },
    { name: "somebody else's", facts: { ownerUid: 1001 }, problem: /uid 1001/ },
    { name: "in somebody else's folder", facts: { folderOwnerUid: 1001 }, problem: /folder belongs to uid 1001/ },
    { name: 'in a folder open to all', facts: { folderMode: 0o777 }, problem: /others can write/ },
    { name: 'in a folder open to a group', facts: { folderMode: 0o775 }, problem: /others can write/ },
    { name: 'in a sticky folder open to all', facts: { folderMode: 0o1777 }, problem: /others can write/ },
  ])
    it(`is not believed when it is ${name}`, () =>
      assert.match(socketProblem({ ...good, ...facts }, 1000) ?? '', problem));

  it('is named by an absolute path only', () =>
    assert.throws(() => agentSocket({ CURFEW_AGENT_SOCKET: 'agent.sock' }, 0), { code: 'FIELD_INVALID' }));
});

describe('the agent pipe', () => {
  const PIPE = String.raw`\\.\pipe\ProtectedPrefix\Administrators\curfew-agent`;

  it('is the one of administrators, or another of theirs', () => {
    assert.equal(pipeName(''), PIPE);
    assert.equal(pipeName(PIPE), PIPE);
    assert.equal(pipeName(`${PIPE}-2`), `${PIPE}-2`);
  });

  for (const name of [String.raw`\\.\pipe\curfew-agent`, String.raw`\\server\pipe\x`, '/run/curfew/agent.sock'])
    it(`is not ${name}, which anybody can make`, () => {
      assert.throws(() => pipeName(name), /CURFEW_AGENT_SOCKET/);
    });
});
