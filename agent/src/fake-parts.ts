// The third door of this workspace: what tests put in the place of a machine.
export { FakePrivilegeHost } from './ports/fake-privilege-host.js';
