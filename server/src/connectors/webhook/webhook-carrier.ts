import type { WebhookSigner } from '../../notifiers/targets/webhook-signer.js';
import { ConnectorError } from '../connector.js';
import type { JsonClient } from '../http/json-client.js';
import { operationToJson, type Operation } from '../operations/operation.js';
import type { OperationCarrier } from '../operations/operation-connector.js';
import type { OperationIds } from './operation-ids.js';

/** Posts each operation to one address, signed. */
export class WebhookCarrier implements OperationCarrier {
  constructor(
    private readonly client: JsonClient,
    private readonly signer: WebhookSigner,
    private readonly ids: OperationIds,
    private readonly resource: string,
  ) {}

  async carry(operation: Operation, signal: AbortSignal): Promise<unknown> {
    const body = operationToJson(this.resource, operation);
    // The client sends the same object as the same text.
    const signature = this.signer.headersOf(this.ids.idOf(operation), JSON.stringify(body));
    const headers = { 'content-type': 'application/json; charset=utf-8', ...signature };
    try {
      const answer = await this.client.call({ method: 'POST', path: [], body, headers }, signal);
      this.ids.answered(operation);
      return answer.body;
    } catch (error) {
      if (error instanceof ConnectorError && error.kind === 'refused') this.ids.answered(operation);
      throw error;
    }
  }

  close(): void {
    this.client.close();
  }
}
