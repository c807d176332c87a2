/** What the tests use of express, which has no types of its own. */
declare module 'express' {
  import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

  interface Request extends IncomingMessage {
    readonly path: string;
    body: unknown;
  }
  type Handler = (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void;
  class Router {
    /** A router is a handler. */
    private readonly isRouter: true;
  }
  type Application = RequestListener & {
    set(name: string, value: unknown): void;
    use(...handlers: readonly (Handler | Router)[]): void;
    use(path: string, ...handlers: readonly (Handler | Router)[]): void;
  };
  function express(): Application;
  export { express as default, Router, type Request };
}
