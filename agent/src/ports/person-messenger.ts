import type { GrantAccount } from './privilege-host.js';

/** Shows people on this machine a line of text wherever they work: in their terminals, on their desktop. */
export interface PersonMessenger {
  /**
   * Tries everywhere; nobody may be there to read it. `text` holds no control characters. Errors: of the first place
   * where it should have been shown and was not.
   */
  tell(account: GrantAccount, text: string): Promise<void>;
}
