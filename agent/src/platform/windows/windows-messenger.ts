import { CurfewError } from '@curfew/shared';
import type { PersonMessenger } from '../../ports/person-messenger.js';
import type { GrantAccount } from '../../ports/privilege-host.js';
import type { TokensApi } from './windows-api.js';

/** A window on every desktop where the person is signed in, also over Remote Desktop. */
export class WindowsMessenger implements PersonMessenger {
  constructor(private readonly tokens: Pick<TokensApi, 'logons' | 'message'>) {}

  async tell({ sid }: GrantAccount, text: string): Promise<void> {
    const logons = this.tokens.logons().filter((logon) => logon.sid === sid);
    const statuses = await Promise.all(logons.map(({ id }) => this.tokens.message(id, 'Curfew', text)));
    const failed = statuses.find((status) => status !== 0);
    if (failed !== undefined)
      throw new CurfewError('COMMAND_FAILED', { command: 'WTSSendMessage', exitCode: String(failed), stderr: '' });
  }
}
