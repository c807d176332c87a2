/** Where the server sends whom a provider did not let in, and whom it has let go. */
export const SIGN_IN_PATH = '/sign-in';

/** What brought somebody to the sign-in, and where they go on to afterwards. */
export interface SignInLanding {
  /** What went wrong at the provider, in a sentence. */
  readonly problem: string | undefined;
  /** A path of the console, with what it asks for. */
  readonly next: string;
}

/** What each code of the server means to who wants to sign in. What is not here is said in general words. */
const PROBLEMS: ReadonlyMap<string, string> = new Map([
  [
    'OIDC_REFUSED',
    'The provider did not let you in, it took too long, or none of your groups may come in here. Begin again, or ask an administrator.',
  ],
  ['OIDC_UNREACHABLE', 'The provider does not answer as it should. Try again in a while, or tell an administrator.'],
  ['OIDC_NOT_CONFIGURED', 'This server has no provider to sign in at.'],
  ['USER_DISABLED', 'Your user is disabled here. Ask an administrator.'],
  ['STORAGE_FAILED', 'The server could not write down that you are signed in. Tell an administrator.'],
]);
const UNKNOWN = 'Something went wrong on the way to the provider and back. Begin again, or tell an administrator.';

/** A path of the console, as the server takes them: no host, no scheme, no backslash, no control character. */
const PATH = /^\/(?!\/)[\w\-./~%]*(\?[\w\-./~%=&+:,@]*)?$/;
/** What is no page, or leads back here. */
const NO_PAGE = /^\/(api|auth|sign-in)(\/|$|\?)/;

/** Reads an address of the console. Nothing that it holds is shown: a code becomes one of our own sentences. */
export function signInLanding(pathname: string, search: string): SignInLanding {
  if (pathname !== SIGN_IN_PATH) return { problem: undefined, next: pathname + search };
  const asked = new URLSearchParams(search);
  const code = asked.get('error') ?? '';
  return {
    problem: code === '' ? undefined : (PROBLEMS.get(code) ?? UNKNOWN),
    next: ownPath(asked.get('next') ?? '/'),
  };
}

function ownPath(given: string): string {
  if (given.length > 500 || !PATH.test(given) || NO_PAGE.test(given)) return '/';
  const base = 'http://console.invalid';
  if (!URL.canParse(given, base)) return '/';
  // What a browser makes of it, dots and all, must still be a page of ours.
  const { origin, pathname, search } = new URL(given, base);
  return origin === base && !pathname.startsWith('//') && !NO_PAGE.test(pathname) ? pathname + search : '/';
}
