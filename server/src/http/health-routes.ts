import type { Readiness } from '../health/readiness.js';
import type { Routes } from './auth-routes.js';

/**
 * What probes ask. /livez and /healthz: the process answers, and nothing else is looked at, for a restart would mend nothing
 * else. /readyz: it can do its work, or why not, as a closed list of words.
 */
export function healthRoutes(readiness: Pick<Readiness, 'problems'>): Routes {
  const alive = { status: 'ok' };
  return {
    'GET /healthz': async (exchange) => {
      exchange.json(200, alive);
    },
    'GET /livez': async (exchange) => {
      exchange.json(200, alive);
    },
    'GET /readyz': async (exchange) => {
      const problems = await readiness.problems();
      if (problems.length === 0) exchange.json(200, { status: 'ready' });
      else exchange.json(503, { status: 'not ready', problems });
    },
  };
}
